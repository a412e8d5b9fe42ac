//! A sink and the bounded queue before it. Whoever logs never waits: when the sink cannot keep up, records are
//! dropped and counted, and the count is the next thing the sink writes.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gateway_config::sections::Level;
use serde_json::Map;

use super::fold::Fold;
use super::record::Record;

/// Records that may wait for one sink. With the limits of a record this is a few megabytes at the very worst.
const CAPACITY: usize = 2048;
/// Records written before the sink flushes although more are waiting.
const BATCH: usize = 256;

/// Where records go in the end.
pub(super) trait Sink: Send + 'static {
    /// Takes one record; it may be kept in a buffer until [`Sink::flush`].
    fn write(&mut self, record: &Arc<Record>);
    /// Writes out what is buffered.
    fn flush(&mut self);
    /// When to flush although no record came, for a sink that has to try again.
    fn retry_in(&self) -> Option<Duration> {
        None
    }
}

/// What goes through the queue.
enum Entry {
    Record(Arc<Record>),
    /// Something about the sink changed, which it should not learn with the next record only.
    Wake,
}

/// The writing end of a queue. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: SyncSender<Entry>,
    progress: Arc<Progress>,
}

#[derive(Debug, Default)]
struct Progress {
    taken: AtomicU64,
    dropped: AtomicU64,
    done: Mutex<u64>,
    moved: Condvar,
}

impl Queue {
    /// Starts the thread of `sink`. It ends when the last clone of the queue is gone.
    pub(super) fn start(name: &str, sink: impl Sink) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(CAPACITY);
        let progress = Arc::new(Progress::default());
        let seen = progress.clone();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&receiver, sink, &seen))?;
        Ok(Self { sender, progress })
    }

    /// Puts `record` into the queue, or counts it as lost.
    pub(super) fn offer(&self, record: Arc<Record>) {
        let counter = match self.sender.try_send(Entry::Record(record)) {
            Ok(()) => &self.progress.taken,
            Err(_) => &self.progress.dropped,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes the sink look at what changed. A full queue does so anyway.
    pub(super) fn wake(&self) {
        let _ = self.sender.try_send(Entry::Wake);
    }

    /// Waits until everything offered so far is written, at most `limit`. Returns whether it is.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        let goal = self.progress.taken.load(Ordering::Relaxed);
        let done = self.progress.done.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.progress.moved.wait_timeout_while(done, limit, |done| *done < goal);
        waited.is_ok_and(|(done, _)| *done >= goal)
    }
}

impl Progress {
    fn advance(&self, by: u64) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) += by;
        self.moved.notify_all();
    }
}

fn run(receiver: &Receiver<Entry>, mut sink: impl Sink, progress: &Progress) {
    let began = Instant::now();
    let now = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut fold = Fold::default();
    let mut dropped = Dropped::default();
    loop {
        // Rounded up, so that the wait is not over before its end.
        let retry = sink.retry_in().map(|wait| now() + u64::try_from(wait.as_millis()).unwrap_or(0) + 1);
        let due = [fold.next_due(), dropped.next_due(progress), retry].into_iter().flatten().min();
        let next = match due {
            Some(due) => receiver.recv_timeout(Duration::from_millis(due.saturating_sub(now()))),
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        fold.sweep(now(), |record| sink.write(&record));
        let mut taken = 0;
        match next {
            Ok(first) => {
                for entry in std::iter::once(first).chain(receiver.try_iter()).take(BATCH) {
                    let Entry::Record(record) = entry else { continue };
                    taken += 1;
                    dropped.last_at = record.at;
                    if fold.admits(&record, now()) {
                        sink.write(&record);
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                fold.finish(|record| sink.write(&record));
                sink.flush();
                return;
            }
        }
        if let Some(note) = dropped.note(progress, now()) {
            sink.write(&note);
        }
        sink.flush();
        progress.advance(taken);
    }
}

/// Tells how many records the queue had no room for, once a second at most.
#[derive(Default)]
struct Dropped {
    next: u64,
    last_at: i64,
}

impl Dropped {
    fn next_due(&self, progress: &Progress) -> Option<u64> {
        (progress.dropped.load(Ordering::Relaxed) > 0).then_some(self.next)
    }

    fn note(&mut self, progress: &Progress, now: u64) -> Option<Arc<Record>> {
        if now < self.next || progress.dropped.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.next = now + 1000;
        let count = progress.dropped.swap(0, Ordering::Relaxed);
        let text = format!("{count} log records were dropped: they came faster than they could be written");
        Some(note(self.last_at, text))
    }
}

/// A warning of the log about itself.
pub(super) fn note(at: i64, message: String) -> Arc<Record> {
    Arc::new(Record {
        at,
        level: Level::Warn,
        subsystem: Cow::Borrowed("gateway/log"),
        message,
        fields: Map::new(),
        file_only: false,
    })
}
