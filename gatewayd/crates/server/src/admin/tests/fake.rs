//! A backend that does what a test tells it, and a server around it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway_admin::connect::{ConnectOptions, connect};
use gateway_admin::endpoint::{Endpoint, Fallback};
use gateway_admin::v1;
use gateway_admin::v1::admin_client::AdminClient;
use gateway_base::clock::Clock;
use gateway_base::task::{Kind, Tasks};
use tempfile::TempDir;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::admin::backend::{Answer, Backend, Call, Event, Logs, Shutdown};
use crate::admin::health::{Board, Part, Phase, State};
use crate::admin::listen::Listener;
use crate::admin::{Error, Limits, Server};

type LogSender = mpsc::Sender<Result<v1::LogsResponse, Error>>;

pub(super) struct Fake {
    pub(super) shutdowns: Mutex<Vec<Shutdown>>,
    pub(super) announced: Mutex<Vec<Duration>>,
    pub(super) steps: Mutex<Vec<mpsc::Sender<v1::ShutdownResponse>>>,
    logs: Mutex<Vec<(Logs, LogSender)>>,
    events: broadcast::Sender<Arc<Event>>,
    broken_config: AtomicBool,
}

impl Fake {
    /// How many events wait for a reader.
    pub(super) const EVENTS: usize = 4;

    pub(super) fn publish(&self, name: &str) {
        let event = Event { name: name.to_owned(), payload_json: "{}".to_owned(), time: 5_000 };
        self.events.send(Arc::new(event)).expect("somebody reads");
    }

    pub(super) fn break_config(&self) {
        self.broken_config.store(true, Ordering::Relaxed);
    }

    pub(super) fn take_logs(&self) -> (Vec<Logs>, Vec<LogSender>) {
        self.logs.lock().expect("not poisoned").drain(..).unzip()
    }
}

impl Backend for Fake {
    fn status(&self) -> Answer<'_, v1::StatusResponse> {
        let build = Some(v1::Build { version: "9.9.9".to_owned(), ..Default::default() });
        Box::pin(async { Ok(v1::StatusResponse { build, ..Default::default() }) })
    }

    fn metrics(&self) -> Answer<'_, v1::MetricsResponse> {
        Box::pin(async { Ok(v1::MetricsResponse { sessions: 9, ..Default::default() }) })
    }

    fn reload(&self, dry_run: bool) -> Answer<'_, v1::ReloadResponse> {
        Box::pin(async move {
            if self.broken_config.load(Ordering::Relaxed) {
                return Err(Error::ConfigInvalid("line 3, column 7: unexpected }".to_owned()));
            }
            let change = v1::ConfigChange { path: "gateway.port".to_owned(), ..Default::default() };
            Ok(v1::ReloadResponse { dry_run, refused: vec![change], ..Default::default() })
        })
    }

    fn apply_config(&self, text: String, _within: Duration) -> Answer<'_, v1::ApplyConfigResponse> {
        Box::pin(async move { Err(Error::ConfigTrial(text)) })
    }

    fn confirm_config(&self) -> Answer<'_, v1::ConfirmConfigResponse> {
        Box::pin(async { Ok(v1::ConfirmConfigResponse { trial: Some(v1::ConfigTrial::default()) }) })
    }

    fn revert_config(&self) -> Answer<'_, v1::RevertConfigResponse> {
        Box::pin(async { Ok(v1::RevertConfigResponse { restart_scheduled: true, ..Default::default() }) })
    }

    fn shutdown(&self, request: Shutdown) -> Answer<'_, mpsc::Receiver<v1::ShutdownResponse>> {
        let (sender, receiver) = mpsc::channel(4);
        self.shutdowns.lock().expect("not poisoned").push(request);
        self.steps.lock().expect("not poisoned").push(sender);
        Box::pin(async { Ok(receiver) })
    }

    fn announce_restart(&self, valid_for: Duration) {
        self.announced.lock().expect("not poisoned").push(valid_for);
    }

    fn logs(&self, request: Logs) -> Answer<'_, mpsc::Receiver<Result<v1::LogsResponse, Error>>> {
        let (sender, receiver) = mpsc::channel(4);
        self.logs.lock().expect("not poisoned").push((request, sender));
        Box::pin(async { Ok(receiver) })
    }

    fn events(&self) -> Answer<'_, broadcast::Receiver<Arc<Event>>> {
        Box::pin(async { Ok(self.events.subscribe()) })
    }

    fn call(&self, request: Call) -> Answer<'_, v1::CallResponse> {
        Box::pin(async move {
            assert!(request.method != "panic", "on purpose");
            if request.method == "fail" {
                let error = v1::CallError { code: "UNAVAILABLE".to_owned(), ..Default::default() };
                return Ok(v1::CallResponse { error: Some(error), ..Default::default() });
            }
            let payload_json = request.params.map(|params| params.get().to_owned()).unwrap_or_default();
            Ok(v1::CallResponse { ok: true, payload_json, ..Default::default() })
        })
    }
}

/// A running server. Dropping it stops it.
pub(super) struct Running {
    pub(super) fake: Arc<Fake>,
    pub(super) board: Board,
    pub(super) stop: CancellationToken,
    pub(super) tasks: Tasks,
    pub(super) path: PathBuf,
    _state: TempDir,
}

impl Running {
    pub(super) async fn channel(&self) -> Channel {
        connect(&Endpoint::at(&self.path), ConnectOptions::default()).await.expect("the server listens")
    }

    pub(super) async fn admin(&self) -> AdminClient<Channel> {
        AdminClient::new(self.channel().await)
    }

    pub(super) fn serving(&self) {
        for part in Part::ALL {
            self.board.set(part, State::Serving, "");
        }
        self.board.enter(Phase::Serving);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(super) async fn start(limits: Limits) -> Running {
    let state = tempfile::tempdir().expect("temporary folder");
    let fallback = Fallback { runtime_dir: None, temp_dir: state.path().to_path_buf(), uid: 0 };
    let listener = Listener::bind(state.path(), &fallback).await.expect("bind");
    let path = listener.path().to_path_buf();
    let fake = Arc::new(Fake {
        shutdowns: Mutex::default(),
        announced: Mutex::default(),
        steps: Mutex::default(),
        logs: Mutex::default(),
        events: broadcast::Sender::new(Fake::EVENTS),
        broken_config: AtomicBool::new(false),
    });
    let (board, stop, tasks) = (Board::new(Clock::manual(1_000)), CancellationToken::new(), Tasks::default());
    let server = Server { listener, backend: fake.clone(), health: board.clone(), limits };
    tasks.spawn_fallible("admin", Kind::Essential, server.run(stop.clone()));
    Running { fake, board, stop, tasks, path, _state: state }
}
