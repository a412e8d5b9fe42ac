//! What each word means in a sentence, and the one next step. The sentence says what is, with the values that matter;
//! the step says what to do about it.

use super::daemon::{Asked, Daemon};
use super::facts::{Facts, Owner};
use super::state::State;
use crate::app::App;
use crate::ports::PortListener;

/// The sentence.
pub fn summary(state: State, facts: &Facts<'_>) -> String {
    let port = facts.port.port;
    match state {
        State::Running => "the gateway runs".to_owned(),
        State::OnTrial => "the gateway runs on a configuration change that waits to be confirmed".to_owned(),
        State::Degraded | State::Unhealthy | State::StoreDegraded => troubled(facts),
        State::OtherVersion => format!(
            "the gateway runs, and is release {}; this program is {}",
            facts.daemon().map(|daemon| daemon.version.as_str()).unwrap_or_default(),
            env!("CARGO_PKG_VERSION")
        ),
        State::Replaced => {
            "the gateway runs, and its program was replaced or removed since it started".to_owned()
        }
        State::OutsideService => "the gateway runs, but not as the installed service".to_owned(),
        State::TwoGateways => two_gateways(facts),
        State::Starting => "the gateway is starting".to_owned(),
        State::Stopping => "the gateway is stopping".to_owned(),
        State::Restarting => format!("the service ended ({}) and is started again soon", last_exit(facts)),
        State::Wedged => "the gateway's process is there and answers nothing".to_owned(),
        State::ControlPlaneSilent => {
            format!("the gateway's process answers, but its control plane on port {port} does not")
        }
        State::NotListening => format!("the service runs, but nothing listens on port {port}"),
        State::LockHeld => {
            let pid = facts.lock.map(|lock| lock.pid).unwrap_or_default();
            format!("no gateway answers here, and pid {pid} holds its lock")
        }
        State::Unproven => "something listens there; it was not asked whether it is a gateway".to_owned(),
        State::NoIdentity => {
            "the control plane was not asked, because this device's own key cannot be had".to_owned()
        }
        State::LastGoodConfig => {
            let why = facts.daemon().map(|daemon| daemon.config_degraded.as_str()).unwrap_or_default();
            format!("the gateway runs on its last good configuration: {why}")
        }
        State::ConfigBroken => "no gateway runs here, and its configuration file is broken".to_owned(),
        State::OtherUser => "a gateway of another user is there".to_owned(),
        _ if matches!(facts.asked, Asked::Elsewhere) => elsewhere(state).to_owned(),
        _ => here(state, facts),
    }
}

/// A gateway that is known by its address, or one here whose control plane answered us.
const fn elsewhere(state: State) -> &'static str {
    match state {
        State::Refused => "a gateway is there and refused the secret we came with",
        State::PairingRequired => "a gateway is there and does not know this device yet",
        State::ClockSkew => "a gateway is there, and its clock and this machine's differ too much",
        State::NotAllowed => "the gateway let us in, but not ask for its status",
        State::ProtocolMismatch => "a gateway is there and speaks another version of the protocol",
        State::Unavailable => "a gateway is there and cannot take us now",
        State::NotAGateway => "something answers there, and it is not a gateway",
        State::TlsExpected => "a server is there that speaks TLS, and it was spoken to in clear",
        State::TlsNotSpoken => "a server is there that does not speak TLS, and it was spoken to with TLS",
        State::CertificateMismatch => "a server is there whose certificate is not the pinned one",
        State::CertificateUntrusted => "a server is there whose certificate nobody known vouches for",
        State::TlsFailed => "a server is there, and TLS with it failed",
        State::NobodyThere => "the machine is there, and nothing listens on that port",
        State::UnknownHost => "the name of the host has no address",
        State::NoAnswer => "something accepts the connection and does not answer",
        State::BadAddress => "the address is not one of a gateway",
        _ => "the address cannot be reached",
    }
}

fn here(state: State, facts: &Facts<'_>) -> String {
    let port = facts.port.port;
    match state {
        State::NotRunning => {
            "no gateway runs here; why its service does not run could not be asked".to_owned()
        }
        State::NotInstalled => "no gateway runs here, and no service is installed".to_owned(),
        State::Stopped => "the service is stopped".to_owned(),
        State::Failed => format!("the service failed ({})", last_exit(facts)),
        State::Latched => {
            format!("the service failed too often ({}) and is not started any more", last_exit(facts))
        }
        State::ProgramMissing => {
            format!("the service cannot start: its program {} is gone", program(facts))
        }
        State::PortTaken => {
            format!("no gateway runs here, and {} has port {port}", who(facts.port.listeners.first()))
        }
        State::OtherGateway => {
            let who = who(facts.gateway_on_port());
            format!("no gateway of this state folder runs, and that of another one, {who}, has port {port}")
        }
        _ => elsewhere(state).to_owned(),
    }
}

fn who(listener: Option<&PortListener>) -> String {
    match listener {
        Some(listener) => format!("{} (pid {})", listener.command, listener.pid),
        None => "another user's process".to_owned(),
    }
}

fn program<'a>(facts: &Facts<'a>) -> &'a str {
    let command = facts.service.command.as_ref();
    command.and_then(|command| command.program_arguments.first()).map(String::as_str).unwrap_or_default()
}

fn last_exit(facts: &Facts<'_>) -> String {
    facts.service.runtime.ending().unwrap_or_else(|| "how is not known".to_owned())
}

fn two_gateways(facts: &Facts<'_>) -> String {
    let second = second(facts);
    let pid = second.as_ref().map(|second| second.pid).unwrap_or_default();
    let port =
        second.and_then(|second| second.port).map(|port| format!(" on port {port}")).unwrap_or_default();
    format!("the gateway runs, and beside it another one (pid {pid}{port}) that clients may take for it")
}

fn second(facts: &Facts<'_>) -> Option<Owner> {
    facts.second_gateway(facts.daemon().map(|daemon| daemon.pid).unwrap_or_default())
}

fn troubled(facts: &Facts<'_>) -> String {
    let Some(daemon) = facts.daemon() else {
        return "the gateway serves clients, but its private socket does not answer".to_owned();
    };
    let worst = |state| daemon.parts.iter().find(move |part| part.state == state);
    worst("failed").or_else(|| worst("degraded")).map_or_else(
        || "the gateway runs, but something is missing".to_owned(),
        |part| {
            let how = if part.state == "failed" { "does not work" } else { "is degraded" };
            format!("the gateway runs, but its {} {how}: {}", part.name, part.reason)
        },
    )
}

/// The next step; nothing when all is well.
pub fn fix(state: State, facts: &Facts<'_>, app: &App) -> Option<String> {
    let say = |command: &str| Some(app.suggest(command));
    let kill = |pid: u32| Some(format!("kill {pid}"));
    match state {
        State::Running => None,
        State::OnTrial => Some(format!(
            "Keep it: {}, or take it back: {}",
            app.suggest("config confirm"),
            app.suggest("config rollback")
        )),
        State::OtherVersion | State::Replaced => say("shutdown --restart"),
        State::OutsideService => Some(format!("{}, then {}", app.suggest("shutdown"), app.suggest("start"))),
        State::TwoGateways => second(facts).and_then(|second| kill(second.pid)),
        State::Starting => Some("Wait a moment, then ask again.".to_owned()),
        State::Stopping => {
            let has_service = facts.service.command.is_some();
            let start = if has_service { app.suggest("start") } else { app.suggest_start() };
            Some(format!("Wait for its end, then {start}"))
        }
        State::Restarting => say("logs --limit 50 --level warn"),
        State::NotListening => say("restart"),
        State::Wedged => match facts.lock {
            _ if facts.service.runtime.pid.is_some() => say("restart"),
            // A frozen process does not hear anything else; what it acknowledged is on disk.
            Some(lock) => Some(format!("kill -KILL {}", lock.pid)),
            None => say("doctor"),
        },
        State::Degraded
        | State::Unhealthy
        | State::StoreDegraded
        | State::NoIdentity
        | State::ControlPlaneSilent
        | State::Failed => say("doctor"),
        State::LockHeld => facts.lock.and_then(|lock| kill(lock.pid)),
        State::Unproven => Some("Ask again without --no-probe.".to_owned()),
        State::NotRunning => Some(format!(
            "{} says what is missing; or in the foreground: {}",
            app.suggest("start"),
            app.suggest_start()
        )),
        State::NotInstalled => {
            Some(format!("{}, or in the foreground: {}", app.suggest("install"), app.suggest_start()))
        }
        State::Stopped | State::Latched => say("start"),
        State::ProgramMissing => say("install --force"),
        State::PortTaken | State::OtherGateway => Some(format!(
            "End that process, or take another port: {}",
            app.suggest("config set gateway.port N")
        )),
        State::LastGoodConfig | State::ConfigBroken => say("config validate"),
        State::OtherUser => Some("Run the command as the user of that gateway.".to_owned()),
        _ => Some(of_address(state, facts, app)),
    }
}

fn of_address(state: State, facts: &Facts<'_>, app: &App) -> String {
    let text = match state {
        State::Refused => "Give the gateway's own secret with --token or --password.",
        State::PairingRequired => {
            let request = facts.rpc.and_then(|rpc| rpc.pairing.as_deref()).unwrap_or("REQUEST");
            return format!("On the gateway's machine: {} devices approve {request}", app.words.control);
        }
        State::ClockSkew => "Set the clock of both machines.",
        State::NotAllowed => "Use a token with the scope operator.read, or the gateway's own secret.",
        State::ProtocolMismatch => "Install both of one release.",
        State::Unavailable | State::NoAnswer => {
            return format!("Ask on the gateway's own machine: {} status", app.words.control);
        }
        State::NotAGateway => "Check the address and the port.",
        State::TlsExpected => "Use wss:// in the address.",
        State::TlsNotSpoken => "Use ws:// in the address, or set gateway.tls.enabled on the gateway.",
        State::CertificateMismatch => {
            "Check the gateway's certificate, then set gateway.remote.tlsFingerprint to its fingerprint."
        }
        State::CertificateUntrusted => "Set gateway.remote.tlsFingerprint to the certificate's fingerprint.",
        State::TlsFailed => {
            "Check which versions of TLS the server there takes, and whether it wants a certificate of yours."
        }
        State::NobodyThere => "Start the gateway there, or check the port.",
        State::UnknownHost => "Check the name in the address.",
        State::BadAddress => "Use an address such as ws://host:18789.",
        _ => "Check the address, and the network between here and there.",
    };
    text.to_owned()
}

/// What the daemon says of itself.
#[must_use]
pub fn of_daemon(daemon: &Daemon) -> String {
    format!("pid {}, {}", daemon.pid, daemon.phase)
}
