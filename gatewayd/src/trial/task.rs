//! The owner of the change on trial in a running daemon: it begins it, keeps its time on the steady clock, watches
//! health meanwhile, and ends it one way or the other.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gateway_admin::{time, v1};
use gateway_api::context::Reloaded;
use gateway_base::clock::Clock;
use gateway_base::disk;
use gateway_base::env::Env;
use gateway_base::error_chain::Chain;
use gateway_base::paths::Paths;
use gateway_config::live::Live;
use gateway_config::write::{self, Trial, Writer};
use gateway_server::admin::health::{Board, Part, Phase, Snapshot, State};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::start::taken_back;
use crate::reload::{How, Reload};

/// Requests that may wait.
const QUEUE: usize = 16;
/// How long to wait before a file that could not be written is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// Why a request about a trial was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The configuration cannot be used; nothing changed, or everything was taken back.
    #[error("{0}")]
    Invalid(String),
    /// There can be no trial now, or there is none.
    #[error("{0}")]
    Impossible(String),
}

/// A change that is on trial, or was until now.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The trial.
    pub trial: v1::ConfigTrial,
    /// Whether a restart follows.
    pub restarts: bool,
}

type Reply = oneshot::Sender<Result<Applied, Error>>;

enum Request {
    Apply { text: String, within: Duration, reply: Reply },
    Confirm(Reply),
    Revert(Reply),
}

/// Asks the owner of trials. Clones share it.
#[derive(Clone)]
pub struct Trials {
    requests: mpsc::Sender<Request>,
    current: Current,
}

/// The trial that is going on.
#[derive(Clone, Debug)]
struct Running {
    trial: Trial,
    ends: Instant,
    /// A restart is on its way to bring it into force.
    restarts: bool,
    /// Taking it back failed and is tried again.
    overdue: bool,
}

type Current = Arc<Mutex<Option<Running>>>;

impl Trials {
    /// Writes `text` and puts it in force, on trial for `within`.
    pub async fn apply(&self, text: String, within: Duration) -> Result<Applied, Error> {
        self.ask(|reply| Request::Apply { text, within, reply }).await
    }

    /// Keeps what is on trial.
    pub async fn confirm(&self) -> Result<Applied, Error> {
        self.ask(Request::Confirm).await
    }

    /// Goes back to what was before the trial.
    pub async fn revert(&self) -> Result<Applied, Error> {
        self.ask(Request::Revert).await
    }

    /// The trial going on, for the status.
    #[must_use]
    pub fn current(&self) -> Option<v1::ConfigTrial> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(to_proto)
    }

    async fn ask(&self, request: impl FnOnce(Reply) -> Request) -> Result<Applied, Error> {
        let gone = || Error::Impossible("the gateway is stopping".to_owned());
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// The owner. It does nothing until it runs.
pub struct TrialsTask {
    options: TrialsOptions,
    writer: Writer,
    requests: mpsc::Receiver<Request>,
    current: Current,
}

/// What the owner needs.
pub struct TrialsOptions {
    /// Where the file is.
    pub paths: Paths,
    /// For `${VAR}` and paths.
    pub env: Env,
    /// Stamps a trial.
    pub clock: Clock,
    /// The configuration in force.
    pub live: Live,
    /// Puts the file in force.
    pub reload: Reload,
    /// Health, which must not drop.
    pub board: Board,
    /// The trial that a restart in place carried on.
    pub carried: Option<Trial>,
    /// Whether this gateway owns the configuration; a second one beside it begins no trial.
    pub is_owner: bool,
}

/// Makes the handle and the owner.
#[must_use]
pub fn new(options: TrialsOptions) -> (Trials, TrialsTask) {
    let (sender, requests) = mpsc::channel(QUEUE);
    let now = options.clock.now();
    let carried = options.carried.clone().map(|trial| Running {
        ends: Instant::now() + trial.left(now),
        trial,
        restarts: false,
        overdue: false,
    });
    let current = Arc::new(Mutex::new(carried));
    let writer = Writer::new(options.paths.clone(), options.env.clone());
    let handle = Trials { requests: sender, current: current.clone() };
    (handle, TrialsTask { options, writer, requests, current })
}

impl TrialsTask {
    /// Serves requests and ends trials until `stop` is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut health = self.options.board.subscribe();
        loop {
            let running = self.running();
            let watches_health = running.as_ref().is_some_and(|running| !running.overdue);
            tokio::select! {
                () = stop.cancelled() => return,
                request = self.requests.recv() => match request {
                    Some(request) => self.serve(request).await,
                    None => return,
                },
                () = over(running.as_ref()) => drop(self.take_back("it was not confirmed in time").await),
                why = drop_of(&mut health), if watches_health => drop(self.take_back(&why).await),
            }
        }
    }

    async fn serve(&self, request: Request) {
        let (reply, answer) = match request {
            Request::Apply { text, within, reply } => (reply, self.apply(text, within).await),
            Request::Confirm(reply) => (reply, self.confirm().await),
            Request::Revert(reply) => (reply, self.take_back("it was asked for").await),
        };
        // The asker may be gone, its connection being what the change cut off.
        let _ = reply.send(answer);
    }

    async fn apply(&self, text: String, within: Duration) -> Result<Applied, Error> {
        let TrialsOptions { live, clock, reload, .. } = &self.options;
        if !self.options.is_owner {
            return Err(impossible("another gateway owns this configuration; ask that one"));
        }
        let now = live.current();
        if let Some(reason) = &now.degraded {
            return Err(impossible(&format!(
                "there is no good config file to go back to ({reason}); repair it, or apply without a trial"
            )));
        }
        let (base, at) = (now.hash.clone(), clock.now());
        let begun = self.blocking(move |writer| writer.begin_trial(&text, &base, within, at)).await;
        begun.map_err(|error| refused(&error))?;
        let trial = write::trial(&self.options.paths).ok().flatten();
        let trial = trial.ok_or_else(|| impossible("the record of the trial is gone"))?;
        let keys = trial.changed.join(", ");
        tracing::info!(
            subsystem = "gateway/reload",
            "config change on trial ({keys}): taken back unless confirmed within {within:?}"
        );
        let running = Running { trial, ends: Instant::now() + within, restarts: false, overdue: false };
        self.set(Some(running.clone()));
        let report = reload.now(How::Force).await;
        if let Some((_, reason)) = report.refused.first() {
            self.take_back("it could not be put in force").await?;
            return Err(Error::Invalid(format!("{reason}; the old config is back")));
        }
        let running = Running { restarts: report.restarts, ..running };
        self.set(Some(running.clone()));
        Ok(Applied { trial: to_proto(&running), restarts: report.restarts })
    }

    async fn confirm(&self) -> Result<Applied, Error> {
        let running = self.running().ok_or_else(nothing)?;
        if running.restarts {
            return Err(impossible(
                "the gateway restarts first to bring the change into force; confirm it after that",
            ));
        }
        let confirmed = self.blocking(Writer::confirm_trial).await.map_err(|error| refused(&error))?;
        confirmed.ok_or_else(nothing)?;
        self.set(None);
        tracing::info!(
            subsystem = "gateway/reload",
            "config change confirmed ({})",
            running.trial.changed.join(", ")
        );
        Ok(Applied { trial: to_proto(&running), restarts: false })
    }

    /// Puts the old text back into the file and in force. When the file cannot be written, that is tried again; when
    /// there is nothing to go back to, the trial is over all the same.
    async fn take_back(&self, why: &str) -> Result<Applied, Error> {
        let running = self.running().ok_or_else(nothing)?;
        let done = match self.blocking(Writer::take_back).await {
            Ok(done) => done,
            Err(error) => {
                let text = explain(&error);
                tracing::error!(
                    subsystem = "gateway/reload",
                    "the config change on trial could not be taken back: {text}"
                );
                let again = matches!(error, write::Error::Io { .. });
                let later = Running { ends: Instant::now() + TRY_AGAIN, overdue: true, ..running };
                self.set(again.then_some(later));
                return Err(impossible(&text));
            }
        };
        if let Some(done) = done {
            tracing::warn!(subsystem = "gateway/reload", "{}", taken_back(&done, why, &self.options.paths));
        }
        self.set(None);
        let Reloaded { restarts, .. } = self.options.reload.now(How::Force).await;
        Ok(Applied { trial: to_proto(&running), restarts })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Writer) -> Result<T, write::Error> + Send + 'static,
    ) -> Result<T, write::Error> {
        let writer = self.writer.clone();
        let done = tokio::task::spawn_blocking(move || work(&writer)).await;
        done.unwrap_or_else(|error| {
            let (path, source) = (self.options.paths.config.clone(), io::Error::other(error));
            Err(write::Error::Io { what: "write", path, source })
        })
    }

    fn running(&self) -> Option<Running> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, running: Option<Running>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }
}

async fn over(running: Option<&Running>) {
    match running {
        Some(running) => tokio::time::sleep_until(running.ends).await,
        None => std::future::pending().await,
    }
}

/// Resolves with the reason when clients cannot be served any more although nobody asked for an end.
async fn drop_of(health: &mut watch::Receiver<Snapshot>) -> String {
    loop {
        let why = why_dropped(&health.borrow_and_update());
        if let Some(why) = why {
            return why;
        }
        if health.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn why_dropped(health: &Snapshot) -> Option<String> {
    if health.phase != Phase::Serving || health.ready() {
        return None;
    }
    let failed = Part::ALL.into_iter().find(|part| health.part(*part).state == State::Failed);
    let part = failed.map(|part| format!(": {}: {}", part.name(), health.part(part).reason));
    Some(format!("health dropped{}", part.unwrap_or_default()))
}

fn to_proto(running: &Running) -> v1::ConfigTrial {
    let Trial { since, hash, changed, .. } = &running.trial;
    v1::ConfigTrial {
        since: Some(time::timestamp(*since)),
        left: Some(time::duration(running.ends.saturating_duration_since(Instant::now()))),
        hash: hash.clone(),
        changed: changed.clone(),
    }
}

fn refused(error: &write::Error) -> Error {
    match error {
        write::Error::Invalid { issues } => {
            let all: Vec<String> = issues.iter().map(ToString::to_string).collect();
            Error::Invalid(format!("invalid config: {}", all.join("; ")))
        }
        write::Error::Syntax(_) | write::Error::Placeholder { .. } => Error::Invalid(error.to_string()),
        write::Error::Changed => impossible(
            "the config file has changes that are not in force; bring them into force first, with a reload or a restart",
        ),
        other => impossible(&explain(other)),
    }
}

fn explain(error: &write::Error) -> String {
    let fix = disk::advice(error).map(|advice| format!("; {advice}")).unwrap_or_default();
    format!("{}{fix}", Chain(error))
}

fn nothing() -> Error {
    impossible("no config change waits to be confirmed")
}

fn impossible(text: &str) -> Error {
    Error::Impossible(text.to_owned())
}
