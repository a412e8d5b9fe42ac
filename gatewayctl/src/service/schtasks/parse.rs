//! Pure readers: a task's definition, and the table of `schtasks /Query`. Labels and words of the table are in the
//! language of the machine; its columns and its numbers are not.

use std::collections::BTreeMap;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use super::words;
use crate::service::status::{Command, Runtime, RuntimeState};

/// The last result of a task that runs now.
pub const RUNNING: &str = "267009";
/// That of one that has never run.
const NEVER: i64 = 267_011;
/// That of one that was ended.
const ENDED: i64 = 267_014;
/// That of one that is about to run.
const QUEUED: i64 = 267_045;
/// Which column of the table is the state.
const STATE: usize = 3;
/// The same for the last result.
const RESULT: usize = 6;

/// No word of a manager is longer.
const MAX_WORD: usize = 100;

/// What `schtasks /Query /V /FO CSV /NH` says about one task.
pub fn table(text: &str) -> Runtime {
    let fields: Vec<&str> = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with('"'))
        .map(|line| line.trim_matches('"').split("\",\"").collect())
        .unwrap_or_default();
    let result = fields.get(RESULT).map(|field| field.trim());
    let state = fields
        .get(STATE)
        .map(|field| field.trim())
        .filter(|state| !state.is_empty() && state.len() <= MAX_WORD);
    let Some(number) = result.and_then(|result| result.parse::<i64>().ok()) else {
        return Runtime::unknown("schtasks /Query did not name a last result");
    };
    let running = result == Some(RUNNING) || state == Some("Running");
    let exit = !running && ![NEVER, ENDED, QUEUED].contains(&number);
    Runtime {
        status: if running { RuntimeState::Running } else { RuntimeState::Stopped },
        state: state.map(str::to_owned),
        last_exit_status: exit.then(|| exit_code(number)).flatten(),
        busy: !running && number == QUEUED,
        ..Runtime::default()
    }
}

/// Codes of Windows are given with or without a sign.
fn exit_code(number: i64) -> Option<i32> {
    i32::try_from(number).ok().or_else(|| u32::try_from(number).ok().map(u32::cast_signed))
}

/// What a task runs; nothing when the text is no definition. A profile among the arguments is the task's own.
pub fn task(text: &str, source: &Path) -> Command {
    let action = action(text);
    let get = |name: &str| action.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let mut command = Command { source_path: source.to_path_buf(), ..Command::default() };
    if let Some(program) = get("Command") {
        command.program_arguments.push(program.trim_matches('"').to_owned());
        command.program_arguments.extend(get("Arguments").map(words::split).unwrap_or_default());
    }
    command.working_directory = get("WorkingDirectory").map(str::to_owned);
    let mut arguments = command.program_arguments.iter().skip_while(|word| *word != "--profile").skip(1);
    if let Some(profile) = arguments.next() {
        command.environment.insert("CLAWDBOT_PROFILE".to_owned(), profile.clone());
    }
    command
}

/// The parts of the first action that starts a program.
fn action(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    loop {
        let piece = match reader.read_event() {
            Ok(Event::Start(tag)) => {
                open.push(tag.local_name().as_ref().to_owned());
                continue;
            }
            Ok(Event::End(tag)) => {
                if tag.local_name().as_ref() == "Exec" {
                    return found;
                }
                open.pop();
                continue;
            }
            Ok(Event::Text(text)) => text.xml10_content().into_owned(),
            Ok(Event::GeneralRef(name)) => match name.resolve_char_ref() {
                Ok(Some(c)) => c.to_string(),
                _ => resolve_predefined_entity(&name.xml10_content()).unwrap_or_default().to_owned(),
            },
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => continue,
        };
        if let [.., exec, name] = open.as_slice()
            && exec == "Exec"
        {
            found.entry(name.clone()).or_insert_with(String::new).push_str(&piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(state: &str, result: &str) -> String {
        format!(
            "\r\n\"HOST\",\"\\Clawdbot Gateway\",\"N/A\",\"{state}\",\"Interactive only\",\"1/2/2026 3:04:05 AM\",\
             \"{result}\",\"N/A\",\"C:\\x\\gatewayd.exe gateway --port 18789\",\"C:\\Users\\you\"\r\n"
        )
    }

    #[test]
    fn numbers_say_how_it_is_in_every_language() {
        for (state, result, status, exit) in [
            ("Running", "267009", RuntimeState::Running, None),
            ("Wird ausgeführt", "267009", RuntimeState::Running, None),
            ("Bereit", "0", RuntimeState::Stopped, Some(0)),
            ("Ready", "78", RuntimeState::Stopped, Some(78)),
            ("Ready", "267011", RuntimeState::Stopped, None),
            ("Ready", "267014", RuntimeState::Stopped, None),
            ("Ready", "-2147024894", RuntimeState::Stopped, Some(-2_147_024_894)),
            ("Ready", "2147942402", RuntimeState::Stopped, Some(-2_147_024_894)),
        ] {
            let runtime = table(&row(state, result));
            assert_eq!((runtime.status, runtime.last_exit_status), (status, exit), "{state} {result}");
        }
        assert!(table(&row("Queued", "267045")).busy);
    }

    #[test]
    fn nonsense_is_unknown_not_stopped() {
        let long = "\",\"".repeat(100_000);
        for text in
            ["", "\"", "\"\",\"\"", "a,b,c,d,e,f,g", "\0\u{1b}[2J", &row("Running", "x"), &row("", ""), &long]
        {
            let runtime = table(text);
            assert_eq!(runtime.status, RuntimeState::Unknown, "{text:.40}");
            assert!(runtime.detail.is_some());
        }
    }

    #[test]
    fn a_damaged_definition_is_no_panic_and_no_command() {
        let deep = "<a>".repeat(50_000);
        for text in
            ["", "<Task>", "<Exec><Command></Exec>", "</Exec>", "<Exec>&x;", "<Exec", "\0", "&#0;", &deep]
        {
            assert!(task(text, Path::new("/x")).program_arguments.is_empty(), "{text:.20}");
        }
        let other =
            "<Task><Actions><Exec><Command>\"C:\\a b\\gateway.cmd\"</Command></Exec></Actions></Task>";
        assert_eq!(task(other, Path::new("/x")).program_arguments, ["C:\\a b\\gateway.cmd"]);
    }
}
