use std::path::{Path, PathBuf};

use gateway_base::paths::Paths;
use gateway_base::profile::Profile;
use serde_json::Value as Json;

use super::*;
use crate::cmds::testing::{assert_golden, env_at, place};
use crate::service::schtasks::parse;
use crate::service::scope::Scope;
use crate::service::spec::Parts;
use crate::service::status::Manager;
use crate::service::testing::read_by_python;

const USER: Option<&str> = Some("DESK\\you");

fn spec(profile: Option<&str>, extra: &[(&str, &str)]) -> (Names, Spec) {
    let env = env_at("/Users/you", extra);
    let profile = profile.and_then(|name| Profile::parse(name).ok());
    let paths = Paths::resolve(&env, profile).expect("HOME is set");
    let names = Names::new(&env, &paths);
    let spec = Spec::new(Parts {
        manager: Manager::Schtasks,
        scope: Scope::User,
        names: &names,
        paths: &paths,
        env: &env,
        program: Path::new(r"C:\Program Files\gateway\gatewayd.exe"),
        port: 18789,
        user: None,
    });
    (names, spec)
}

fn text(change: impl FnOnce(&mut Spec)) -> Result<String, Error> {
    let (names, mut spec) = spec(None, &[]);
    change(&mut spec);
    task(&names, &spec, USER)
}

/// The texts of the definitions by the path of their elements, as read by a parser that has nothing in common with
/// ours, from the bytes that the scheduler gets.
fn read_all(texts: &[String]) -> Vec<Json> {
    let program = "import xml.etree.ElementTree as E\n\
        def walk(path, node, found):\n\
        \x20   path = path + '/' + node.tag.split('}')[1]\n\
        \x20   if len(node) == 0: found.setdefault(path, node.text or '')\n\
        \x20   for child in node: walk(path, child, found)\n\
        \x20   return found\n\
        def read(text): return walk('', E.fromstring(b'\\xff\\xfe' + text.encode('utf-16-le')), {})";
    read_by_python(program, texts)
}

#[test]
fn the_definitions_are_reviewed() {
    let golden = |name: &str, profile| {
        let (names, spec) = spec(profile, &[]);
        let text = task(&names, &spec, USER).expect("is written");
        let text = text.replace(&place("/Users/you"), "/Users/you");
        assert_golden(name, &text.replace(env!("CARGO_PKG_VERSION"), "0.0.0"));
    };
    golden("schtasks", None);
    golden("schtasks-profile", Some("work"));
}

#[test]
fn two_parsers_read_what_was_meant() {
    let (names, spec) = spec(Some("Work"), &[]);
    let text = task(&names, &spec, USER).expect("is written");
    let command = parse::task(&text, Path::new("/t"));
    assert_eq!(
        command.program_arguments,
        [r"C:\Program Files\gateway\gatewayd.exe", "--profile", "Work", "gateway", "--port", "18789"]
    );
    assert_eq!(command.environment.get("CLAWDBOT_PROFILE").map(String::as_str), Some("Work"));
    assert_eq!(command.port(), Some(18789));
    let read = &read_all(std::slice::from_ref(&text))[0];
    for (path, value) in [
        ("/Task/Actions/Exec/Command", r"C:\Program Files\gateway\gatewayd.exe"),
        ("/Task/Actions/Exec/Arguments", "--profile Work gateway --port 18789"),
        ("/Task/Actions/Exec/WorkingDirectory", &place("/Users/you")),
        ("/Task/Principals/Principal/RunLevel", "LeastPrivilege"),
        ("/Task/Principals/Principal/UserId", r"DESK\you"),
        ("/Task/Triggers/LogonTrigger/UserId", r"DESK\you"),
        ("/Task/Settings/ExecutionTimeLimit", "PT0S"),
        ("/Task/Settings/RestartOnFailure/Interval", "PT1M"),
        ("/Task/Settings/MultipleInstancesPolicy", "IgnoreNew"),
        ("/Task/RegistrationInfo/URI", r"\Clawdbot Gateway (Work)"),
    ] {
        assert_eq!(read[path], value, "{path}");
    }
    let audit = crate::service::audit(Manager::Schtasks, Some(&command), &text, |_| true);
    assert!(audit.ok, "{audit:?}");
}

#[test]
fn what_cannot_be_run_is_refused() {
    let long = "x".repeat(10_000);
    assert!(matches!(text(|spec| spec.arguments = vec![long.clone(); 4]), Err(Error::Long(..))));
    for path in ["gatewayd.exe", r"\x", "C:x", "", "é"] {
        let done = text(|spec| spec.program = PathBuf::from(path));
        assert!(matches!(done, Err(Error::Relative(_))), "{path}");
    }
    let (names, good) = spec(None, &[]);
    assert_eq!(task(&names, &good, None), Err(Error::NoUser));
}

#[test]
fn no_secret_of_the_shell_is_in_it() {
    let canary = [
        ("CLAWDBOT_GATEWAY_TOKEN", "canary"),
        ("CLAWDBOT_GATEWAY_PASSWORD", "canary"),
        ("ANTHROPIC_API_KEY", "canary"),
    ];
    let (names, spec) = spec(Some("work"), &canary);
    assert!(!task(&names, &spec, USER).expect("is written").contains("canary"));
}
