//! Pure readers: a property list, and what `launchctl print` says. The latter is written for people and may change;
//! only the few lines of the service's own level that have been there for years are read.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use plist::Value;

use crate::service::status::{Command, Runtime, RuntimeState};

/// What launchd says when it does not know a service, in lower case.
pub const NOT_LOADED: &[&str] = &["could not find service", "no such process"];

/// No word of a manager is longer.
const MAX_WORD: usize = 100;

/// What `launchctl print` says about a service.
pub fn print(text: &str) -> Runtime {
    let values = own_lines(text);
    let get =
        |key: &str| values.get(key).copied().filter(|value| !value.is_empty() && value.len() <= MAX_WORD);
    let pid = get("pid").and_then(|pid| pid.parse().ok()).filter(|pid| *pid > 0);
    let state = get("state");
    let status = match state {
        Some("running") => RuntimeState::Running,
        _ if pid.is_some() => RuntimeState::Running,
        Some(_) => RuntimeState::Stopped,
        None => RuntimeState::Unknown,
    };
    let exit = get("last exit code").or_else(|| get("last exit status"));
    let signal = get("last terminating signal");
    Runtime {
        status,
        state: state.map(str::to_owned),
        pid,
        // `78: EX_CONFIG` or `(never exited)`.
        last_exit_status: exit.or(signal).and_then(number),
        last_exit_reason: signal.or_else(|| get("last exit reason")).map(str::to_owned),
        detail: (status == RuntimeState::Unknown).then(|| "launchctl print did not name a state".to_owned()),
        result: signal.map(|_| "signal".to_owned()),
        ..Runtime::default()
    }
}

/// The number that a value begins with, or that stands behind a colon: `78: EX_CONFIG`, `Killed: 9`.
fn number(value: &str) -> Option<i32> {
    value.split(':').find_map(|part| part.trim().parse().ok())
}

/// The `key = value` lines of the outermost block, keys in lower case. The first one counts.
fn own_lines(text: &str) -> BTreeMap<String, &str> {
    let mut values = BTreeMap::new();
    let mut depth = 0_usize;
    for line in text.lines().map(str::trim) {
        if line == "}" {
            depth = depth.saturating_sub(1);
        } else if line.ends_with('{') {
            depth += 1;
        } else if depth == 1
            && let Some((key, value)) = line.split_once(" = ")
        {
            values.entry(key.trim().to_ascii_lowercase()).or_insert(value.trim());
        }
    }
    values
}

/// What a property list runs; nothing when it is none.
pub fn agent(text: &str, source: &Path) -> Command {
    let mut command = Command { source_path: source.to_path_buf(), ..Command::default() };
    let Some(list) = read(text) else { return command };
    let get = |name: &str| list.as_dictionary().and_then(|list| list.get(name));
    let words = get("ProgramArguments").and_then(Value::as_array).into_iter().flatten();
    command.program_arguments = words.filter_map(Value::as_string).map(str::to_owned).collect();
    command.working_directory = get("WorkingDirectory").and_then(Value::as_string).map(str::to_owned);
    let variables = get("EnvironmentVariables").and_then(Value::as_dictionary).into_iter().flatten();
    command.environment =
        variables.filter_map(|(name, value)| Some((name.clone(), value.as_string()?.to_owned()))).collect();
    command
}

/// Whether a property list makes its service start when it is loaded.
#[must_use]
pub fn starts_by_itself(text: &str) -> bool {
    setting(text, "RunAtLoad").and_then(|value| value.as_boolean()).unwrap_or_default()
}

/// Whether a property list makes its service start again after a failure.
#[must_use]
pub fn stays(text: &str) -> bool {
    match setting(text, "KeepAlive") {
        Some(Value::Boolean(stays)) => stays,
        Some(Value::Dictionary(when)) => {
            when.get("SuccessfulExit").and_then(Value::as_boolean) == Some(false)
        }
        _ => false,
    }
}

fn setting(text: &str, name: &str) -> Option<Value> {
    read(text)?.into_dictionary()?.remove(name)
}

fn read(text: &str) -> Option<Value> {
    Value::from_reader(Cursor::new(text.as_bytes())).ok()
}

/// The settings of a property list, one a line with its name in front, so that two lists can be compared and a
/// secret is known by its name. A text that is no list is compared as it is.
#[must_use]
pub fn lines(text: &str) -> String {
    let Some(list) = read(text) else { return text.to_owned() };
    let mut lines = Vec::new();
    flatten("", &list, &mut lines);
    lines.join("\n")
}

fn flatten(name: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Dictionary(entries) => {
            for (key, value) in entries {
                let name = if name.is_empty() { key.clone() } else { format!("{name} {key}") };
                flatten(&name, value, lines);
            }
        }
        Value::Array(items) => {
            let words: Vec<String> = items.iter().map(plain).collect();
            lines.push(format!("{name} = {}", words.join(" ")));
        }
        value => lines.push(format!("{name} = {}", plain(value))),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Boolean(yes) => yes.to_string(),
        Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str = "gui/501/com.clawdbot.gateway = {\n\tactive count = 1\n\tpath = /Users/you/x.plist\n\
        \ttype = LaunchAgent\n\tstate = running\n\n\tprogram = /usr/local/bin/gatewayd\n\targuments = {\n\
        \t\t/usr/local/bin/gatewayd\n\t\tpid = 1\n\t}\n\n\tdomain = gui/501 [100005]\n\truns = 3\n\tpid = 12345\n\
        \tlast exit code = 78: EX_CONFIG\n\n\tresource coalition = {\n\t\tID = 12\n\t\tstate = active\n\t}\n}\n";

    #[test]
    fn a_running_and_a_stopped_agent() {
        let runtime = print(RUNNING);
        assert_eq!((runtime.status, runtime.pid), (RuntimeState::Running, Some(12345)));
        assert_eq!((runtime.state.as_deref(), runtime.last_exit_status), (Some("running"), Some(78)));
        let stopped = "gui/501/x = {\n\tstate = not running\n\tlast exit code = (never exited)\n}\n";
        let runtime = print(stopped);
        assert_eq!(
            (runtime.status, runtime.pid, runtime.last_exit_status),
            (RuntimeState::Stopped, None, None)
        );
        let killed = "gui/501/x = {\n\tstate = spawn scheduled\n\tlast terminating signal = Killed: 9\n}\n";
        let runtime = print(killed);
        assert_eq!((runtime.result.as_deref(), runtime.last_exit_status), (Some("signal"), Some(9)));
    }

    #[test]
    fn nonsense_is_unknown_not_stopped() {
        let (open, close) = ("{\n".repeat(100_000), "}\n".repeat(100_000));
        for text in [
            "",
            "}\n}\n}",
            "{{{{",
            "state = running",
            "x = {\n\ta = {\n\tstate = running\n",
            "\0\u{1b}[2J",
            &open,
            &close,
        ] {
            let runtime = print(text);
            assert_eq!((runtime.status, runtime.pid), (RuntimeState::Unknown, None), "{text:.40?}");
            assert!(runtime.detail.is_some());
        }
        let runtime = print("x = {\n\tpid = -5\n\tstate = \u{1b}[2J\n\tlast exit code = 99999999999\n}\n");
        assert_eq!(
            (runtime.status, runtime.pid, runtime.last_exit_status),
            (RuntimeState::Stopped, None, None)
        );
    }

    #[test]
    fn a_damaged_list_is_no_panic_and_no_command() {
        for text in ["", "<plist>", "<plist><array/></plist>", "bplist00", "{ a = b; }", "<a>\0</a>"] {
            assert!(agent(text, Path::new("/x")).program_arguments.is_empty(), "{text:?}");
            assert!(!stays(text) && !starts_by_itself(text));
        }
    }

    #[test]
    fn settings_are_compared_by_name() {
        let text = "<plist><dict><key>EnvironmentVariables</key><dict><key>CLAWDBOT_GATEWAY_TOKEN</key>\
            <string>canary</string></dict><key>ProgramArguments</key><array><string>x</string>\
            <string>--token</string><string>canary</string></array><key>KeepAlive</key><true/></dict></plist>";
        assert_eq!(
            lines(text),
            "EnvironmentVariables CLAWDBOT_GATEWAY_TOKEN = canary\nProgramArguments = x --token canary\n\
             KeepAlive = true"
        );
        let shown = crate::service::difference(&lines(text), "").join("\n");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
