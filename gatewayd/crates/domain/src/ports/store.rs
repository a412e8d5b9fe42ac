//! The two shapes of state (design 6): *buckets* hold keyed records with a revision, *logs* are appended to and read
//! from a position. Both are what SQLite gives on one machine and what a JetStream cluster gives on several, so
//! nothing here may assume a file or SQL. An `Ok` from a write means the record is on disk (rule R4).

use bytes::Bytes;

use super::BoxFuture;

/// Names a bucket; a closed set keeps typos out and lets an adapter prepare tables or streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bucket {
    /// Paired devices, keyed by device id.
    Devices,
    /// Pairing requests that wait, keyed by request id.
    DeviceRequests,
    /// Small settings, keyed by name: voice wake words, the heartbeat switch.
    Settings,
    /// Answers by idempotency key.
    Idempotency,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 4] = [Self::Devices, Self::DeviceRequests, Self::Settings, Self::Idempotency];

    /// The stored name; never change one, files outlive versions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::DeviceRequests => "device-requests",
            Self::Settings => "settings",
            Self::Idempotency => "idempotency",
        }
    }
}

/// Grows with every write to a bucket and never repeats, so it tells newer from older and serves compare-and-set.
pub type Revision = u64;

/// Place of a record in a log, counted from 1 without gaps.
pub type Position = u64;

/// One keyed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Key within the bucket, 1 to 512 bytes.
    pub key: String,
    /// The value, at most [`MAX_VALUE`] bytes.
    pub value: Bytes,
    /// Revision of the write that made it.
    pub revision: Revision,
}

/// Largest value of a record or a log entry, in bytes.
pub const MAX_VALUE: usize = 8 * 1024 * 1024;

/// What a write expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Anything; the last writer wins.
    Any,
    /// No record under that key.
    Absent,
    /// The record with exactly this revision.
    Revision(Revision),
}

/// One change of a bucket, as a watcher sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Key of the record.
    pub key: String,
    /// The new value, or `None` when it was deleted.
    pub value: Option<Bytes>,
    /// Revision of the change.
    pub revision: Revision,
}

/// One log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place.
    pub position: Position,
    /// Its content.
    pub value: Bytes,
}

/// Why a call to the store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Compare-and-set found something else.
    #[error("{bucket}/{key} was changed by someone else")]
    Conflict {
        /// Bucket name.
        bucket: &'static str,
        /// Key within it.
        key: String,
    },
    /// Key or value breaks a limit of this interface.
    #[error("{0}")]
    Invalid(String),
    /// There is no space left; nothing was written.
    #[error("the disk is full; free some space and try again")]
    Full,
    /// The store is read-only or its folder is not writable; nothing was written.
    #[error("the store is read-only; make its disk and folder writable and try again")]
    ReadOnly,
    /// The store failed or is closed. Whether the write happened is not known.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// Receives the changes of one bucket below a prefix, in order. A receiver that falls more than its buffer behind is
/// told so by [`WatchEvent::Lagged`] and should list again.
pub type Watch = tokio::sync::mpsc::Receiver<WatchEvent>;

/// What a watcher receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchEvent {
    /// A record changed.
    Changed(Change),
    /// Changes were lost; list again.
    Lagged,
}

/// Keyed records with revisions.
pub trait Buckets: Send + Sync + 'static {
    /// The record under `key`.
    fn get(&self, bucket: Bucket, key: &str) -> BoxFuture<'_, Result<Option<Record>, Error>>;
    /// Writes a record if `expect` holds and returns its revision.
    fn put(
        &self,
        bucket: Bucket,
        key: &str,
        value: Bytes,
        expect: Expect,
    ) -> BoxFuture<'_, Result<Revision, Error>>;
    /// Deletes a record if `expect` holds; `false` when there was none.
    fn delete(&self, bucket: Bucket, key: &str, expect: Expect) -> BoxFuture<'_, Result<bool, Error>>;
    /// All records whose key starts with `prefix`, by key.
    fn list(&self, bucket: Bucket, prefix: &str) -> BoxFuture<'_, Result<Vec<Record>, Error>>;
    /// Follows changes from now on.
    fn watch(&self, bucket: Bucket, prefix: &str) -> Watch;
}

/// Append-only logs, named by free text of 1 to 512 bytes.
pub trait Logs: Send + Sync + 'static {
    /// Appends all `entries` together, or none, and returns the position of the first.
    fn append(&self, log: &str, entries: Vec<Bytes>) -> BoxFuture<'_, Result<Position, Error>>;
    /// Up to `limit` entries at and after `from`, in order.
    fn read(&self, log: &str, from: Position, limit: usize) -> BoxFuture<'_, Result<Vec<LogEntry>, Error>>;
    /// The last `limit` entries, in order.
    fn tail(&self, log: &str, limit: usize) -> BoxFuture<'_, Result<Vec<LogEntry>, Error>>;
    /// Removes a log; `false` when there was none.
    fn remove(&self, log: &str) -> BoxFuture<'_, Result<bool, Error>>;
}
