//! What the gateway runs on.

use std::path::PathBuf;

use gateway_base::clock::UnixMs;

/// The machine. What could not be found out is nothing.
#[derive(Clone, Debug, Default)]
pub struct MachineFacts {
    /// The file systems of the state and of the log.
    pub disks: Option<Vec<Disk>>,
    /// The day this program was built.
    pub built: Option<UnixMs>,
    /// The newest of the gateway's files, and when it was written.
    pub newest: Option<(PathBuf, UnixMs)>,
    /// The limit on open files that a daemon started from here would get.
    pub descriptors: Option<Descriptors>,
    /// Watching files.
    pub watches: Option<Watches>,
    /// Whether time zones can be looked up at all.
    pub has_zones: bool,
    /// The zones that are configured.
    pub zones: Vec<Zone>,
}

/// One file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// A folder on it.
    pub folder: PathBuf,
    /// Bytes that this user can still write.
    pub free: u64,
    /// Its size.
    pub total: u64,
    /// Files that can still be made, where that is limited.
    pub files: Option<u64>,
}

/// Limits on open files; nothing means unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptors {
    /// The most a process may raise its own limit to.
    pub hard: Option<u64>,
}

/// The kernel's limits on watching files, and whether one more watch can be had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watches {
    /// How many watches each user may have.
    pub limit: Option<u64>,
    /// What the system said to one more.
    pub refused: Option<String>,
}

/// A time zone that something names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// What names it.
    pub of: &'static str,
    /// Its name.
    pub name: String,
    /// Whether this machine knows it.
    pub is_known: bool,
}
