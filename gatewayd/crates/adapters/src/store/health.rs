//! What the store's threads share: how it is, who watches, what is counted. Failing is final here; it is the one
//! place that decides it, so that no path can answer ok after a failed flush.

use std::io;
use std::path::Path;

use gateway_domain::ports::store::Error;
use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_WRITE;
use tokio::sync::watch;

use super::disk;
use super::metrics::Metrics;
use super::watchers::Watchers;

/// How the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreHealth {
    /// Everything works.
    Ok,
    /// Reads work, the last write was refused; the next one that succeeds ends this.
    Degraded {
        /// What is wrong, for people.
        reason: String,
    },
    /// Nothing works any more and nothing will; the daemon has to stop.
    Failed {
        /// What went wrong, for people.
        reason: String,
    },
}

/// What both threads and every handle share.
#[derive(Debug)]
pub(super) struct State {
    pub(super) health: watch::Sender<StoreHealth>,
    pub(super) watchers: Watchers,
    pub(super) metrics: Metrics,
}

impl State {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { health: watch::Sender::new(StoreHealth::Ok), watchers: Watchers::default(), metrics }
    }

    /// The error to answer when the store has failed.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &*self.health.borrow() {
            StoreHealth::Failed { reason } => Err(Error::Failed(reason.clone())),
            StoreHealth::Ok | StoreHealth::Degraded { .. } => Ok(()),
        }
    }

    /// Stops all use of the store. The first reason stays.
    pub(super) fn fail(&self, reason: String) -> Error {
        self.health.send_if_modified(|health| {
            let first = !matches!(health, StoreHealth::Failed { .. });
            if first {
                tracing::error!(reason, "the store failed");
                *health = StoreHealth::Failed { reason: reason.clone() };
            }
            first
        });
        Error::Failed(reason)
    }

    /// Says that writes work.
    pub(super) fn recovered(&self) {
        self.health.send_if_modified(|health| {
            let change = matches!(health, StoreHealth::Degraded { .. });
            if change {
                tracing::info!("the store accepts writes again");
                *health = StoreHealth::Ok;
            }
            change
        });
    }

    /// Says that a write was refused.
    fn degraded(&self, error: Error) -> Error {
        let reason = error.to_string();
        let degraded = StoreHealth::Degraded { reason };
        self.health.send_if_modified(|health| {
            let change = *health != degraded && !matches!(health, StoreHealth::Failed { .. });
            if change {
                tracing::warn!(%error, "the store refuses writes");
                *health = degraded;
            }
            change
        });
        error
    }

    /// What a failed write to the store at `path` means. A write that the disk refused left nothing behind; after any
    /// other failure, of a flush above all, nobody knows.
    pub(super) fn write_failed(&self, error: &rusqlite::Error, path: Option<&Path>) -> Error {
        let refused = error.sqlite_error().is_some_and(|e| e.extended_code == SQLITE_IOERR_WRITE);
        let refusal = path.filter(|_| refused).and_then(|path| disk::ask(path).err());
        match (error.sqlite_error_code(), refusal.map(|why| why.kind())) {
            (Some(ErrorCode::DiskFull), _)
            | (_, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) => {
                self.degraded(Error::Full)
            }
            (Some(ErrorCode::ReadOnly), _) | (_, Some(io::ErrorKind::ReadOnlyFilesystem)) => {
                self.degraded(Error::ReadOnly)
            }
            _ => self.fail(format!("writing: {error}")),
        }
    }

    /// What a failed read means: damage ends everything, anything else only this read.
    pub(super) fn read_failed(&self, error: &rusqlite::Error) -> Error {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                self.fail(format!("reading: {error}"))
            }
            _ => Error::Failed(format!("reading: {error}")),
        }
    }
}
