//! What is asked of launchd, and the steps of every action. `bootout` returns when launchd has accepted it, not when
//! the job is gone, and a `bootstrap` that comes too early fails and leaves nothing behind; so the end of the old job
//! is waited for, and the new one is loaded until it is there (rule R12).

use std::path::Path;

use super::manager::Manager;
use super::parse;
use crate::service::names::Names;
use crate::service::runner::{Call, RunError, Runner};
use crate::service::scope::Scope;
use crate::service::status::{Installed, Manager as Kind, Runtime, RuntimeState, Service};
use crate::service::step::{self, Form, Sign, Step};

/// What `bootstrap` says while launchd is still busy with the job before, or with somebody else's request.
const BUSY: &[&str] = &[
    "5: input/output error",
    "17: file exists",
    "36: operation now in progress",
    "37: operation already in progress",
    "service already loaded",
    "service already bootstrapped",
];

/// What is known about the agent.
pub async fn query(manager: &Manager, names: &Names, runner: &impl Runner) -> Service {
    let path = &names.agent_file;
    let command = step::read(path).map(|text| parse::agent(&text, path));
    let (installed, runtime) = match runner.run(&manager.print(names)).await {
        Ok(ran) if ran.success => match parse::print(&ran.stdout) {
            // A text that cannot be read tells nothing.
            runtime if runtime.status == RuntimeState::Unknown => (Installed::Unknown, runtime),
            runtime => (Installed::Yes, runtime),
        },
        Ok(ran) if ran.says(parse::NOT_LOADED) => {
            let runtime = Runtime { status: RuntimeState::Stopped, missing_unit: true, ..Runtime::default() };
            (Installed::No, runtime)
        }
        other => {
            let detail = match other {
                Ok(ran) => format!("launchctl unavailable: {}", ran.said()),
                Err(RunError::Missing(_)) => {
                    "launchctl not available; LaunchAgents are required on macOS.".to_owned()
                }
                Err(error) => format!("launchctl unavailable: {error}"),
            };
            let installed = if command.is_some() { Installed::Unknown } else { Installed::No };
            (installed, Runtime::unknown(detail))
        }
    };
    Service { manager: Kind::Launchd, scope: Scope::User, installed, command, runtime }
}

/// Writes the property list and loads it anew. `errors` is the file for what the daemon says on standard error.
#[must_use]
pub fn install(manager: &Manager, names: &Names, text: String, errors: &Path) -> Vec<Step> {
    let mut steps: Vec<Step> =
        errors.parent().map(|folder| Step::Folder(folder.to_path_buf())).into_iter().collect();
    steps.push(Step::Write { path: names.agent_file.clone(), text, form: Form::Private });
    steps.extend(unload(manager, names));
    steps.extend(load(manager, names));
    steps
}

/// Starts the agent, whatever held it back. One that runs is left alone: launchd would call that an error.
#[must_use]
pub fn start(manager: &Manager, names: &Names, before: &Service) -> Vec<Step> {
    match (before.installed, before.runtime.status) {
        (Installed::Yes, RuntimeState::Running) => Vec::new(),
        (Installed::Yes, _) => {
            vec![Step::Run(Call::new("launchctl", ["kickstart", &manager.target(names)]))]
        }
        _ => load(manager, names),
    }
}

/// Starts the agent anew, in one call if it is loaded.
#[must_use]
pub fn restart(manager: &Manager, names: &Names, before: &Service) -> Vec<Step> {
    if before.installed == Installed::Yes {
        vec![Step::Run(Call::new("launchctl", ["kickstart", "-k", &manager.target(names)]))]
    } else {
        load(manager, names)
    }
}

/// Stops the agent. Its property list stays, and brings it back at the next login.
#[must_use]
pub fn stop(manager: &Manager, names: &Names) -> Vec<Step> {
    unload(manager, names)
}

/// Forgets an agent that has been stopped.
#[must_use]
pub fn remove(names: &Names) -> Vec<Step> {
    vec![Step::Remove(names.agent_file.clone())]
}

/// The failure of a `bootout` is no answer: it is given for a job that is gone, and for one that takes its time.
pub(super) fn unload(manager: &Manager, names: &Names) -> Vec<Step> {
    vec![
        Step::Try(Call::new("launchctl", ["bootout", &manager.target(names)]).within(step::END)),
        Step::Gone { call: manager.print(names), sign: Sign::Fails(parse::NOT_LOADED) },
    ]
}

/// An agent that was disabled is refused with the same words as one that is still there, so it is enabled first.
pub(super) fn load(manager: &Manager, names: &Names) -> Vec<Step> {
    let (domain, target) = (manager.domain(), manager.target(names));
    let file = names.agent_file.display().to_string();
    vec![
        Step::Run(Call::new("launchctl", ["enable", &target])),
        Step::Persist {
            call: Call::new("launchctl", ["bootstrap", &domain, &file]),
            words: BUSY,
            done: manager.print(names),
        },
        // It starts when it is loaded; a list of another program may not say so.
        Step::Try(Call::new("launchctl", ["kickstart", &target])),
    ]
}
