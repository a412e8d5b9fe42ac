use std::path::PathBuf;

use gateway_base::clock::Clock;
use gateway_base::paths::Paths;
use gateway_config::Issue;

use super::*;
use crate::cmds::health::Part;
use crate::cmds::status::config::{ConfigReport, ConfigView, ControlUi};
use crate::cmds::status::daemon::{Daemon, Trial};
use crate::cmds::status::facts::{Holder, Owner};
use crate::cmds::testing::env_at;
use crate::exit::Exit;
use crate::output::Output;
use crate::ports::{PortListener, PortReport};
use crate::service::{Command, Manager, Scope, Service};
use crate::spelling::Words;

/// Everything that is judged, owned, so that a test can change one thing.
struct Scene {
    service: Service,
    has_program: bool,
    asked: Asked,
    port: PortReport,
    other_port: Option<PortReport>,
    rpc: Option<Rpc>,
    lock: Option<Holder>,
    owners: Vec<Owner>,
    config: ConfigReport,
    is_ours: Option<bool>,
}

fn view() -> ConfigView {
    ConfigView {
        path: PathBuf::from("/home/you/.clawdbot/clawdbot.json"),
        exists: true,
        valid: true,
        issues: Vec::new(),
        control_ui: ControlUi::default(),
    }
}

fn port(port: u16, listener: Option<(u32, &str)>) -> PortReport {
    let row = |(pid, command): (u32, &str)| PortListener {
        pid,
        command: command.to_owned(),
        ..PortListener::default()
    };
    PortReport {
        port,
        status: if listener.is_some() { PortStatus::Busy } else { PortStatus::Free },
        listeners: listener.map(row).into_iter().collect(),
        hints: Vec::new(),
    }
}

fn part(name: &str, state: &'static str) -> Part {
    Part { name: name.to_owned(), state, reason: "the reason".to_owned(), since: None }
}

impl Scene {
    /// A gateway that runs as the service, pid 7.
    fn running() -> Self {
        let command =
            Command { program_arguments: vec!["/usr/bin/gatewayd".to_owned()], ..Command::default() };
        let runtime = Runtime { status: RuntimeState::Running, pid: Some(7), ..Runtime::default() };
        Self {
            service: Service {
                manager: Manager::Systemd,
                scope: Scope::User,
                installed: Installed::Yes,
                command: Some(command),
                runtime,
            },
            has_program: true,
            asked: daemon(|_| ()),
            port: port(18789, Some((7, "gatewayd"))),
            other_port: None,
            rpc: rpc(None),
            lock: Some(Holder { pid: 7, stopping: false, young: false }),
            owners: vec![Owner { pid: 7, port: Some(18789) }],
            config: ConfigReport { cli: view(), daemon: view(), mismatch: false, on_trial: false },
            is_ours: Some(true),
        }
    }

    /// Nothing runs; the service is in this state.
    fn nothing(state: &str, sub: &str, result: &str) -> Self {
        let runtime = Runtime {
            status: RuntimeState::Stopped,
            state: Some(state.to_owned()),
            sub_state: Some(sub.to_owned()),
            result: Some(result.to_owned()),
            last_exit_status: Some(i32::from(result != "success")),
            ..Runtime::default()
        };
        let running = Self::running();
        Self {
            service: Service { runtime, ..running.service },
            asked: Asked::NotRunning,
            port: port(18789, None),
            rpc: rpc(Some(RpcFailure::NobodyThere)),
            lock: None,
            owners: Vec::new(),
            is_ours: None,
            ..running
        }
    }

    /// A gateway at an address.
    fn elsewhere(failure: Option<RpcFailure>) -> Self {
        Self { asked: Asked::Elsewhere, rpc: rpc(failure), ..Self::nothing("inactive", "dead", "success") }
    }

    fn verdict(&self) -> Verdict {
        let env = env_at("/home/you", &[]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        let out = Output::new(&env, true, false);
        let app = App { env, paths, out, words: Words::for_name(None), clock: Clock::manual(0), own: None };
        let facts = Facts {
            service: &self.service,
            has_program: self.has_program,
            asked: &self.asked,
            port: &self.port,
            other_port: self.other_port.as_ref(),
            rpc: self.rpc.as_ref(),
            lock: self.lock.as_ref(),
            owners: &self.owners,
            config: &self.config,
            is_ours: self.is_ours,
            last_error: None,
        };
        judge(&facts, &app)
    }
}

fn daemon(change: impl FnOnce(&mut Daemon)) -> Asked {
    let mut daemon = Daemon { pid: 7, phase: "serving", ..Daemon::default() };
    change(&mut daemon);
    Asked::Answered(Box::new(daemon))
}

#[allow(clippy::unnecessary_wraps, reason = "the field is one")]
fn rpc(failure: Option<RpcFailure>) -> Option<Rpc> {
    let error = failure.map(|_| "the reason".to_owned());
    Some(Rpc { ok: failure.is_none(), error, secret: "token", failure, ..Rpc::default() })
}

/// A scene for every word.
#[allow(clippy::too_many_lines, reason = "one table of all words")]
fn scenes() -> Vec<(State, Scene)> {
    use RpcFailure as F;
    let running = Scene::running;
    let asked = |change: fn(&mut Daemon)| Scene { asked: daemon(change), ..running() };
    let failed = |failure| Scene { rpc: rpc(Some(failure)), ..running() };
    let stopped = || Scene::nothing("inactive", "dead", "success");
    let silent = || Scene {
        asked: Asked::Silent("silent".to_owned()),
        rpc: rpc(Some(F::NoAnswer)),
        is_ours: None,
        ..running()
    };
    let holder = Holder { pid: 9, stopping: false, young: false };
    let broken = ConfigView { valid: false, issues: vec![Issue::new("a", "is wrong")], ..view() };
    let trial = |daemon: &mut Daemon| {
        daemon.trial = Some(Trial { since: None, left_ms: 59_100, changed: vec!["gateway.bind".to_owned()] });
    };
    let unknown = |installed, command| {
        let mut scene = stopped();
        scene.service.runtime = Runtime::unknown("no bus");
        scene.service.installed = installed;
        scene.service.command = command;
        scene
    };
    let none = Scene {
        service: Service { command: None, installed: Installed::No, ..stopped().service },
        ..stopped()
    };
    let mut activating = silent();
    activating.service = Scene::nothing("activating", "start", "success").service;
    let mut outside = running();
    outside.service.runtime.pid = Some(8);
    vec![
        (State::Running, running()),
        (State::OnTrial, asked(trial)),
        (State::Degraded, asked(|daemon| daemon.parts.push(part("log", "degraded")))),
        (State::Degraded, asked(|daemon| daemon.parts.push(part("tailscale", "failed")))),
        (State::Degraded, Scene { asked: Asked::Silent("silent".to_owned()), ..running() }),
        (State::StoreDegraded, asked(|daemon| daemon.parts.push(part("store", "degraded")))),
        (State::OtherVersion, asked(|daemon| daemon.version = "0.0.1".to_owned())),
        (State::Replaced, asked(|daemon| daemon.replaced = true)),
        (State::OutsideService, outside),
        (State::OutsideService, Scene { service: stopped().service, ..running() }),
        (State::TwoGateways, Scene { other_port: Some(port(1, Some((8, "gatewayd")))), ..running() }),
        (State::TwoGateways, Scene { owners: vec![Owner { pid: 8, port: Some(1) }], ..running() }),
        (State::Starting, asked(|daemon| daemon.phase = "starting")),
        (State::Starting, Scene::nothing("activating", "start", "success")),
        (State::Starting, Scene { lock: Some(Holder { young: true, ..holder.clone() }), ..silent() }),
        (State::Starting, activating),
        (State::Stopping, asked(|daemon| daemon.phase = "draining")),
        (State::Stopping, asked(|daemon| daemon.phase = "stopping")),
        (State::Stopping, Scene::nothing("deactivating", "stop-sigterm", "success")),
        (State::Stopping, Scene { lock: Some(Holder { stopping: true, ..holder.clone() }), ..silent() }),
        (State::Stopping, Scene { lock: Some(Holder { stopping: true, ..holder.clone() }), ..stopped() }),
        (State::Restarting, Scene::nothing("activating", "auto-restart", "exit-code")),
        (State::Unhealthy, asked(|daemon| daemon.health = "failed")),
        (State::Wedged, silent()),
        (State::ControlPlaneSilent, failed(F::NoAnswer)),
        (State::ControlPlaneSilent, failed(F::Unreachable)),
        (State::NotListening, Scene { service: running().service, ..stopped() }),
        (State::NoIdentity, failed(F::OwnKey)),
        (State::LockHeld, Scene { lock: Some(holder), ..stopped() }),
        (State::Unproven, Scene { rpc: None, ..Scene::elsewhere(None) }),
        (State::Unavailable, Scene::elsewhere(Some(F::Unavailable))),
        (State::NotAGateway, Scene::elsewhere(Some(F::NotAGateway))),
        (State::ProtocolMismatch, Scene::elsewhere(Some(F::Protocol))),
        (State::TlsExpected, Scene::elsewhere(Some(F::Tls(TlsProblem::Expected)))),
        (State::TlsNotSpoken, Scene::elsewhere(Some(F::Tls(TlsProblem::NotSpoken)))),
        (State::CertificateMismatch, Scene::elsewhere(Some(F::Tls(TlsProblem::OtherCertificate)))),
        (State::CertificateUntrusted, Scene::elsewhere(Some(F::Tls(TlsProblem::Untrusted)))),
        (State::TlsFailed, Scene::elsewhere(Some(F::Tls(TlsProblem::Other)))),
        (State::Unreachable, Scene::elsewhere(Some(F::Unreachable))),
        (State::NobodyThere, Scene::elsewhere(Some(F::NobodyThere))),
        (State::UnknownHost, Scene::elsewhere(Some(F::UnknownHost))),
        (State::NoAnswer, Scene::elsewhere(Some(F::NoAnswer))),
        (State::BadAddress, Scene::elsewhere(Some(F::BadAddress))),
        (State::NotRunning, unknown(Installed::Unknown, running().service.command)),
        (State::NotInstalled, unknown(Installed::No, None)),
        (State::NotInstalled, none),
        (State::Stopped, stopped()),
        (State::Failed, Scene::nothing("failed", "failed", "exit-code")),
        (State::Latched, Scene::nothing("failed", "failed", "start-limit-hit")),
        (State::ProgramMissing, Scene { has_program: false, ..stopped() }),
        (State::PortTaken, Scene { port: port(18789, Some((3, "nginx"))), ..stopped() }),
        (State::OtherGateway, Scene { rpc: rpc(None), is_ours: Some(false), ..stopped() }),
        (State::OtherGateway, Scene { rpc: rpc(Some(F::Refused)), ..stopped() }),
        (State::Refused, failed(F::Refused)),
        (State::PairingRequired, failed(F::Unpaired)),
        (State::ClockSkew, failed(F::Clock)),
        (State::NotAllowed, failed(F::Scope)),
        (State::OtherUser, Scene { asked: Asked::Refused("no".to_owned()), ..stopped() }),
        (State::LastGoodConfig, asked(|daemon| daemon.config_degraded = "it is broken".to_owned())),
        (
            State::ConfigBroken,
            Scene { config: ConfigReport { daemon: broken, ..running().config }, ..stopped() },
        ),
    ]
}

#[test]
fn every_word_has_its_facts_and_every_word_a_step() {
    let scenes = scenes();
    for (state, scene) in &scenes {
        let verdict = scene.verdict();
        assert_eq!(verdict.state, *state, "{verdict:#?}");
        assert_eq!(verdict.exit_code, state.exit().code());
        assert_eq!(verdict.fix.is_none(), *state == State::Running, "{verdict:#?}");
    }
    for state in State::ALL {
        assert!(scenes.iter().any(|(found, _)| *found == state), "{}", state.word());
    }
}

#[test]
fn a_gateway_without_a_private_socket_is_known_by_its_state_folder_or_its_lock() {
    let no_socket = || Scene { asked: Asked::NotRunning, ..Scene::running() };
    assert_eq!(no_socket().verdict().state, State::Running);
    assert_eq!(Scene { is_ours: None, ..no_socket() }.verdict().state, State::Running);
    assert_eq!(Scene { is_ours: None, lock: None, ..no_socket() }.verdict().state, State::OtherGateway);
    let refused = Scene { rpc: rpc(Some(RpcFailure::Refused)), is_ours: None, ..no_socket() };
    assert_eq!(refused.verdict().state, State::Refused);
    assert_eq!(Scene { rpc: None, is_ours: None, ..no_socket() }.verdict().state, State::Unproven);
    let silent = Scene { rpc: rpc(Some(RpcFailure::NoAnswer)), is_ours: None, ..no_socket() };
    assert_eq!(silent.verdict().state, State::Wedged);
}

#[test]
fn not_allowed_is_never_not_there() {
    for (failure, authentication, scope) in [
        (RpcFailure::Refused, "the reason", "not reached"),
        (RpcFailure::Unpaired, "the reason", "not reached"),
        (RpcFailure::Scope, "ok", "the reason"),
    ] {
        for scene in [Scene { rpc: rpc(Some(failure)), ..Scene::running() }, Scene::elsewhere(Some(failure))]
        {
            let found = scene.verdict();
            assert_eq!((found.protocol.as_str(), found.state.exit()), ("ok", Exit::Refused), "{found:#?}");
            assert_eq!((found.authentication.as_str(), found.scope.as_str()), (authentication, scope));
        }
    }
}

#[test]
fn a_store_without_room_is_the_reason_for_turning_a_device_away() {
    let full = daemon(|daemon| daemon.parts.push(part("store", "degraded")));
    let scene = Scene { asked: full, rpc: rpc(Some(RpcFailure::Unavailable)), ..Scene::running() };
    let found = scene.verdict();
    assert_eq!(found.state, State::StoreDegraded);
    assert_eq!(found.summary, "the gateway runs, but its store is degraded: the reason");
}

#[test]
fn the_time_left_of_a_trial_is_told() {
    let trial = scenes().into_iter().find(|(state, _)| *state == State::OnTrial);
    let (_, scene) = trial.expect("is one of them");
    assert_eq!(scene.verdict().config, "on trial (gateway.bind), 60 s are left");
}
