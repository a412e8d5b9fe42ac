//! One verdict from all facts (rule R26): every state of the machine has exactly one word, one sentence, one exit code
//! and one next step, and "not allowed" never reads as "not there".

use serde::Serialize;

use super::daemon::Asked;
use super::decide::decide;
use super::facts::Facts;
use super::rpc::{Rpc, RpcFailure};
use super::sentence::{fix, of_daemon, summary};
use super::state::State;
use crate::app::App;
use crate::ports::PortStatus;
use crate::service::{Installed, Runtime, RuntimeState};
use crate::ws::TlsProblem;

/// What the facts mean.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The word.
    pub state: State,
    /// The code that the command ends with.
    pub exit_code: u8,
    /// The sentence.
    pub summary: String,
    /// The next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The service.
    pub service: String,
    /// The process.
    pub process: String,
    /// The port.
    pub port: String,
    /// Whether the control plane speaks our protocol.
    pub protocol: String,
    /// Whether we were let in.
    pub authentication: String,
    /// Whether we may ask.
    pub scope: String,
    /// Whether it serves clients.
    pub readiness: String,
    /// The configuration.
    pub config: String,
    /// The last error.
    pub last_error: String,
}

impl Verdict {
    /// The separate lines, with their names.
    pub fn lines(&self) -> [(&'static str, &str); 9] {
        [
            ("service", &self.service),
            ("process", &self.process),
            ("port", &self.port),
            ("protocol", &self.protocol),
            ("authentication", &self.authentication),
            ("scope", &self.scope),
            ("readiness", &self.readiness),
            ("config", &self.config),
            ("last error", &self.last_error),
        ]
    }
}

/// Judges the facts.
pub fn judge(facts: &Facts<'_>, app: &App) -> Verdict {
    let state = decide(facts);
    Verdict {
        state,
        exit_code: state.exit().code(),
        summary: summary(state, facts),
        fix: fix(state, facts, app),
        service: service(facts),
        process: process(facts),
        port: port(facts),
        protocol: of_rpc(facts.rpc, "ok", |failure| match failure {
            RpcFailure::Refused
            | RpcFailure::Unpaired
            | RpcFailure::Clock
            | RpcFailure::Scope
            | RpcFailure::Unavailable => Some("ok"),
            RpcFailure::NobodyThere => Some("nobody listens"),
            RpcFailure::Protocol | RpcFailure::NotAGateway | RpcFailure::Tls(_) | RpcFailure::OwnKey => None,
            _ => Some("not reached"),
        }),
        authentication: of_rpc(facts.rpc, &let_in(facts.rpc), |failure| match failure {
            RpcFailure::Scope => Some("ok"),
            RpcFailure::Refused | RpcFailure::Unpaired | RpcFailure::Clock => None,
            RpcFailure::Tls(TlsProblem::OtherCertificate | TlsProblem::Untrusted) => {
                Some("not tried: the certificate is not trusted")
            }
            _ => Some("not reached"),
        }),
        scope: of_rpc(facts.rpc, "ok", |failure| match failure {
            RpcFailure::Scope => None,
            _ => Some("not reached"),
        }),
        readiness: readiness(facts),
        config: config(facts),
        last_error: facts.last_error.unwrap_or("none").to_owned(),
    }
}

fn service(facts: &Facts<'_>) -> String {
    let service = facts.service;
    if matches!(facts.asked, Asked::Elsewhere) {
        return "not asked".to_owned();
    }
    match (&service.command, service.installed) {
        (None, Installed::No) => "not installed".to_owned(),
        _ => format!("{}, {}", service.installed_word(), runtime_words(&service.runtime)),
    }
}

fn runtime_words(runtime: &Runtime) -> String {
    let exit = runtime.ending().map(|how| format!(" ({how})")).unwrap_or_default();
    match (runtime.status, runtime.state.as_deref()) {
        (RuntimeState::Unknown, _) => "could not be asked".to_owned(),
        (RuntimeState::Running, _) => match runtime.pid {
            Some(pid) => format!("running (pid {pid})"),
            None => "running".to_owned(),
        },
        (_, Some("activating")) if runtime.sub_state.as_deref() == Some("auto-restart") => {
            format!("waiting to start again{exit}")
        }
        (_, Some("activating")) => "starting".to_owned(),
        (_, Some("deactivating")) => "stopping".to_owned(),
        _ if runtime.is_given_up() => {
            format!("failed too often{exit}")
        }
        (_, Some("failed")) => format!("failed{exit}"),
        _ => "stopped".to_owned(),
    }
}

fn process(facts: &Facts<'_>) -> String {
    match facts.asked {
        Asked::Answered(daemon) if facts.is_outside_service(daemon.pid) => {
            format!("{}, not the service's", of_daemon(daemon))
        }
        Asked::Answered(daemon) => of_daemon(daemon),
        Asked::Refused(why) => why.clone(),
        Asked::Silent(why) => match facts.lock {
            Some(lock) => format!("pid {} does not answer ({why})", lock.pid),
            None => format!("does not answer ({why})"),
        },
        Asked::Elsewhere => "not asked".to_owned(),
        Asked::NotRunning => match facts.lock {
            Some(lock) if lock.stopping => format!("pid {} is ending", lock.pid),
            Some(lock) => format!("pid {} holds the lock and has no private socket", lock.pid),
            None => "none".to_owned(),
        },
    }
}

fn port(facts: &Facts<'_>) -> String {
    let port = facts.port;
    if matches!(facts.asked, Asked::Elsewhere) {
        return "not asked".to_owned();
    }
    let own = facts.daemon().map(|daemon| daemon.pid);
    let other = port.listeners.iter().find(|listener| Some(listener.pid) != own);
    match other {
        Some(keeper) if keeper.keeps => format!("{} kept by {}", port.port, keeper.command),
        Some(other) => format!("{} busy, {} (pid {})", port.port, other.command, other.pid),
        None if port.status == PortStatus::Busy && port.listeners.is_empty() => {
            format!("{} busy, by whom cannot be seen", port.port)
        }
        None => format!("{} {}", port.port, port.status.word()),
    }
}

fn readiness(facts: &Facts<'_>) -> String {
    match facts.daemon() {
        Some(daemon) if daemon.phase == "serving" => "ready".to_owned(),
        Some(daemon) => format!("not ready ({})", daemon.phase),
        None if facts.is_proved() => "ready".to_owned(),
        None if matches!(facts.asked, Asked::Elsewhere) && facts.rpc.is_some() => "not known".to_owned(),
        None if facts.failure().is_some_and(RpcFailure::is_an_answer) => "not known".to_owned(),
        None if facts.rpc.is_none() && decide(facts) == State::Unproven => "not asked".to_owned(),
        None => "not ready".to_owned(),
    }
}

fn config(facts: &Facts<'_>) -> String {
    let view = &facts.config.daemon;
    if matches!(facts.asked, Asked::Elsewhere) {
        return "not asked".to_owned();
    }
    if facts.config.on_trial && facts.daemon().is_none() {
        return "on trial; a start takes the change back".to_owned();
    }
    if let Some(trial) = facts.daemon().and_then(|daemon| daemon.trial.as_ref()) {
        let left = trial.left_ms.div_ceil(1000);
        return format!("on trial ({}), {left} s are left", trial.changed.join(", "));
    }
    if facts.daemon().is_some_and(|daemon| !daemon.config_degraded.is_empty()) {
        return "broken; the last good copy is in force".to_owned();
    }
    if facts.config.mismatch {
        return "this shell and the service use different files".to_owned();
    }
    match view.issues.first() {
        Some(issue) if !view.valid => format!("broken: {issue}"),
        _ if !view.valid => "broken".to_owned(),
        _ if !view.exists => "no file".to_owned(),
        _ => "ok".to_owned(),
    }
}

/// With what we were let in.
fn let_in(rpc: Option<&Rpc>) -> String {
    match rpc.map(|rpc| rpc.secret) {
        None | Some("none" | "") => "ok (this device)".to_owned(),
        Some(secret) => format!("ok ({secret})"),
    }
}

/// A line on the control plane: `good`, what `known` says about the failure, or the error itself.
fn of_rpc(rpc: Option<&Rpc>, good: &str, known: impl Fn(RpcFailure) -> Option<&'static str>) -> String {
    match rpc {
        None => "not asked".to_owned(),
        Some(rpc) if rpc.ok => good.to_owned(),
        Some(rpc) => match rpc.failure.and_then(known) {
            Some(word) => word.to_owned(),
            None => rpc.error.clone().unwrap_or_else(|| "failed".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests;
