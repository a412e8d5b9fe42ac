//! The handle that everybody else holds. It checks the limits of the interface, queues, and waits for the answer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use gateway_base::clock::Clock;
use gateway_base::task::panic_text;
use gateway_domain::ports::BoxFuture;
use gateway_domain::ports::store::{
    Bucket, Buckets, Error, Expect, LogEntry, Logs, MAX_VALUE, Position, Record, Revision, Watch,
};
use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::aside::sibling;
use super::health::{State, StoreHealth};
use super::metrics::Metrics;
use super::open::{self, OpenError, Ready};
use super::ops::Op;
use super::reader;
use super::writer::{Job, Message, Writer};

/// Calls that may wait for a thread.
const QUEUE: usize = 1024;

/// Bytes that waiting writes may hold, in KiB.
const ROOM_KIB: u32 = 64 * 1024;

/// Longest key and log name, in bytes.
const MAX_KEY: usize = 512;

/// The record that [`Store::try_write`] writes.
const WRITE_CHECK: &str = "write-check";

/// Most bytes of one append.
const MAX_APPEND: usize = 4 * MAX_VALUE;

/// A cheap handle to the open store; clones share it.
#[derive(Clone, Debug)]
pub struct Store(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) state: Arc<State>,
    writes: mpsc::Sender<Message>,
    reads: mpsc::Sender<reader::Job>,
    room: Arc<Semaphore>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Its sender lives in the writing thread, so it ends with it.
    pub(super) running: watch::Receiver<()>,
}

/// What opening needs besides the path.
#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// Names what is moved aside.
    pub clock: Clock,
    /// Where to count.
    pub metrics: Metrics,
}

/// An open store and what opening found.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Whether the file is new.
    pub created: bool,
    /// Where a damaged or foreign file was put, when there was one.
    pub moved_aside: Option<PathBuf>,
    /// What was wrong with it.
    pub damage: Option<String>,
}

impl Store {
    /// Opens the store at `path`, creating it and its folder when they are missing, and starts its threads. Blocks
    /// for a few milliseconds, or longer when a large file has to be checked.
    pub fn open(path: &Path, options: StoreOptions) -> Result<Opened, OpenError> {
        let ready = open::open(path, &options.clock)?;
        let created = ready.created;
        let (moved_aside, damage) = match &ready.damage {
            Some(damage) => (Some(damage.moved_to.clone()), Some(damage.reason.clone())),
            None => (None, None),
        };
        if let (Some(moved_to), Some(reason)) = (&moved_aside, &damage) {
            let (moved_to, path) = (moved_to.display(), path.display());
            tracing::error!(%path, %moved_to, reason, "the store was damaged; it was moved aside and a fresh one started");
        }
        let store = Self::start(ready, options.metrics)?;
        Ok(Opened { store, created, moved_aside, damage })
    }

    /// How the store is, from now on.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<StoreHealth> {
        self.0.state.health.subscribe()
    }

    /// Writes something that nobody reads: a store that refused writes notices by itself when they work again.
    pub async fn try_write(&self) {
        // How it went shows in the health.
        let _ = self.put(Bucket::Settings, WRITE_CHECK, Bytes::new(), Expect::Any).await;
    }

    /// Finishes what is queued, copies the write-ahead log into the file and ends the threads. Later calls answer
    /// an error.
    pub async fn close(&self) {
        // Sending fails when the thread has already ended, which is what is wanted.
        let _ = self.0.reads.send(reader::Job::Stop).await;
        let _ = self.0.writes.send(Message::Stop).await;
        let mut running = self.0.running.clone();
        while running.changed().await.is_ok() {}
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(panic)) = writer.map(JoinHandle::join) {
            self.0.state.fail(format!("the writing thread {}", panic_text(panic.as_ref())));
        }
    }

    pub(super) fn start(ready: Ready, metrics: Metrics) -> Result<Self, OpenError> {
        let Ready { path, writer, reader, lock, .. } = ready;
        let state = Arc::new(State::new(metrics));
        let (reads, read_jobs) = mpsc::channel(QUEUE);
        let (writes, messages) = mpsc::channel(QUEUE);
        let (alive, running) = watch::channel(());
        let failed = |source: std::io::Error| OpenError::Other { path: path.clone(), source: source.into() };

        let reader =
            spawn("store-reader", &state, move || reader::run(&reader, read_jobs)).map_err(failed)?;
        // What a killed owner left in the write-ahead log counts too, or it would grow with every crash.
        let left = std::fs::metadata(sibling(&path, "-wal")).map_or(0, |log| log.len());
        let since_checkpoint = usize::try_from(left).unwrap_or(usize::MAX);
        let writer = Writer { conn: writer, state: state.clone(), since_checkpoint };
        let writer = spawn("store-writer", &state, move || {
            // Dropped in this order when the thread ends, also by a panic: first others may lock, then waiters wake.
            let _alive = alive;
            let _lock = lock;
            writer.run(messages, reader);
        })
        .map_err(failed)?;
        let room = Arc::new(Semaphore::new(ROOM_KIB as usize));
        let writer = Mutex::new(Some(writer));
        Ok(Self(Arc::new(Inner { state, writes, reads, room, writer, running })))
    }

    async fn write(&self, kind: &'static str, op: Result<Op, Error>) -> Result<u64, Error> {
        self.0.state.metrics.called(kind);
        let done = match op {
            Ok(op) => self.queue_write(op).await,
            Err(error) => Err(error),
        };
        self.counted(done)
    }

    async fn queue_write(&self, op: Op) -> Result<u64, Error> {
        self.0.state.check()?;
        let waiting = self.0.state.metrics.write_waits();
        let share = u32::try_from(op.size() / 1024 + 1).unwrap_or(ROOM_KIB).min(ROOM_KIB);
        let room = self.0.room.clone().acquire_many_owned(share).await.map_err(|_| closed())?;
        let (answer, done) = oneshot::channel();
        let job = Job { op, answer, _room: room, _waiting: waiting };
        self.0.writes.send(Message::Write(job)).await.map_err(|_| closed())?;
        done.await.unwrap_or_else(|_| Err(self.gone()))
    }

    async fn read<T, Q>(&self, kind: &'static str, query: Q) -> Result<T, Error>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.0.state.metrics.called(kind);
        self.counted(self.queue_read(query).await)
    }

    async fn queue_read<T, Q>(&self, query: Q) -> Result<T, Error>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.0.state.check()?;
        let (answer, done) = oneshot::channel();
        let state = self.0.state.clone();
        let waiting = state.metrics.read_waits();
        let job = Box::new(move |conn: &Connection| {
            // Whoever asked may have gone away.
            let _ = answer.send(query(conn).map_err(|error| state.read_failed(&error)));
            drop(waiting);
        });
        self.0.reads.send(reader::Job::Query(job)).await.map_err(|_| closed())?;
        done.await.unwrap_or_else(|_| Err(self.gone()))
    }

    fn counted<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        done.inspect_err(|error| self.0.state.metrics.failed(error))
    }

    fn gone(&self) -> Error {
        self.0.state.check().err().unwrap_or_else(closed)
    }
}

impl Buckets for Store {
    fn get(&self, bucket: Bucket, key: &str) -> BoxFuture<'_, Result<Option<Record>, Error>> {
        let key = key.to_owned();
        Box::pin(self.read("get", move |conn| reader::get(conn, bucket, &key)))
    }

    fn put(
        &self,
        bucket: Bucket,
        key: &str,
        value: Bytes,
        expect: Expect,
    ) -> BoxFuture<'_, Result<Revision, Error>> {
        let op = check_key("key", key).and_then(|()| check_value("value", &value)).map(|()| Op::Put {
            bucket,
            key: key.to_owned(),
            value,
            expect,
        });
        Box::pin(self.write("put", op))
    }

    fn delete(&self, bucket: Bucket, key: &str, expect: Expect) -> BoxFuture<'_, Result<bool, Error>> {
        let op = check_key("key", key).map(|()| Op::Delete { bucket, key: key.to_owned(), expect });
        Box::pin(async move { self.write("delete", op).await.map(|found| found > 0) })
    }

    fn list(&self, bucket: Bucket, prefix: &str) -> BoxFuture<'_, Result<Vec<Record>, Error>> {
        let prefix = prefix.to_owned();
        Box::pin(self.read("list", move |conn| reader::list(conn, bucket, &prefix)))
    }

    fn watch(&self, bucket: Bucket, prefix: &str) -> Watch {
        self.0.state.watchers.add(bucket, prefix)
    }
}

impl Logs for Store {
    fn append(&self, log: &str, entries: Vec<Bytes>) -> BoxFuture<'_, Result<Position, Error>> {
        let op = check_key("log name", log)
            .and_then(|()| check_entries(&entries))
            .map(|()| Op::Append { log: log.to_owned(), entries });
        Box::pin(self.write("append", op))
    }

    fn read(&self, log: &str, from: Position, limit: usize) -> BoxFuture<'_, Result<Vec<LogEntry>, Error>> {
        let log = log.to_owned();
        Box::pin(Self::read(self, "read", move |conn| reader::read(conn, &log, from, limit)))
    }

    fn tail(&self, log: &str, limit: usize) -> BoxFuture<'_, Result<Vec<LogEntry>, Error>> {
        let log = log.to_owned();
        Box::pin(Self::read(self, "tail", move |conn| reader::tail(conn, &log, limit)))
    }

    fn remove(&self, log: &str) -> BoxFuture<'_, Result<bool, Error>> {
        let op = check_key("log name", log).map(|()| Op::RemoveLog { log: log.to_owned() });
        Box::pin(async move { self.write("remove", op).await.map(|found| found > 0) })
    }
}

/// A panic in one of the threads is a failure of the store, said at once and not only when somebody asks.
fn spawn(
    name: &str,
    state: &Arc<State>,
    body: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let state = state.clone();
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)) {
            state.fail(format!("a thread of it {}", panic_text(panic.as_ref())));
        }
    })
}

fn check_key(what: &str, key: &str) -> Result<(), Error> {
    match key.len() {
        1..=MAX_KEY => Ok(()),
        length => Err(Error::Invalid(format!("a {what} has 1 to {MAX_KEY} bytes, not {length}"))),
    }
}

fn check_value(what: &str, value: &Bytes) -> Result<(), Error> {
    match value.len() {
        0..=MAX_VALUE => Ok(()),
        length => Err(Error::Invalid(format!("a {what} has at most {MAX_VALUE} bytes, not {length}"))),
    }
}

fn check_entries(entries: &[Bytes]) -> Result<(), Error> {
    if entries.is_empty() {
        return Err(Error::Invalid("there is nothing to append".to_owned()));
    }
    entries.iter().try_for_each(|entry| check_value("log entry", entry))?;
    match entries.iter().map(Bytes::len).sum::<usize>() {
        0..=MAX_APPEND => Ok(()),
        size => Err(Error::Invalid(format!("one append has at most {MAX_APPEND} bytes, not {size}"))),
    }
}

fn closed() -> Error {
    Error::Failed("it is closed".to_owned())
}
