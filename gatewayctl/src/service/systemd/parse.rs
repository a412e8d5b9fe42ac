//! Pure readers: a unit file, and the properties that `systemctl show` prints.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::service::status::{Command, Installed, Runtime, RuntimeState};

/// The properties to ask for.
pub const PROPERTIES: &str = "LoadState,UnitFileState,ActiveState,SubState,Result,MainPID,ExecMainPID,ExecMainStatus,\
     ExecMainCode,ActiveEnterTimestampMonotonic,Job,NRestarts";

/// No word of a manager is longer.
const MAX_WORD: usize = 100;

/// The main version in what `systemctl --version` prints: `systemd 252 (252.38-1)`.
pub fn version(text: &str) -> Option<u32> {
    let number = text.lines().next()?.strip_prefix("systemd ")?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

/// Whether a user's services outlive the log-out, from what `loginctl show-user -p Linger` prints.
pub fn linger(text: &str) -> Option<bool> {
    text.lines().find_map(|line| match line.trim() {
        "Linger=yes" => Some(true),
        "Linger=no" => Some(false),
        _ => None,
    })
}

/// What `systemctl show` says.
pub fn show(text: &str) -> (Installed, Runtime) {
    let values: BTreeMap<String, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    let get =
        |key: &str| values.get(key).copied().filter(|value| !value.is_empty() && value.len() <= MAX_WORD);
    let missing = get("loadstate") == Some("not-found");
    let status = match get("activestate") {
        Some("active") => RuntimeState::Running,
        Some(_) => RuntimeState::Stopped,
        None => RuntimeState::Unknown,
    };
    let installed = match get("unitfilestate") {
        Some("enabled" | "enabled-runtime" | "linked" | "linked-runtime" | "static" | "alias") => {
            Installed::Yes
        }
        _ => Installed::No,
    };
    let runtime = Runtime {
        status,
        state: get("activestate").map(str::to_owned),
        sub_state: get("substate").map(str::to_owned),
        pid: get("mainpid").and_then(|pid| pid.parse().ok()).filter(|pid| *pid > 0),
        last_exit_status: get("execmainstatus").and_then(|status| status.parse().ok()),
        last_exit_reason: get("execmaincode").map(str::to_owned),
        detail: (status == RuntimeState::Unknown).then(|| "systemctl show did not name a state".to_owned()),
        missing_unit: missing,
        last_pid: get("execmainpid").and_then(|pid| pid.parse().ok()).filter(|pid| *pid > 0),
        busy: get("job").is_some_and(|job| job != "0"),
        result: get("result").map(str::to_owned),
        restarts: get("nrestarts").and_then(|count| count.parse().ok()).unwrap_or_default(),
        ready_at: get("activeentertimestampmonotonic")
            .and_then(|at| at.parse().ok())
            .filter(|at| *at > 0)
            .map(Duration::from_micros),
    };
    (installed, runtime)
}

/// The parts of a unit file that matter here. Later lines win, as in systemd; unknown lines are skipped.
pub fn unit(text: &str, source: &Path) -> Command {
    let mut command = Command { source_path: source.to_path_buf(), ..Command::default() };
    for line in logical_lines(text) {
        let Some((key, value)) = line.split_once('=') else { continue };
        match key.trim() {
            "ExecStart" => {
                let words = value.trim_start_matches(['@', '-', ':', '+', '!']);
                // A colon in front switches variables off, and with them the escape of a dollar sign. The path of
                // the program knows neither.
                let dollars = !value[..value.len() - words.len()].contains(':');
                command.program_arguments = split(words, dollars);
            }
            "WorkingDirectory" => {
                command.working_directory = split(value, false).into_iter().next();
            }
            "User" => command.user = Some(value.trim().to_owned()).filter(|user| !user.is_empty()),
            // An empty value takes back what was set before.
            "Environment" if value.trim().is_empty() => command.environment.clear(),
            "Environment" => {
                let pairs = split(value, false);
                let pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
                command.environment.extend(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())));
            }
            _ => {}
        }
    }
    command
}

/// Lines with continuations joined, comments and section heads left out.
pub fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';'])
            || (open.is_none() && (trimmed.is_empty() || trimmed.starts_with('[')))
        {
            continue;
        }
        let mut whole = open.take().map_or_else(String::new, |start| start + " ");
        match trimmed.strip_suffix('\\') {
            Some(part) => {
                whole.push_str(part.trim_end());
                open = Some(whole);
            }
            None => {
                whole.push_str(trimmed);
                lines.push(whole);
            }
        }
    }
    lines.extend(open);
    lines
}

/// Splits a value into words as systemd does: quotes, backslash escapes, `%%`, and `$$` where variables are known.
fn split(value: &str, dollars: bool) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut quote = None;
    let mut chars = value.trim().chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => word.get_or_insert_default().push('\n'),
                Some('t') => word.get_or_insert_default().push('\t'),
                Some('s') => word.get_or_insert_default().push(' '),
                Some(other) => word.get_or_insert_default().push(other),
                None => {}
            },
            '"' | '\'' if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            '%' | '$' if chars.peek() == Some(&c) && (c == '%' || dollars) => {
                chars.next();
                word.get_or_insert_default().push(c);
            }
            c if c.is_whitespace() && quote.is_none() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_unit() {
        let (installed, runtime) = show(
            "LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nSubState=running\nMainPID=12345\nExecMainStatus=0\nExecMainCode=0\n",
        );
        assert_eq!(
            (installed, runtime.status, runtime.pid),
            (Installed::Yes, RuntimeState::Running, Some(12345))
        );
        assert_eq!(
            (runtime.state.as_deref(), runtime.sub_state.as_deref()),
            (Some("active"), Some("running"))
        );
        assert_eq!((runtime.last_exit_status, runtime.last_exit_reason.as_deref()), (Some(0), Some("0")));
        assert!(!runtime.missing_unit && runtime.detail.is_none());
    }

    #[test]
    fn a_stopped_a_failed_and_a_missing_unit() {
        let (installed, runtime) = show(
            "LoadState=loaded\nUnitFileState=disabled\nActiveState=inactive\nSubState=dead\nMainPID=0\nExecMainStatus=78\nExecMainCode=1\n",
        );
        assert_eq!((installed, runtime.status, runtime.pid), (Installed::No, RuntimeState::Stopped, None));
        assert_eq!(runtime.last_exit_status, Some(78));
        let (_, runtime) =
            show("LoadState=loaded\nUnitFileState=enabled\nActiveState=activating\nSubState=auto-restart\n");
        assert_eq!((runtime.status, runtime.state.as_deref()), (RuntimeState::Stopped, Some("activating")));
        let (installed, runtime) =
            show("LoadState=not-found\nUnitFileState=\nActiveState=inactive\nMainPID=0\n");
        assert_eq!((installed, runtime.missing_unit), (Installed::No, true));
    }

    #[test]
    fn nonsense_is_unknown_not_stopped() {
        for text in ["", "no equals sign", "ActiveState=\nMainPID=-5\n", "MainPID=99999999999999\u{0}\n="] {
            let (_, runtime) = show(text);
            assert_eq!((runtime.status, runtime.pid), (RuntimeState::Unknown, None), "{text:?}");
            assert!(runtime.detail.is_some());
        }
    }

    #[test]
    fn a_unit_file_is_read_as_systemd_reads_it() {
        let command = unit(
            "[Service]\n# a comment\nExecStart=/old\nExecStart=-\"/opt/my tools/gatewayd\" gateway \\\n  --port 18789 --x=100%% $$HOME 'a b'\nWorkingDirectory=/srv\nEnvironment=A=1 \"B=two words\"\nEnvironment=A=2\nEnvironment=FOO=bar\\sbaz\n",
            Path::new("/u"),
        );
        assert_eq!(
            command.program_arguments,
            ["/opt/my tools/gatewayd", "gateway", "--port", "18789", "--x=100%", "$HOME", "a b"]
        );
        assert_eq!(command.working_directory.as_deref(), Some("/srv"));
        let env: Vec<_> = command.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(env, [("A", "2"), ("B", "two words"), ("FOO", "bar baz")]);
    }

    #[test]
    fn a_damaged_unit_file_is_no_panic() {
        for text in ["ExecStart=\"unclosed \\", "Environment=\\", "=\n==\n[", "ExecStart="] {
            let _ = unit(text, Path::new("/u"));
        }
    }
}
