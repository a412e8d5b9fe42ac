//! The writing thread: everything that waits becomes one transaction, and nobody hears "done" before the commit is
//! on disk.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use gateway_domain::ports::store::Error;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::health::{State, StoreHealth};
use super::metrics::Waiting;
use super::ops::{Applied, Op};

/// Most writes of one transaction.
const GROUP: usize = 256;

/// Bytes written after which the write-ahead log is copied into the main file.
const CHECKPOINT_BYTES: usize = 4 * 1024 * 1024;

/// What a small write costs in the write-ahead log: three pages of the tree.
const WRITE_OVERHEAD: usize = 3 * 4096;

/// One write with the place for its answer.
pub(super) struct Job {
    pub(super) op: Op,
    pub(super) answer: oneshot::Sender<Result<u64, Error>>,
    /// Its share of the memory that waiting writes may take; free again when the job is gone.
    pub(super) _room: OwnedSemaphorePermit,
    /// It counts as waiting for as long as this exists.
    pub(super) _waiting: Waiting,
}

/// A write, or the end.
pub(super) enum Message {
    Write(Job),
    Stop,
}

/// The only connection that writes.
pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) state: Arc<State>,
    pub(super) since_checkpoint: usize,
}

impl Writer {
    /// Works until told to stop or until nobody can send any more, then closes the file. The reader ends first, so
    /// that the last connection is this one and its close leaves a clean file.
    pub(super) fn run(mut self, mut messages: mpsc::Receiver<Message>, reader: JoinHandle<()>) {
        let mut waiting = Vec::with_capacity(GROUP);
        let mut stop = false;
        while !stop && messages.blocking_recv_many(&mut waiting, GROUP) > 0 {
            let mut group = Vec::with_capacity(waiting.len());
            for message in waiting.drain(..) {
                match message {
                    Message::Write(job) if !stop => group.push(job),
                    Message::Write(_) => {}
                    Message::Stop => stop = true,
                }
            }
            self.commit(group);
            if self.since_checkpoint >= CHECKPOINT_BYTES {
                self.checkpoint("PASSIVE");
            }
        }
        drop(messages);
        if reader.join().is_err() {
            self.state.fail("the reading thread panicked".to_owned());
        }
        self.close();
    }

    /// Writes all of `group` or, when there is no space for all, as many as there is space for.
    fn commit(&mut self, group: Vec<Job>) {
        if group.is_empty() {
            return;
        }
        if let Err(error) = self.state.check() {
            return refuse(group, &error);
        }
        let began = Instant::now();
        match self.attempt(&group) {
            Ok(applied) => {
                self.state.metrics.commit_seconds.observe(began.elapsed().as_secs_f64());
                self.state.metrics.group_size.observe(group.len() as f64);
                self.since_checkpoint +=
                    group.iter().map(|job| job.op.size() + WRITE_OVERHEAD).sum::<usize>();
                if applied.iter().any(|a| a.answer.is_ok()) {
                    self.state.recovered();
                }
                self.publish(group, applied);
            }
            Err(error) if group.len() > 1 && error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                group.into_iter().for_each(|job| self.commit(vec![job]));
            }
            Err(error) => refuse(group, &self.failed(&error)),
        }
    }

    fn attempt(&mut self, group: &[Job]) -> rusqlite::Result<Vec<Applied>> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let applied = group.iter().map(|job| job.op.apply(&transaction)).collect::<rusqlite::Result<_>>()?;
        transaction.commit()?;
        Ok(applied)
    }

    /// Watchers hear of a change before its writer does, so who has the answer may rely on them.
    fn publish(&self, group: Vec<Job>, applied: Vec<Applied>) {
        for (bucket, change) in applied.iter().filter_map(|a| a.change.as_ref()) {
            self.state.watchers.publish(*bucket, change);
        }
        for (job, applied) in group.into_iter().zip(applied) {
            // Whoever asked may have gone away; the write stands all the same.
            let _ = job.answer.send(applied.answer);
        }
    }

    fn checkpoint(&mut self, mode: &str) {
        self.since_checkpoint = 0;
        let done = self.conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
        if let Err(error) = done {
            // Everything stays in the write-ahead log; only a full disk can get better by itself.
            self.failed(&error);
        }
    }

    fn failed(&self, error: &rusqlite::Error) -> Error {
        self.state.write_failed(error, self.conn.path().map(Path::new))
    }

    /// A failed store leaves its write-ahead log where it is: nothing more is written, and the next open finds the
    /// log and checks the file.
    fn close(mut self) {
        if self.state.check().is_ok() {
            self.checkpoint("TRUNCATE");
        }
        let failed = matches!(*self.state.health.borrow(), StoreHealth::Failed { .. });
        let kept = self.conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, failed);
        if let Err(error) = kept.and_then(|_| self.conn.close().map_err(|(_, error)| error)) {
            tracing::error!(%error, "the store did not close cleanly");
        }
        self.state.watchers.clear();
    }
}

fn refuse(group: Vec<Job>, error: &Error) {
    for job in group {
        let _ = job.answer.send(Err(error.clone()));
    }
}
