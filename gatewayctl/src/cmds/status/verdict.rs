//! One verdict from all facts (rule R26): every state of the machine has exactly one word, and "not allowed" never
//! reads as "not there".

use serde::Serialize;

use super::daemon::{Asked, Daemon};
use super::rpc::{Rpc, RpcFailure};
use crate::exit::Exit;
use crate::ports::{PortReport, PortStatus};
use crate::service::{Runtime, RuntimeState};

/// What the facts mean.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The word.
    pub state: State,
    /// The sentence.
    pub summary: String,
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
}

/// The word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Everything works.
    Running,
    /// It works, with something missing.
    Degraded,
    /// It is coming up.
    Starting,
    /// It is going down.
    Stopping,
    /// It is there and did not let us in.
    Refused,
    /// It let us in and does not let us ask.
    NotAllowed,
    /// The process is there, the control plane does not answer.
    ControlPlaneSilent,
    /// Another program has the port.
    PortTaken,
    /// Something listens, and it was not asked what it is.
    Unproven,
    /// The service runs, and nothing listens.
    NotListening,
    /// A gateway elsewhere does not answer.
    Unreachable,
    /// There is none.
    NotRunning,
}

/// The facts.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The word for whether the service is registered, and its runtime.
    pub service: (&'a str, &'a Runtime),
    /// What the private socket gave.
    pub asked: &'a Asked,
    /// The port.
    pub port: &'a PortReport,
    /// The control plane, when it was asked.
    pub rpc: Option<&'a Rpc>,
}

impl State {
    /// The exit code under `--require-rpc`.
    pub const fn exit(self) -> Exit {
        match self {
            Self::Running | Self::Degraded => Exit::Ok,
            Self::Refused | Self::NotAllowed => Exit::Refused,
            Self::NotRunning | Self::NotListening | Self::PortTaken => Exit::NotRunning,
            _ => Exit::Failed,
        }
    }
}

/// Judges the facts.
pub fn judge(facts: Facts<'_>) -> Verdict {
    let state = state(facts);
    let daemon = answered(facts.asked);
    let (installed, runtime) = facts.service;
    Verdict {
        state,
        summary: summary(state, facts),
        service: format!("{installed}, {}", runtime.status.word()),
        process: match (facts.asked, daemon) {
            (_, Some(daemon)) => format!("pid {}, {}", daemon.pid, daemon.phase),
            (Asked::NotRunning, _) => "no gateway answers on the private socket".to_owned(),
            (Asked::Refused(why) | Asked::Silent(why), _) => why.clone(),
            _ => "not asked".to_owned(),
        },
        port: match facts.asked {
            Asked::Elsewhere => "not asked".to_owned(),
            _ => format!("{} {}", facts.port.port, facts.port.status.word()),
        },
        protocol: of_rpc(facts.rpc, "ok", |failure| match failure {
            RpcFailure::Refused | RpcFailure::Scope => Some("ok"),
            RpcFailure::NobodyThere => Some("nobody listens"),
            RpcFailure::Other => None,
        }),
        authentication: of_rpc(facts.rpc, &let_in(facts.rpc), |failure| match failure {
            RpcFailure::Scope => Some("ok"),
            RpcFailure::Refused => None,
            _ => Some("not reached"),
        }),
        scope: of_rpc(facts.rpc, "ok", |failure| match failure {
            RpcFailure::Scope => None,
            _ => Some("not reached"),
        }),
        readiness: match daemon {
            Some(daemon) if daemon.phase == "serving" => "ready".to_owned(),
            Some(daemon) => format!("not ready ({})", daemon.phase),
            None if facts.rpc.is_some_and(|rpc| rpc.ok) => "ready".to_owned(),
            None => "not ready".to_owned(),
        },
    }
}

/// With what we were let in.
fn let_in(rpc: Option<&Rpc>) -> String {
    match rpc.map(|rpc| rpc.secret) {
        None | Some("none") => "ok (this device)".to_owned(),
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

fn state(facts: Facts<'_>) -> State {
    let daemon = answered(facts.asked);
    match daemon.map(|daemon| daemon.phase) {
        Some("starting") => return State::Starting,
        Some("draining" | "stopping") => return State::Stopping,
        _ => {}
    }
    if let Some(rpc) = facts.rpc {
        match rpc.failure {
            None if rpc.ok => return if is_degraded(daemon) { State::Degraded } else { State::Running },
            Some(RpcFailure::Refused) => return State::Refused,
            Some(RpcFailure::Scope) => return State::NotAllowed,
            _ if daemon.is_some() => return State::ControlPlaneSilent,
            _ if matches!(facts.asked, Asked::Elsewhere) => return State::Unreachable,
            _ => {}
        }
    }
    match facts.asked {
        Asked::Answered(_) => return if is_degraded(daemon) { State::Degraded } else { State::Running },
        Asked::Refused(_) => return State::Refused,
        Asked::Silent(_) => return State::ControlPlaneSilent,
        Asked::Elsewhere => return State::Unproven,
        Asked::NotRunning => {}
    }
    let gateway = facts.port.listeners.iter().any(crate::ports::PortListener::is_gateway);
    match facts.port.status {
        PortStatus::Busy if facts.rpc.is_none() && (gateway || facts.port.listeners.is_empty()) => {
            State::Unproven
        }
        PortStatus::Busy if gateway => State::ControlPlaneSilent,
        PortStatus::Busy => State::PortTaken,
        _ if facts.service.1.status == RuntimeState::Running => State::NotListening,
        _ => State::NotRunning,
    }
}

fn answered(asked: &Asked) -> Option<&Daemon> {
    match asked {
        Asked::Answered(daemon) => Some(daemon),
        _ => None,
    }
}

fn is_degraded(daemon: Option<&Daemon>) -> bool {
    daemon.is_some_and(|daemon| {
        !daemon.config_degraded.is_empty()
            || daemon.parts.iter().any(|part| matches!(part.state, "failed" | "degraded"))
    })
}

fn summary(state: State, facts: Facts<'_>) -> String {
    let port = facts.port.port;
    match state {
        State::Running => "the gateway runs".to_owned(),
        State::Degraded => degraded(facts.asked),
        State::Starting => "the gateway is starting".to_owned(),
        State::Stopping => "the gateway is stopping".to_owned(),
        State::Refused => "a gateway is there and refused us".to_owned(),
        State::NotAllowed => "the gateway let us in, but not ask for its status".to_owned(),
        State::ControlPlaneSilent => {
            "the gateway's process is there, but its control plane does not answer".to_owned()
        }
        State::PortTaken => format!("no gateway runs here, and another program has port {port}"),
        State::Unproven => "something listens there; it was not asked whether it is a gateway".to_owned(),
        State::NotListening => format!("the service runs, but nothing listens on port {port}"),
        State::Unreachable => "the gateway does not answer".to_owned(),
        State::NotRunning => "no gateway runs here".to_owned(),
    }
}

fn degraded(asked: &Asked) -> String {
    let Some(daemon) = answered(asked) else {
        return "the gateway runs, but something is missing".to_owned();
    };
    if !daemon.config_degraded.is_empty() {
        return format!("the gateway runs on its last good configuration: {}", daemon.config_degraded);
    }
    let part = daemon.parts.iter().find(|part| matches!(part.state, "failed" | "degraded"));
    part.map_or_else(
        || "the gateway runs, but something is missing".to_owned(),
        |part| format!("the gateway runs, but its {} is {}: {}", part.name, part.state, part.reason),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::PortListener;

    fn daemon(phase: &'static str) -> Asked {
        Asked::Answered(Box::new(Daemon { pid: 7, phase, ..Daemon::default() }))
    }

    fn port(status: PortStatus, command: Option<&str>) -> PortReport {
        let listener =
            |command: &str| PortListener { command: command.to_owned(), ..PortListener::default() };
        PortReport {
            port: 18789,
            status,
            listeners: command.map(listener).into_iter().collect(),
            hints: Vec::new(),
        }
    }

    fn rpc(failure: Option<RpcFailure>) -> Rpc {
        Rpc {
            ok: failure.is_none(),
            error: failure.map(|_| "the reason".to_owned()),
            url: "ws://x".to_owned(),
            latency_ms: None,
            failure,
            secret: "token",
        }
    }

    fn verdict(asked: &Asked, port: &PortReport, rpc: Option<&Rpc>, service: RuntimeState) -> Verdict {
        let runtime = Runtime { status: service, ..Runtime::default() };
        judge(Facts { service: ("enabled", &runtime), asked, port, rpc })
    }

    #[test]
    fn every_state_of_the_fault_matrix_has_one_word() {
        use PortStatus::{Busy, Free};
        use RpcFailure::{NobodyThere, Other, Refused, Scope};
        let gateway = port(Busy, Some("gatewayd"));
        let stranger = port(Busy, Some("nginx"));
        let free = port(Free, None);
        let (ok, none) = (Some(None), None);
        for (asked, port, probe, service, state) in [
            (daemon("serving"), &gateway, ok, RuntimeState::Running, State::Running),
            (daemon("serving"), &gateway, none, RuntimeState::Unknown, State::Running),
            (daemon("starting"), &free, Some(Some(NobodyThere)), RuntimeState::Running, State::Starting),
            (daemon("draining"), &gateway, ok, RuntimeState::Running, State::Stopping),
            (daemon("serving"), &gateway, Some(Some(Refused)), RuntimeState::Running, State::Refused),
            (daemon("serving"), &gateway, Some(Some(Scope)), RuntimeState::Running, State::NotAllowed),
            (
                daemon("serving"),
                &gateway,
                Some(Some(Other)),
                RuntimeState::Running,
                State::ControlPlaneSilent,
            ),
            (Asked::NotRunning, &free, Some(Some(NobodyThere)), RuntimeState::Stopped, State::NotRunning),
            (Asked::NotRunning, &free, none, RuntimeState::Running, State::NotListening),
            (Asked::NotRunning, &stranger, Some(Some(Other)), RuntimeState::Stopped, State::PortTaken),
            (Asked::NotRunning, &gateway, none, RuntimeState::Unknown, State::Unproven),
            (Asked::NotRunning, &gateway, ok, RuntimeState::Unknown, State::Running),
            (
                Asked::NotRunning,
                &gateway,
                Some(Some(Other)),
                RuntimeState::Unknown,
                State::ControlPlaneSilent,
            ),
            (Asked::Refused("other user".into()), &gateway, none, RuntimeState::Unknown, State::Refused),
            (Asked::Silent("hangs".into()), &gateway, none, RuntimeState::Unknown, State::ControlPlaneSilent),
            (Asked::Elsewhere, &free, Some(Some(Other)), RuntimeState::Unknown, State::Unreachable),
            (Asked::Elsewhere, &free, ok, RuntimeState::Unknown, State::Running),
        ] {
            let rpc = probe.map(rpc);
            let found = verdict(&asked, port, rpc.as_ref(), service);
            assert_eq!(found.state, state, "{asked:?} {:?} {probe:?}", port.status);
        }
    }

    #[test]
    fn not_allowed_is_never_not_there() {
        let refused = rpc(Some(RpcFailure::Refused));
        let found = verdict(
            &daemon("serving"),
            &port(PortStatus::Busy, Some("gatewayd")),
            Some(&refused),
            RuntimeState::Running,
        );
        assert_eq!(found.protocol, "ok");
        assert_eq!(found.authentication, "the reason");
        assert_eq!(found.scope, "not reached");
        assert_eq!(found.state.exit(), Exit::Refused);
        let scope = rpc(Some(RpcFailure::Scope));
        let found = verdict(
            &daemon("serving"),
            &port(PortStatus::Busy, Some("gatewayd")),
            Some(&scope),
            RuntimeState::Running,
        );
        assert_eq!((found.authentication.as_str(), found.scope.as_str()), ("ok", "the reason"));
    }

    #[test]
    fn a_last_good_configuration_is_said() {
        let daemon = Daemon {
            phase: "serving",
            config_degraded: "the file is broken".to_owned(),
            ..Daemon::default()
        };
        let asked = Asked::Answered(Box::new(daemon));
        let found = verdict(&asked, &port(PortStatus::Busy, None), Some(&rpc(None)), RuntimeState::Running);
        assert_eq!(found.state, State::Degraded);
        assert_eq!(found.summary, "the gateway runs on its last good configuration: the file is broken");
        assert_eq!(found.state.exit(), Exit::Ok);
    }
}
