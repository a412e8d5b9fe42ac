//! A timer and the service that it starts: the texts of both, and the steps. The timer does not name the gateway's unit:
//! it must go on when that one is stopped, failed or not there.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::manager::Manager;
use super::render::{Dollar, Error, command, plain, section, set, user_name, word};
use crate::service::names::Names;
use crate::service::scope::Scope;
use crate::service::spec::Spec;
use crate::service::step::{Form, Step};

const HEAD: &str = "# Written by gatewayctl. `gatewayctl watch install` writes it again.\n";

/// The exit codes of a look that found something; the look itself went well.
const FOUND: &str = "1 3 4";

/// The text of the service for one look. `limit` is how long that may take, `input` a file that the manager opens for
/// it, which need not be readable for its user.
pub fn service(spec: &Spec, limit: Duration, input: Option<&Path>) -> Result<String, Error> {
    let mut text = String::from(HEAD);
    head(&mut text, spec)?;
    section(&mut text, "Service");
    set(&mut text, "Type", "oneshot");
    set(&mut text, "ExecStart", &command(spec)?);
    if let Some(user) = &spec.user {
        set(&mut text, "User", user_name(user)?);
    }
    if let Some(path) = input {
        let path = plain("the path of the settings", &path.display().to_string())?;
        set(&mut text, "StandardInput", &format!("file:{path}"));
    }
    set(&mut text, "SuccessExitStatus", FOUND);
    set(&mut text, "TimeoutStartSec", &limit.as_secs().to_string());
    set(&mut text, "UMask", "0077");
    // A dump of the memory would hold secrets.
    set(&mut text, "LimitCORE", "0");
    for (name, value) in &spec.environment {
        let assignment = format!("{name}={value}");
        set(&mut text, "Environment", &word(name, &assignment, Dollar::Plain)?);
    }
    Ok(text)
}

/// The text of the timer. The pause is counted from the end of a look, so two never meet.
pub fn timer(spec: &Spec, every: Duration) -> Result<String, Error> {
    let mut text = String::from(HEAD);
    head(&mut text, spec)?;
    section(&mut text, "Timer");
    set(&mut text, "OnActiveSec", "1s");
    set(&mut text, "OnUnitInactiveSec", &format!("{}ms", every.as_millis()));
    set(&mut text, "AccuracySec", "1s");
    section(&mut text, "Install");
    set(&mut text, "WantedBy", "timers.target");
    Ok(text)
}

fn head(text: &mut String, spec: &Spec) -> Result<(), Error> {
    // Writing to a string does not fail.
    let _ = writeln!(text, "[Unit]\nDescription={}", plain("the description", &spec.description)?);
    Ok(())
}

/// Writes both, makes the timer start by itself, and starts it as it is now written.
#[must_use]
pub fn install(manager: &Manager, names: &Names, service: String, timer: String) -> Vec<Step> {
    let form = if manager.scope == Scope::System { Form::Public } else { Form::Private };
    let [service_file, timer_file] = files(manager, names);
    vec![
        Step::Write { path: service_file, text: service, form },
        Step::Write { path: timer_file, text: timer, form },
        Step::Run(manager.systemctl(["daemon-reload"])),
        Step::Run(manager.systemctl(["enable", "--quiet", &names.unit])),
        Step::Run(manager.systemctl(["restart", &names.unit])),
    ]
}

/// Ends the timer and a look that is under way, and forgets both.
#[must_use]
pub fn remove(manager: &Manager, names: &Names) -> Vec<Step> {
    let service = service_name(names);
    let mut steps = vec![
        Step::Try(manager.systemctl(["disable", "--now", "--quiet", &names.unit])),
        Step::Try(manager.systemctl(["stop", &service])),
    ];
    steps.extend(files(manager, names).map(Step::Remove));
    steps.push(Step::Run(manager.systemctl(["daemon-reload"])));
    steps.push(Step::Try(manager.systemctl(["reset-failed", &names.unit, &service])));
    steps
}

/// The files of the service and of the timer.
#[must_use]
pub fn files(manager: &Manager, names: &Names) -> [PathBuf; 2] {
    let timer = names.unit_path(manager.scope);
    [timer.with_extension("service"), timer]
}

fn service_name(names: &Names) -> String {
    format!("{}.service", names.unit.trim_end_matches(".timer"))
}
