//! What is out of date or unusual in an installed unit (operations 6.7). Nothing is audited when nothing is
//! installed.

use std::path::Path;

use gateway_base::limits;
use serde::Serialize;

use super::launchd;
use super::status::{Command, Manager};
use super::systemd::logical_lines;

/// The findings on a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Whether there is none.
    pub ok: bool,
    /// Each of them.
    pub issues: Vec<Finding>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The word for programs.
    pub code: &'static str,
    /// The sentence for people.
    pub message: &'static str,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How much it matters.
    pub level: Level,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It should be repaired.
    Recommended,
    /// It does not work so.
    Aggressive,
}

/// Folders that come and go with version managers.
const UNSTABLE: [&str; 10] = [
    "/.nvm/",
    "/.fnm/",
    "/.volta/",
    "/.asdf/",
    "/.n/",
    "/.nodenv/",
    "/.nodebrew/",
    "/nvs/",
    "/.local/share/pnpm",
    "/pnpm/",
];

/// Whether a folder comes and goes with a version manager.
pub(super) fn is_unstable(folder: &str) -> bool {
    UNSTABLE.iter().any(|part| folder.contains(part))
}

/// Whether a program is the daemon of this project, by its name on any system.
#[must_use]
pub fn is_daemon(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
    name == "gatewayd" || name.eq_ignore_ascii_case("gatewayd.exe")
}

/// Looks at a service file: `command` as parsed, `text` as it stands in the file, `exists` tells whether a path is
/// there.
#[must_use]
pub fn audit(
    manager: Manager,
    command: Option<&Command>,
    text: &str,
    exists: impl Fn(&Path) -> bool,
) -> Audit {
    let Some(command) = command else { return Audit { ok: true, issues: Vec::new() } };
    let mut issues = of_command(command, exists);
    if manager != Manager::Schtasks {
        issues.extend(of_search_path(command));
    }
    let file = command.source_path.display().to_string();
    issues.extend(match manager {
        Manager::Systemd => of_unit(text, &file),
        Manager::Launchd => of_agent(text, &file),
        Manager::Schtasks => Vec::new(),
    });
    Audit { ok: issues.is_empty(), issues }
}

fn recommended(code: &'static str, message: &'static str, detail: Option<String>) -> Finding {
    Finding { code, message, detail, level: Level::Recommended }
}

fn aggressive(code: &'static str, message: &'static str, detail: Option<String>) -> Finding {
    Finding { code, message, detail, level: Level::Aggressive }
}

fn of_command(command: &Command, exists: impl Fn(&Path) -> bool) -> Vec<Finding> {
    let mut issues = Vec::new();
    let program = command.program_arguments.first();
    let runs_gateway = command.program_arguments.iter().skip(1).any(|word| word == "gateway")
        || program.is_some_and(|program| is_daemon(program));
    if !runs_gateway {
        let message = "Service command does not include the gateway subcommand";
        issues.push(aggressive("gateway-command-missing", message, None));
    }
    if let Some(program) = program.filter(|program| !exists(Path::new(program.as_str()))) {
        let message = "Service program does not exist.";
        issues.push(aggressive("gateway-program-missing", message, Some(program.clone())));
    }
    issues
}

fn of_search_path(command: &Command) -> Option<Finding> {
    match command.environment.get("PATH") {
        None => {
            let message = "Gateway service PATH is not set; the daemon should use a minimal PATH.";
            Some(recommended("gateway-path-missing", message, None))
        }
        Some(path) => {
            let odd: Vec<&str> = path.split(':').filter(|dir| is_unstable(dir)).collect();
            let message = "Gateway service PATH includes version managers or package managers; recommend a minimal PATH.";
            (!odd.is_empty()).then(|| recommended("gateway-path-nonminimal", message, Some(odd.join(", "))))
        }
    }
}

fn of_agent(text: &str, file: &str) -> Vec<Finding> {
    let mut issues = Vec::new();
    if !launchd::starts_by_itself(text) {
        let message = "LaunchAgent is missing RunAtLoad=true";
        issues.push(recommended("launchd-run-at-load", message, Some(file.to_owned())));
    }
    if !launchd::stays(text) {
        let message = "LaunchAgent is missing KeepAlive";
        issues.push(recommended("launchd-keep-alive", message, Some(file.to_owned())));
    }
    issues
}

fn of_unit(text: &str, file: &str) -> Vec<Finding> {
    let mut issues = Vec::new();
    let mut add = |code, message| issues.push(recommended(code, message, Some(file.to_owned())));
    let lines = logical_lines(text);
    let has = |key: &str, value: &str| {
        lines.iter().any(|line| {
            line.split_once('=')
                .is_some_and(|(k, v)| k.trim() == key && v.split_whitespace().any(|word| word == value))
        })
    };
    if !has("After", "network-online.target") {
        let message = "Missing systemd After=network-online.target";
        add("systemd-after-network-online", message);
    }
    if !has("Wants", "network-online.target") {
        let message = "Missing systemd Wants=network-online.target";
        add("systemd-wants-network-online", message);
    }
    if !["5", "5s", "5sec"].iter().any(|value| has("RestartSec", value)) {
        let message = "RestartSec does not match the recommended 5s";
        add("systemd-restart-sec", message);
    }
    if stop_seconds(&lines).is_some_and(|seconds| seconds < limits::STOP.as_secs() + 1) {
        let message = "TimeoutStopSec is not above the time that the gateway takes to stop";
        add("systemd-timeout-stop", message);
    }
    issues
}

/// The unit's stop time, when it is a bare number of seconds, as every gateway writes it.
fn stop_seconds(lines: &[String]) -> Option<u64> {
    let value = lines.iter().rev().find_map(|line| line.strip_prefix("TimeoutStopSec="))?;
    value.trim().trim_end_matches('s').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(arguments: &[&str], path: Option<&str>) -> Command {
        Command {
            program_arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
            environment: path.map(|p| ("PATH".to_owned(), p.to_owned())).into_iter().collect(),
            ..Command::default()
        }
    }

    const GOOD: &str = "After=network-online.target\nWants=network-online.target\nRestartSec=5\n";

    #[test]
    fn a_good_unit_and_no_unit_have_no_findings() {
        assert!(audit(Manager::Systemd, None, "", |_| false).ok);
        let good = command(&["/usr/bin/gatewayd", "gateway", "--port", "18789"], Some("/usr/bin:/bin"));
        assert_eq!(
            audit(Manager::Systemd, Some(&good), GOOD, |_| true),
            Audit { ok: true, issues: Vec::new() }
        );
    }

    #[test]
    fn each_fault_has_its_code() {
        let codes = |command: &Command, text: &str, there: bool| -> Vec<&'static str> {
            audit(Manager::Systemd, Some(command), text, |_| there)
                .issues
                .iter()
                .map(|finding| finding.code)
                .collect()
        };
        assert_eq!(codes(&command(&["/x/other"], Some("/bin")), GOOD, true), ["gateway-command-missing"]);
        assert_eq!(codes(&command(&["/x/gatewayd"], Some("/bin")), GOOD, false), ["gateway-program-missing"]);
        assert_eq!(codes(&command(&["/x/gatewayd"], None), GOOD, true), ["gateway-path-missing"]);
        let nvm = command(&["/x/gatewayd"], Some("/home/you/.nvm/current/bin:/bin"));
        assert_eq!(codes(&nvm, GOOD, true), ["gateway-path-nonminimal"]);
        let hasty = format!("{GOOD}TimeoutStopSec=5\n");
        assert_eq!(codes(&command(&["/x/gatewayd"], Some("/bin")), &hasty, true), ["systemd-timeout-stop"]);
        assert_eq!(
            codes(&command(&["/x/gatewayd"], Some("/bin")), "RestartSec=50\n", true),
            ["systemd-after-network-online", "systemd-wants-network-online", "systemd-restart-sec"]
        );
    }
}
