//! From the facts to the one word. Every path is a list of questions in the order of what matters most: who is there,
//! did it let us in, does it serve, and only then what is odd about it.

use super::daemon::{Asked, Daemon};
use super::facts::Facts;
use super::rpc::RpcFailure;
use super::state::State;
use crate::ports::PortStatus;
use crate::service::{Installed, RuntimeState};
use crate::ws::TlsProblem;

/// The word for these facts.
pub fn decide(facts: &Facts<'_>) -> State {
    match facts.asked {
        Asked::Elsewhere => elsewhere(facts),
        Asked::Answered(daemon) => answered(facts, daemon),
        Asked::Refused(_) => State::OtherUser,
        Asked::Silent(_) => silent(facts),
        Asked::NotRunning => absent(facts),
    }
}

/// A gateway that is known by its address only.
fn elsewhere(facts: &Facts<'_>) -> State {
    match facts.failure() {
        Some(failure) => spoken(failure).unwrap_or(match failure {
            RpcFailure::BadAddress => State::BadAddress,
            RpcFailure::UnknownHost => State::UnknownHost,
            RpcFailure::NobodyThere => State::NobodyThere,
            RpcFailure::NoAnswer => State::NoAnswer,
            _ => State::Unreachable,
        }),
        None if facts.is_proved() => State::Running,
        None => State::Unproven,
    }
}

/// What it means that whoever is there spoke to us, if that is what happened.
const fn spoken(failure: RpcFailure) -> Option<State> {
    Some(match failure {
        RpcFailure::OwnKey => State::NoIdentity,
        RpcFailure::Refused => State::Refused,
        RpcFailure::Unpaired => State::PairingRequired,
        RpcFailure::Clock => State::ClockSkew,
        RpcFailure::Scope => State::NotAllowed,
        RpcFailure::Protocol => State::ProtocolMismatch,
        RpcFailure::Unavailable => State::Unavailable,
        RpcFailure::NotAGateway => State::NotAGateway,
        RpcFailure::Tls(TlsProblem::Expected) => State::TlsExpected,
        RpcFailure::Tls(TlsProblem::NotSpoken) => State::TlsNotSpoken,
        RpcFailure::Tls(TlsProblem::OtherCertificate) => State::CertificateMismatch,
        RpcFailure::Tls(TlsProblem::Untrusted) => State::CertificateUntrusted,
        RpcFailure::Tls(TlsProblem::Other) => State::TlsFailed,
        RpcFailure::BadAddress
        | RpcFailure::UnknownHost
        | RpcFailure::Unreachable
        | RpcFailure::NobodyThere
        | RpcFailure::NoAnswer => return None,
    })
}

/// The daemon of this machine told us about itself.
fn answered(facts: &Facts<'_>, daemon: &Daemon) -> State {
    match daemon.phase {
        "starting" => return State::Starting,
        "draining" | "stopping" => return State::Stopping,
        _ => {}
    }
    match facts.failure() {
        // A disk that takes no writes turns new devices away, and keeps us from making our own key.
        None | Some(RpcFailure::Unavailable | RpcFailure::OwnKey) if daemon.store_is_troubled() => {
            State::StoreDegraded
        }
        None => serving(facts, daemon),
        Some(failure) => spoken(failure).unwrap_or(State::ControlPlaneSilent),
    }
}

fn serving(facts: &Facts<'_>, daemon: &Daemon) -> State {
    if !daemon.config_degraded.is_empty() {
        State::LastGoodConfig
    } else if daemon.health == "failed" {
        State::Unhealthy
    } else if daemon.parts.iter().any(|part| matches!(part.state, "failed" | "degraded")) {
        State::Degraded
    } else if daemon.trial.is_some() {
        State::OnTrial
    } else if daemon.is_other_version() {
        State::OtherVersion
    } else if daemon.replaced {
        State::Replaced
    } else if facts.is_outside_service(daemon.pid) {
        State::OutsideService
    } else if facts.second_gateway(daemon.pid).is_some() {
        State::TwoGateways
    } else {
        State::Running
    }
}

/// The private socket accepts, and nothing comes back.
fn silent(facts: &Facts<'_>) -> State {
    if facts.is_proved() {
        return State::Degraded;
    }
    match facts.lock {
        Some(lock) if lock.stopping => State::Stopping,
        Some(lock) if lock.young => State::Starting,
        _ if is_activating(facts) => State::Starting,
        _ => State::Wedged,
    }
}

/// Nobody is on the private socket: it may be a gateway without one, somebody else, or nobody.
fn absent(facts: &Facts<'_>) -> State {
    let is_ours = facts.is_ours.unwrap_or_else(|| facts.holder_has_port());
    if facts.is_proved() {
        return if is_ours { State::Running } else { State::OtherGateway };
    }
    if let Some(failure) = facts.failure().filter(|failure| failure.is_an_answer()) {
        let spoken = spoken(failure).unwrap_or(State::Unproven);
        return if is_ours { spoken } else { State::OtherGateway };
    }
    match facts.lock {
        Some(lock) if lock.stopping => return State::Stopping,
        Some(_) if !facts.holder_has_port() => return State::LockHeld,
        Some(_) => return if facts.was_asked() { State::Wedged } else { State::Unproven },
        None => {}
    }
    if facts.port.status == PortStatus::Busy && !is_kept(facts) {
        let is_known = !facts.port.listeners.is_empty();
        return match facts.gateway_on_port() {
            Some(_) if !facts.was_asked() => State::Unproven,
            Some(_) => State::OtherGateway,
            None if is_known || facts.was_asked() => State::PortTaken,
            None => State::Unproven,
        };
    }
    nobody(facts)
}

/// Whether nobody has the port but the service manager, which keeps it for a service that is on its way.
fn is_kept(facts: &Facts<'_>) -> bool {
    let is_on_its_way = matches!(facts.service.runtime.state.as_deref(), Some("activating" | "deactivating"));
    let holders = &facts.port.listeners;
    is_on_its_way && !holders.is_empty() && holders.iter().all(|holder| holder.keeps)
}

/// Nothing is there. The configuration and the service tell why.
fn nobody(facts: &Facts<'_>) -> State {
    let runtime = &facts.service.runtime;
    let has_service = facts.service.command.is_some() && !matches!(facts.service.installed, Installed::No);
    if !facts.config.daemon.valid {
        return State::ConfigBroken;
    }
    if facts.service.command.is_some() && !facts.has_program {
        return State::ProgramMissing;
    }
    match runtime.status {
        RuntimeState::Running => State::NotListening,
        _ if runtime.sub_state.as_deref() == Some("auto-restart") => State::Restarting,
        _ if is_activating(facts) => State::Starting,
        _ if runtime.state.as_deref() == Some("deactivating") => State::Stopping,
        RuntimeState::Stopped if facts.service.command.is_some() => {
            if runtime.is_given_up() {
                State::Latched
            } else if has_failed(facts) {
                State::Failed
            } else {
                State::Stopped
            }
        }
        RuntimeState::Unknown if has_service => State::NotRunning,
        _ => State::NotInstalled,
    }
}

fn is_activating(facts: &Facts<'_>) -> bool {
    facts.service.runtime.state.as_deref() == Some("activating")
}

fn has_failed(facts: &Facts<'_>) -> bool {
    let runtime = &facts.service.runtime;
    match runtime.state.as_deref() {
        Some("failed") => true,
        // The end of a service that was stopped on purpose.
        Some("inactive") => false,
        _ => runtime.last_exit_status.is_some_and(|status| status != 0),
    }
}
