//! What the admin service asks of the daemon. The composition root implements it with the handles it built; tests
//! implement it with a few lines. Requests come in checked and typed; answers are the contract's own messages, which
//! are plain structs.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gateway_admin::v1;
use gateway_base::clock::UnixMs;
use serde_json::value::RawValue;
use tokio::sync::{broadcast, mpsc};

use super::Error;

/// An answer under way.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// The daemon, seen from its admin socket. Every method may be called in every phase and many times at once. A
/// receiver that is dropped means that the caller is gone.
pub trait Backend: Send + Sync + 'static {
    /// Everything that [`v1::StatusResponse`] holds but the phase and the admin connections, which the service knows.
    fn status(&self) -> Answer<'_, v1::StatusResponse>;

    /// Everything that [`v1::MetricsResponse`] holds but the phase and the admin connections, which the service knows.
    fn metrics(&self) -> Answer<'_, v1::MetricsResponse>;

    /// Reads the configuration again; with `dry_run` only tells what would be done.
    fn reload(&self, dry_run: bool) -> Answer<'_, v1::ReloadResponse>;

    /// Writes `text` and puts it in force until `within` is over or somebody confirms it.
    fn apply_config(&self, text: String, within: Duration) -> Answer<'_, v1::ApplyConfigResponse>;

    /// Keeps the configuration on trial.
    fn confirm_config(&self) -> Answer<'_, v1::ConfirmConfigResponse>;

    /// Goes back to the configuration before the trial.
    fn revert_config(&self) -> Answer<'_, v1::RevertConfigResponse>;

    /// Begins the stop, or joins the one under way, and reports its steps. The stop goes on when the receiver is
    /// dropped. The sender is dropped before the admin server is told to end.
    fn shutdown(&self, request: Shutdown) -> Answer<'_, mpsc::Receiver<v1::ShutdownResponse>>;

    /// Takes an end that the service manager asks for within `valid_for` for one half of a restart.
    fn announce_restart(&self, valid_for: Duration);

    /// Log lines in batches; the first batch comes at once, even when it is empty. Without `follow` the sender is
    /// dropped after the last line.
    fn logs(&self, request: Logs) -> Answer<'_, mpsc::Receiver<Result<v1::LogsResponse, Error>>>;

    /// Every event from now on. What does not fit the channel is lost for that reader, which is told how many.
    fn events(&self) -> Answer<'_, broadcast::Receiver<Arc<Event>>>;

    /// Calls a method of the control plane through its dispatcher, as a local operator. A method's own failure is an
    /// answer, not an error.
    fn call(&self, request: Call) -> Answer<'_, v1::CallResponse>;
}

/// What is to follow a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownMode {
    /// The process ends.
    Stop,
    /// The gateway comes back.
    Restart,
}

/// A checked `Shutdown` request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// What follows.
    pub mode: ShutdownMode,
    /// How long running work may take; `None` for the configured time.
    pub drain_limit: Option<Duration>,
    /// Why, for the log; may be empty.
    pub reason: String,
}

/// Where to start reading the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStart {
    /// At a position that an earlier answer gave.
    Cursor(u64),
    /// This many matching lines before the end.
    Tail(u32),
}

/// A checked `Logs` request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logs {
    /// Where to start.
    pub start: LogStart,
    /// Whether to go on with new lines.
    pub follow: bool,
    /// Lines below this are left out.
    pub min_level: v1::LogLevel,
}

/// A checked `Call` request.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method; not empty.
    pub method: String,
    /// The parameters: well-formed JSON.
    pub params: Option<Box<RawValue>>,
    /// Whether to wait for the second answer of a method that gives two.
    pub expect_final: bool,
}

/// One event of the control plane.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its payload as JSON; empty for none.
    pub payload_json: String,
    /// When it was published.
    pub time: UnixMs,
}
