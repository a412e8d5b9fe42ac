//! The typed status of a service, the same for every manager.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::limits;
use gateway_base::paths::Paths;
use gateway_base::printable::printable;
use serde::Serialize;

use super::scope::Scope;

/// The service managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Linux.
    Systemd,
    /// macOS.
    Launchd,
    /// Windows.
    Schtasks,
}

impl Manager {
    /// The one of this system.
    #[must_use]
    pub const fn native() -> Self {
        if cfg!(target_os = "macos") {
            Self::Launchd
        } else if cfg!(windows) {
            Self::Schtasks
        } else {
            Self::Systemd
        }
    }

    /// Its label, its word for a registered service, and the one for a service that is not.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Systemd => ("systemd", "enabled", "disabled"),
            Self::Launchd => ("LaunchAgent", "loaded", "not loaded"),
            Self::Schtasks => ("Scheduled Task", "registered", "missing"),
        }
    }

    /// What it calls one of its services.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Systemd => "systemd service",
            Self::Launchd => "LaunchAgent",
            Self::Schtasks => "Scheduled Task",
        }
    }
}

/// What is known about the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Who manages it.
    pub manager: Manager,
    /// Whose it is.
    pub scope: Scope,
    /// Whether it is registered to start by itself.
    pub installed: Installed,
    /// What it runs, from its file.
    pub command: Option<Command>,
    /// How it is.
    pub runtime: Runtime,
}

/// Whether a service is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// There is a file, and the manager could not be asked.
    Unknown,
}

/// What a service runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// The program and its arguments.
    pub program_arguments: Vec<String>,
    /// Where it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// The variables its file sets. Whoever prints them filters them first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The file.
    pub source_path: PathBuf,
    /// The user that its file names.
    #[serde(skip)]
    pub user: Option<String>,
}

impl Command {
    /// The port among its arguments, or in its environment.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        let words = &self.program_arguments;
        let glued = words.iter().find_map(|word| word.strip_prefix("--port="));
        let next = || words.iter().skip_while(|word| *word != "--port").nth(1).map(String::as_str);
        let set = || self.environment.get("CLAWDBOT_GATEWAY_PORT").map(String::as_str);
        glued.or_else(next).or_else(set).and_then(|port| port.parse().ok()).filter(|port| *port != 0)
    }

    /// `command` as the user it runs as would type it, if its file names one.
    #[must_use]
    pub fn as_its_user(&self, command: &str) -> String {
        match &self.user {
            Some(user) => format!("sudo -u {} {command}", printable(user, 64)),
            None => command.to_owned(),
        }
    }

    /// The environment and the paths that it runs with: this shell's, overlaid with what its file sets.
    #[must_use]
    pub fn place(&self, env: &Env, paths: &Paths) -> (Env, Paths) {
        let mut env = env.clone();
        for (name, value) in &self.environment {
            env.set(name, value.clone());
        }
        let paths = Paths::resolve(&env, None).unwrap_or_else(|_| paths.clone());
        (env, paths)
    }
}

/// How a service is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Runtime {
    /// The one word.
    pub status: RuntimeState,
    /// The manager's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The manager's finer word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_state: Option<String>,
    /// The main process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// How the last run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_exit_status: Option<i32>,
    /// Why the last run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_exit_reason: Option<String>,
    /// Why nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The manager does not know the service.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missing_unit: bool,
    /// The manager's word for how the last run ended.
    #[serde(skip)]
    pub result: Option<String>,
    /// How often the manager started it again by itself.
    #[serde(skip)]
    pub restarts: u32,
    /// When it last became ready, since the start of the machine.
    #[serde(skip)]
    pub ready_at: Option<Duration>,
    /// The last main process, running or not.
    #[serde(skip)]
    pub last_pid: Option<u32>,
    /// The manager is still doing something with it.
    #[serde(skip)]
    pub busy: bool,
}

/// Running, stopped, or not known because the manager could not be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RuntimeState {
    /// A process of it runs.
    Running,
    /// None does.
    Stopped,
    /// The manager could not be asked.
    #[default]
    Unknown,
}

impl RuntimeState {
    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }
}

impl Runtime {
    /// Whether nothing of it runs and nothing is about to.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let between = matches!(self.state.as_deref(), Some("activating" | "deactivating" | "reloading"));
        self.status == RuntimeState::Stopped && !between && !self.busy && self.pid.is_none()
    }

    /// How its last run ended, in a few words.
    #[must_use]
    pub fn ending(&self) -> Option<String> {
        let status = self.last_exit_status?;
        Some(match self.result.as_deref() {
            Some("watchdog") => "it froze".to_owned(),
            Some("timeout") => "it took too long".to_owned(),
            Some("oom-kill") => "no memory was left".to_owned(),
            Some("signal" | "core-dump") => format!("signal {status}"),
            _ => format!("exit code {status}"),
        })
    }

    /// Whether the manager gave up starting it again. A service that ends with one of the codes of no return is not
    /// given up: it is not tried again on purpose.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        let of_no_return = self.last_exit_status.is_some_and(|status| {
            [limits::EXIT_TAKEN, limits::EXIT_REFUSED].map(i32::from).contains(&status)
        });
        let hit = self.result.as_deref() == Some("start-limit-hit");
        hit || (self.state.as_deref() == Some("failed") && self.restarts > 0 && !of_no_return)
    }

    /// The state when the manager could not be asked.
    #[must_use]
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::default() }
    }
}

impl Service {
    /// How it is, in the word that the tutorial has for this manager.
    #[must_use]
    pub fn runtime_word(&self) -> &str {
        match (self.manager, self.runtime.status) {
            (Manager::Systemd, _) => self.runtime.state.as_deref().unwrap_or("unknown"),
            (Manager::Launchd, RuntimeState::Running) => "active",
            (Manager::Launchd, RuntimeState::Stopped) => "inactive",
            (Manager::Schtasks | Manager::Launchd, status) => status.word(),
        }
    }

    /// The word after the label: `enabled`, `disabled` or `unknown`.
    #[must_use]
    pub const fn installed_word(&self) -> &'static str {
        let (_, yes, no) = self.manager.words();
        match self.installed {
            Installed::Yes => yes,
            Installed::No => no,
            Installed::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_is_not_tried_any_more_is_given_up_or_not_worth_it() {
        let runtime = |result: &str, restarts, status| Runtime {
            state: Some("failed".to_owned()),
            result: Some(result.to_owned()),
            last_exit_status: Some(status),
            restarts,
            ..Runtime::default()
        };
        assert!(runtime("start-limit-hit", 0, 1).is_given_up());
        assert!(runtime("exit-code", 4, 1).is_given_up() && runtime("signal", 4, 9).is_given_up());
        assert!(!runtime("exit-code", 0, 1).is_given_up(), "it was not tried again even once");
        assert!(!runtime("exit-code", 4, 78).is_given_up() && !runtime("exit-code", 4, 69).is_given_up());
        assert_eq!(runtime("signal", 0, 9).ending().as_deref(), Some("signal 9"));
        assert_eq!(runtime("exit-code", 0, 78).ending().as_deref(), Some("exit code 78"));
    }

    #[test]
    fn ports_are_read_from_arguments_and_environment() {
        let port = |line: &str, set: Option<&str>| {
            let environment = set.map(|port| ("CLAWDBOT_GATEWAY_PORT".to_owned(), port.to_owned()));
            let command = Command {
                program_arguments: line.split(' ').map(str::to_owned).collect(),
                environment: environment.into_iter().collect(),
                ..Command::default()
            };
            command.port()
        };
        assert_eq!(port("gatewayd gateway --port 18800", Some("1")), Some(18800));
        assert_eq!(port("gatewayd --port=19001 --x", None), Some(19001));
        assert_eq!(port("gatewayd", Some("19001")), Some(19001));
        for none in ["gatewayd gateway", "gatewayd --port", "gatewayd --port x", "gatewayd --port 0"] {
            assert_eq!(port(none, None), None, "{none}");
        }
    }
}
