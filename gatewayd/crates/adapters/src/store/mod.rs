//! The embedded store: buckets and logs over one SQLite file (design 6, rules R3 to R5).
//!
//! **Who owns what.** One thread writes. It takes everything that waits, puts it into one transaction and answers
//! after the commit is on disk, so that under load one flush carries many writes. One thread reads, beside it, from
//! its own snapshot; a point read takes microseconds, so a second one would only cost memory. No caller's thread ever
//! touches the file.
//!
//! **Who may open it.** A lock file held for as long as the store is open keeps a second gateway out, also while
//! the main file is being created or moved aside. Against other programs the file is opened through SQLite's
//! `unix-excl` file layer where there is one: its lock keeps other processes from reading or writing, several
//! connections of this process still work, and the index of the write-ahead log is kept in memory, so no `-shm` file
//! is left behind. `locking_mode=EXCLUSIVE` would do the same but allows one connection only, and readers would
//! wait for every flush.
//!
//! **When it is checked.** SQLite removes the `-wal` file on a clean close, so one that is still there says that the
//! last owner ended badly; then, and always for a file small enough to take a few milliseconds, the whole file is
//! checked before use. What is damaged or foreign is moved aside with its parts and never written to again.
//!
//! **When it fails.** After a failed flush nobody knows what is on disk, and trying again may report success for
//! data that is gone. The store then refuses everything and says [`StoreHealth::Failed`]; the daemon stops and the
//! next start recovers from the log. For the same reason checkpoints are run here and not by SQLite, which would drop
//! their errors. A full disk is different: nothing was written, the caller is told, and the store stays usable.

mod aside;
mod disk;
mod handle;
mod health;
mod metrics;
mod open;
mod ops;
mod reader;
mod schema;
mod watchers;
mod writer;

#[cfg(test)]
mod tests;

pub use handle::{Opened, Store, StoreOptions};
pub use health::StoreHealth;
pub use metrics::Metrics;
pub use open::{OpenError, newer_format};
pub use schema::SCHEMA_VERSION;
