//! The facts of an installation in which nothing is wrong, for tests to spoil.

use std::sync::Arc;

use gateway_admin::v1::{HealthResponse, Listener, PartState, StatusResponse, Store};
use gateway_base::clock::UnixMs;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_config::load;
use gateway_wire::types::devices::DevicePairListResult;

use super::{
    AccessFacts, Answers, ConfigFacts, DaemonFacts, Descriptors, Disk, Facts, FileFact, FileKind,
    MachineFacts, ServiceFacts, StoreFacts, Watches, WayFacts,
};
use crate::cmds::testing::{env_at, place};
use crate::doctor::repair;
use crate::ports::{PortReport, PortStatus};
use crate::service::{Audit, Command, Installed, Manager, Runtime, RuntimeState, Scope, Service};
use crate::spelling::Words;

/// The time of day.
pub const NOW: UnixMs = 1_780_000_000_000;

const CONFIG: &str =
    "{gateway: {mode: 'local', auth: {mode: 'token', token: '8c1f02d97ae34b56a0d1c9e47b3f6258'}}}";

/// Everything is in order, and the daemon runs.
pub fn healthy() -> Facts {
    let paths = paths();
    let status = StatusResponse {
        listeners: vec![Listener { url: "ws://127.0.0.1:18789".to_owned(), ..Listener::default() }],
        auth_mode: "token".to_owned(),
        store: Some(Store { state: PartState::Serving.into(), ..Store::default() }),
        ..StatusResponse::default()
    };
    let answers =
        Answers { status, health: HealthResponse::default(), devices: Ok(DevicePairListResult::default()) };
    let state = paths.state.clone();
    let file = |path, kind, mode| FileFact { path, kind, mode, uid: 1000 };
    Facts {
        config: config(CONFIG),
        words: Words::for_name(None),
        files: Some(vec![
            file(state, FileKind::Folder, 0o700),
            file(paths.config.clone(), FileKind::Secret, 0o600),
        ]),
        uid: Some(1000),
        now: NOW,
        service: service(),
        upgrade: None,
        way: way(),
        daemon: DaemonFacts::Answered(Box::new(answers)),
        store: StoreFacts { path: paths.store_file(), ..StoreFacts::default() },
        access: AccessFacts { interfaces: vec![[192, 168, 1, 5].into()], ..AccessFacts::default() },
        machine: machine(),
        logs: vec![(paths.log_file(), 4096)],
        paths,
    }
}

/// An installed service that runs.
fn service() -> ServiceFacts {
    let command = Command {
        program_arguments: vec!["/usr/bin/gatewayd".to_owned()],
        source_path: place("/home/you/.config/systemd/user/clawdbot-gateway.service").into(),
        ..Command::default()
    };
    let service = Service {
        manager: Manager::Systemd,
        scope: Scope::User,
        installed: Installed::Yes,
        command: Some(command),
        runtime: Runtime { status: RuntimeState::Running, ..Runtime::default() },
    };
    ServiceFacts {
        service,
        unit: "clawdbot-gateway.service".to_owned(),
        audit: Audit { ok: true, issues: Vec::new() },
        drop_ins: None,
        drift: Some(Vec::new()),
        older: Vec::new(),
        rivals: Vec::new(),
        extras: Vec::new(),
        mend: vec!["Mend it.".to_owned()],
        place: Some(paths()),
        program: Some("/usr/bin/gatewayd".into()),
        own_program: Some("/usr/bin/gatewayd".into()),
        lingers: Some(true),
    }
}

fn way() -> WayFacts {
    WayFacts {
        port: PortReport { port: 18789, status: PortStatus::Busy, listeners: Vec::new(), hints: Vec::new() },
        processes: Some(Vec::new()),
        locks: "/tmp/clawdbot-1000".into(),
        locks_unsafe: None,
        gateway_lock: None,
        state_lock: None,
        other_locks: Vec::new(),
    }
}

fn machine() -> MachineFacts {
    let disk =
        Disk { folder: place("/home/you").into(), free: 50 << 30, total: 100 << 30, files: Some(1 << 20) };
    MachineFacts {
        disks: Some(vec![disk]),
        built: Some(NOW - 86_400_000),
        newest: Some((place("/home/you/.clawdbot/clawdbot.json").into(), NOW - 1_000)),
        descriptors: Some(Descriptors { hard: Some(1 << 20) }),
        watches: Some(Watches { limit: Some(1 << 16), refused: None }),
        has_zones: true,
        zones: Vec::new(),
    }
}

/// The configuration with this text, as it is gathered.
pub fn config(text: &str) -> ConfigFacts {
    let snapshot = load::Snapshot { exists: true, ..load::parse_text(text, &paths(), &env()) };
    let planned = repair::plan(&snapshot, &paths(), &env());
    let (repair, repaired) =
        planned.map_or((None, None), |(repair, snapshot)| (Some(repair), Some(snapshot)));
    let effective = Some(&snapshot).filter(|snapshot| snapshot.valid).or(repaired.as_ref());
    let effective = effective.map(|snapshot| Arc::clone(&snapshot.config));
    ConfigFacts { snapshot, repair, last_good: None, effective }
}

impl Facts {
    /// The daemon's answers, to be changed.
    pub fn answers_mut(&mut self) -> &mut Answers {
        match &mut self.daemon {
            DaemonFacts::Answered(answers) => answers,
            _ => panic!("the daemon answers"),
        }
    }

    /// The same installation with this configuration.
    pub fn configured(&mut self, text: &str) {
        self.config = config(text);
    }
}

fn env() -> Env {
    env_at("/home/you", &[])
}

fn paths() -> Paths {
    Paths::resolve(&env(), None).expect("HOME is set")
}
