//! Odd values in every field of every service file: what is written is read back exactly as it was meant, by our own
//! reader and by one that has nothing in common with it, or it is refused with a sentence. Which of the two is a
//! reviewed table. What the real systemd reads is tested on a machine that boots it (`tests/systemd`).

use std::fmt::Write;
use std::path::{Path, PathBuf};

use gateway_base::paths::Paths;
use serde_json::Value;

use super::names::Names;
use super::scope::Scope;
use super::spec::{Parts, Spec};
use super::status::{Command, Manager};
use super::testing::read_by_python;
use super::{launchd, schtasks, systemd};
use crate::cmds::testing::{assert_golden, env_at};

/// The values with the names they have in the table.
fn values() -> Vec<(&'static str, String)> {
    let long = "x y&%\"".repeat(1_707);
    let values: &[(&str, &str)] = &[
        ("nothing", ""),
        ("a space", " "),
        ("spaces around", " a b "),
        ("spaces inside", "a  b"),
        ("a line feed", "a\n[Service]\nExecStartPre=/bin/evil"),
        ("a carriage return", "a\rb"),
        ("CR LF", "a\r\n<Exec>"),
        ("a line separator", "a\u{2028}b"),
        ("a next line", "a\u{85}b"),
        ("NUL", "a\0b"),
        ("a tab", "a\tb"),
        ("an escape", "\u{1b}[2J"),
        ("delete", "a\u{7f}b"),
        ("no character", "a\u{ffff}b"),
        ("no character of Unicode", "a\u{1fffe}b"),
        ("a percent sign", "100%"),
        ("two percent signs", "100%%"),
        ("a specifier", "%h"),
        ("a variable of Windows", "%PATH%"),
        ("a dollar sign", "$"),
        ("two dollar signs", "$$"),
        ("a variable", "$HOME"),
        ("a variable in braces", "a ${X} b"),
        ("a variable of a task", "$(Arg0)"),
        ("a command", "`touch x`;$(touch y)|z&&w>v"),
        ("a double quote", "\""),
        ("a single quote", "'"),
        ("quotes", "a'b\"c"),
        ("a backslash", "\\"),
        ("two backslashes", "\\\\"),
        ("a backslash at the end", "a b\\"),
        ("a backslash and a quote", "a\\\"b"),
        ("an escape of C", "\\n\\x41\\s"),
        ("a semicolon", "a;b"),
        ("a semicolon alone", ";"),
        ("a comment", "# no comment"),
        ("an equals sign", "="),
        ("a section", "[Service]"),
        ("a prefix of systemd", "@-:+!/x"),
        ("an option", "-x"),
        ("an option of Windows", "/x"),
        ("an element", "<string>x</string>"),
        ("an entity", "&amp;&#10;"),
        ("the end of a CDATA section", "]]>"),
        ("a comment of XML", "<!-- x"),
        ("a declaration of XML", "<!DOCTYPE x>"),
        ("letters of the world", "é ü 你 \u{1f600}"),
        ("a combining accent", "e\u{301}"),
        ("from right to left", "\u{202e}abc"),
        ("a byte order mark", "\u{feff}x"),
    ];
    let mut values: Vec<_> = values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    assert!(long.len() > 10_240);
    values.push(("10 kB", long));
    values.push(("100 kB", "x".repeat(100_000)));
    values
}

/// A field, and where each of the two readers finds it.
#[derive(Clone, Copy)]
enum Field {
    Program,
    Argument,
    Variable,
    Description,
    Name,
    User,
    Home,
    Log,
}

use Field::{Argument, Description, Home, Log, Name, Program, User, Variable};

impl Field {
    const fn word(self) -> &'static str {
        match self {
            Program => "the path of the program",
            Argument => "an argument",
            Variable => "a variable",
            Description => "the description",
            Name => "the name",
            User => "the user",
            Home => "the home folder",
            Log => "the path of the log",
        }
    }
}

const FIELDS: [(Manager, &str, &[Field]); 3] = [
    (Manager::Systemd, "a unit", &[Program, Argument, Variable, Description, User]),
    (Manager::Launchd, "a property list", &[Program, Argument, Variable, Description, Name, Log]),
    (Manager::Schtasks, "a task", &[Program, Argument, Description, Name, User, Home]),
];

/// The file with `value` in a field, and the whole text that the field should have.
fn write(manager: Manager, field: Field, value: &str) -> (Result<String, String>, String) {
    let env = env_at("/home/you", &[]);
    let paths = Paths::resolve(&env, None).expect("HOME is set");
    let mut names = Names::new(&env, &paths);
    let program = if manager == Manager::Schtasks { r"C:\x\gatewayd.exe" } else { "/x/gatewayd" };
    let parts = Parts {
        manager,
        scope: if manager == Manager::Systemd { Scope::System } else { Scope::User },
        names: &names,
        paths: &paths,
        env: &env,
        program: Path::new(program),
        port: 18789,
        user: None,
    };
    let mut spec = Spec::new(parts);
    let (mut log, mut user) = (PathBuf::from("/x/gateway.log"), "you".to_owned());
    let mut whole = value.to_owned();
    match field {
        Program => {
            whole = match manager {
                Manager::Schtasks => format!(r"C:\{value}\gatewayd.exe"),
                _ => format!("/{value}/gatewayd"),
            };
            spec.program = PathBuf::from(&whole);
        }
        Argument => spec.arguments.push(whole.clone()),
        Variable => spec.environment.push(("ODD".to_owned(), whole.clone())),
        Description => spec.description.clone_from(&whole),
        Name => (names.label, names.task) = (whole.clone(), whole.clone()),
        User => user.clone_from(&whole),
        Home => spec.environment[0].1.clone_from(&whole),
        Log => {
            log = PathBuf::from(format!("/x{value}/gateway.log"));
            whole = format!("/x{value}/gateway.err.log");
        }
    }
    if manager == Manager::Systemd && matches!(field, User) {
        spec.user = Some(user.clone());
    }
    let text = match manager {
        Manager::Systemd => systemd::unit_for_version(&spec, 252).map_err(|error| error.to_string()),
        Manager::Launchd => launchd::agent_text(&names.label, &spec, &log).map_err(|error| error.to_string()),
        Manager::Schtasks => {
            schtasks::task_text(&names, &spec, Some(&user)).map_err(|error| error.to_string())
        }
    };
    if matches!((manager, field), (Manager::Schtasks, Name)) {
        whole = format!("\\{value}");
    }
    (text, whole)
}

/// What our own reader finds; nothing for a field that only the other one reads.
fn read(manager: Manager, field: Field, text: &str) -> Option<String> {
    let source = Path::new("/s");
    let command: Command = match manager {
        Manager::Systemd => systemd::read_unit(text, source),
        Manager::Launchd => launchd::read_agent(text, source),
        Manager::Schtasks => schtasks::read_task(text, source),
    };
    let line = |key: &str| {
        let lines = systemd::logical_lines(text);
        lines.iter().find_map(|line| line.strip_prefix(key)).map(|value| value.replace("%%", "%"))
    };
    match (manager, field) {
        (_, Program) => command.program_arguments.first().cloned(),
        (_, Argument) => command.program_arguments.last().cloned(),
        (_, Variable) => command.environment.get("ODD").cloned(),
        (_, Home) => command.working_directory,
        (Manager::Systemd, Description) => line("Description="),
        (Manager::Systemd, User) => line("User="),
        _ => None,
    }
}

/// The other reader: Python's, which puts the fields under the words of the table.
const PLIST: &str = "import plistlib
def read(text):
    list = plistlib.loads(text.encode())
    return {'the path of the program': list['ProgramArguments'][0], 'an argument': list['ProgramArguments'][-1],
        'a variable': list['EnvironmentVariables'].get('ODD'), 'the description': list['Comment'],
        'the name': list['Label'], 'the path of the log': list['StandardErrorPath']}";

/// It reads the bytes that the scheduler gets.
const TASK: &str = "import xml.etree.ElementTree as E
def read(text):
    task = E.fromstring(b'\\xff\\xfe' + text.encode('utf-16-le'))
    get = lambda name: task.findtext('.//{*}' + name) or ''
    return {'the path of the program': get('Command'), 'arguments': get('Arguments'),
        'the description': get('Description'), 'the name': get('URI'), 'the user': get('UserId'),
        'the home folder': get('WorkingDirectory')}";

#[test]
fn every_value_is_read_back_or_refused_in_every_field() {
    let mut table = String::new();
    for (manager, title, fields) in FIELDS {
        let mut written = Vec::new();
        let _ = writeln!(table, "==== {title}");
        for field in fields {
            let _ = writeln!(table, "\n{}", field.word());
            let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
            for (name, value) in values() {
                let (text, whole) = write(manager, *field, &value);
                let outcome = match text {
                    Ok(text) => {
                        if let Some(found) = read(manager, *field, &text) {
                            assert_eq!(found, whole, "{title}, {}: {name}", field.word());
                        }
                        written.push((text, *field, whole, name));
                        "kept".to_owned()
                    }
                    Err(said) => {
                        assert!(!said.contains(char::is_control), "{said:?}");
                        assert!(said.len() < 200, "{said}");
                        // It quotes the value.
                        let end = said.find(" is not the name of a user");
                        format!(
                            "refused: {}",
                            end.map_or(said.clone(), |end| format!("<value>{}", &said[end..]))
                        )
                    }
                };
                match groups.iter_mut().find(|(same, _)| *same == outcome) {
                    Some((_, names)) => names.push(name),
                    None => groups.push((outcome, vec![name])),
                }
            }
            for (outcome, names) in groups {
                let _ = writeln!(table, "  {outcome}\n    {}", names.join("; "));
            }
        }
        table.push('\n');
        compare(manager, &written);
    }
    assert_golden("bad-input", table.trim_end());
}

/// Compares with what the other reader finds.
fn compare(manager: Manager, written: &[(String, Field, String, &str)]) {
    let program = match manager {
        Manager::Systemd => return,
        Manager::Launchd => PLIST,
        Manager::Schtasks => TASK,
    };
    let texts: Vec<String> = written.iter().map(|(text, ..)| text.clone()).collect();
    for (seen, (text, field, whole, name)) in read_by_python(program, &texts).iter().zip(written) {
        if let Some(Value::String(line)) = seen.get("arguments")
            && matches!(field, Argument)
        {
            // The words of the line are for the rules of Windows, which have a test of their own.
            let all = schtasks::read_task(text, Path::new("/s")).program_arguments;
            assert!(line.ends_with(&schtasks::join(&all[all.len() - 1..])), "{name}");
            continue;
        }
        assert_eq!(seen[field.word()], **whole, "{}: {name}", field.word());
    }
}
