//! The facts of an installation in which nothing is wrong, for tests to spoil.

use std::sync::Arc;

use gateway_admin::v1::{HealthResponse, Listener, PartState, StatusResponse, Store};
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_config::load;

use super::{Answers, ConfigFacts, DaemonFacts, Facts, FileFact, FileKind, StoreFacts};
use crate::doctor::repair;
use crate::spelling::Words;

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
        daemon: DaemonFacts::Answered(Box::new(Answers { status, health: HealthResponse::default() })),
        store: StoreFacts { path: paths.store_file(), ..StoreFacts::default() },
        paths,
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
    Env::from_pairs([("HOME", "/home/you")])
}

fn paths() -> Paths {
    Paths::resolve(&env(), None).expect("HOME is set")
}
