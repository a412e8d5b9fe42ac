//! One gateway per configuration file. The lock is the kernel's, on an open file, so it ends with its process and
//! never goes stale; the file also carries the record that the original reads and writes, so that both programs
//! keep out of each other's way (operations 12.1 to 12.4, rule R2). On Windows the lock is what others may not do with
//! a file while it is open: what is called a lock there would keep them from reading the record.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{Clock, UnixMs, iso_utc};
use crate::env::Env;
use crate::process;

/// A record younger than this whose owner cannot be judged counts as alive.
const UNKNOWN_IS_STALE_AFTER_MS: UnixMs = 30_000;

/// What the owner writes about itself. The first four fields are the original's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The owner's pid.
    pub pid: u32,
    /// When the record was written, ISO 8601 in UTC.
    #[serde(default)]
    pub created_at: String,
    /// The configuration file the lock stands for.
    #[serde(default)]
    pub config_path: String,
    /// When the owner started, in clock ticks since boot (Linux).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<u64>,
    /// The owner's port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The owner's bind mode or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
    /// The owner is about to end; waiting for it makes sense.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopping: bool,
    /// The owner holds the kernel's lock for as long as it lives.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
}

impl Record {
    /// The record of this process.
    #[must_use]
    pub fn of_this_process(clock: &Clock, config_path: &Path, port: u16, bind: &str) -> Self {
        let pid = std::process::id();
        Self {
            pid,
            created_at: iso_utc(clock.now()),
            config_path: config_path.display().to_string(),
            start_time: process::start_time(pid),
            port: Some(port),
            bind: Some(bind.to_owned()),
            stopping: false,
            locked: true,
        }
    }
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it. The record is missing when its owner has not written it yet.
    #[error("the lock is held{}", .0.as_ref().map(|r| format!(" by pid {}", r.pid)).unwrap_or_default())]
    Held(Option<Record>),
    /// The folder is not ours alone, so nothing in it can be trusted.
    #[error("{} is not a private folder of this user; remove it or set TMPDIR", .0.display())]
    UnsafeFolder(PathBuf),
    /// The file cannot be made, locked or written.
    #[error("failed to acquire gateway lock at {}", path.display())]
    Unusable {
        /// The lock file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// Where the lock files of this user are, and how they are called.
#[derive(Clone, Debug)]
pub struct Places {
    folder: PathBuf,
}

impl Places {
    /// `clawdbot-<uid>` in the folder for temporary files that the original would use.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        let names: &[&str] = if cfg!(windows) { &["TEMP", "TMP"] } else { &["TMPDIR", "TMP", "TEMP"] };
        let fallback = if cfg!(windows) { "C:\\Windows\\Temp" } else { "/tmp" };
        let temporary = names.iter().find_map(|name| env.get(name)).unwrap_or(fallback);
        #[cfg(unix)]
        let name = format!("clawdbot-{}", rustix::process::getuid().as_raw());
        #[cfg(not(unix))]
        let name = "clawdbot".to_owned();
        Self { folder: Path::new(temporary).join(name) }
    }

    /// The lock of the gateway that runs from this configuration file.
    #[must_use]
    pub fn gateway(&self, config: &Path) -> PathBuf {
        self.folder.join(format!("gateway.{}.lock", short_hash(config)))
    }

    /// The lock of a further gateway with the same configuration file on another port.
    #[must_use]
    pub fn gateway_on(&self, config: &Path, port: u16) -> PathBuf {
        self.folder.join(format!("gateway.{}.{port}.lock", short_hash(config)))
    }

    /// The lock of the gateway that owns this state folder.
    #[must_use]
    pub fn state(&self, state: &Path) -> PathBuf {
        self.folder.join(format!("state.{}.lock", short_hash(state)))
    }
}

/// A lock that is held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct LockFile {
    file: File,
    path: PathBuf,
    record: Record,
}

impl LockFile {
    /// Takes the lock and writes `record`, or says who has it. Never waits.
    pub fn acquire(path: &Path, record: Record) -> Result<Self, Error> {
        let unusable = |source| Error::Unusable { path: path.to_path_buf(), source };
        private_folder(path)?;
        let mut holder = None;
        // Every round but the last lost a race against an owner that removed or had not yet written its file.
        for _ in 0..100 {
            let Some(mut file) = lock(path).map_err(unusable)? else {
                holder = File::open(path).ok().and_then(|mut file| read(&mut file));
                if let Some(owner) = holder.take_if(|owner| cfg!(unix) && process::is_alive(owner.pid)) {
                    return Err(Error::Held(Some(owner)));
                }
                if cfg!(unix) {
                    thread::yield_now();
                } else {
                    // It may be somebody who only looks, and nothing tells when that is over.
                    thread::park_timeout(Duration::from_millis(2));
                }
                continue;
            };
            if !is_still_at(&file, path) {
                continue;
            }
            if let Some(owner) = read(&mut file).filter(|owner| lives_without_the_kernel_lock(owner, &file)) {
                return Err(Error::Held(Some(owner)));
            }
            let mut lock = Self { file, path: path.to_path_buf(), record };
            lock.write().map_err(unusable)?;
            return Ok(lock);
        }
        Err(Error::Held(holder))
    }

    /// Tells those who ask for the lock that it will be free soon.
    pub fn mark_stopping(&mut self) -> io::Result<()> {
        self.record.stopping = true;
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        let text = serde_json::to_vec(&self.record)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&text)?;
        self.file.set_len(text.len() as u64)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        if is_still_at(&self.file, &self.path) {
            // A file that stays is harmless: the kernel's lock decides, and it goes with the handle.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Who owns the lock at `path`, without touching the lock.
#[must_use]
pub fn owner(path: &Path) -> Option<Record> {
    let mut file = File::open(path).ok()?;
    read(&mut file).filter(|owner| is_owner_alive(owner, &file) && (!owner.locked || may_be_locked(path)))
}

/// With the kernel's lock in our hands only the original can still be the owner: it does not lock the file.
fn lives_without_the_kernel_lock(owner: &Record, file: &File) -> bool {
    !owner.locked && owner.pid != std::process::id() && is_owner_alive(owner, file)
}

fn is_owner_alive(owner: &Record, file: &File) -> bool {
    if owner.pid == 0 || !process::is_alive(owner.pid) {
        return false;
    }
    if !cfg!(target_os = "linux") {
        return true;
    }
    let judged = match owner.start_time {
        Some(recorded) => process::start_time(owner.pid).map(|started| started == recorded),
        None => process::command_line(owner.pid).map(|words| process::is_gateway_command(&words)),
    };
    judged.unwrap_or_else(|| is_young(file))
}

fn is_young(file: &File) -> bool {
    let modified = file.metadata().and_then(|meta| meta.modified()).ok();
    let age = modified
        .and_then(|at| at.elapsed().ok())
        .map_or(0, |age| UnixMs::try_from(age.as_millis()).unwrap_or(UnixMs::MAX));
    age <= UNKNOWN_IS_STALE_AFTER_MS
}

fn read(file: &mut File) -> Option<Record> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(64 * 1024).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// The file with the kernel's lock on it, or nothing while somebody else has that.
#[cfg(unix)]
fn lock(path: &Path) -> io::Result<Option<File>> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// The same on Windows: while it is open, others may read and remove it.
#[cfg(not(unix))]
fn lock(path: &Path) -> io::Result<Option<File>> {
    use std::os::windows::fs::OpenOptionsExt;
    const SHARE_READ_AND_DELETE: u32 = 1 | 4;
    let mut options = OpenOptions::new();
    options.share_mode(SHARE_READ_AND_DELETE);
    match options.read(true).write(true).create(true).truncate(false).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_in_use(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether somebody may have the kernel's lock. Only Windows, which cannot tell whether the owner's process lives, tells
/// it without the lock being taken.
fn may_be_locked(path: &Path) -> bool {
    cfg!(unix) || OpenOptions::new().write(true).open(path).is_err_and(|error| is_in_use(&error))
}

/// `ERROR_SHARING_VIOLATION` of Windows.
fn is_in_use(error: &io::Error) -> bool {
    error.raw_os_error() == Some(32)
}

/// Makes the folder, or checks that it is a real folder of this user that nobody else can write to.
fn private_folder(path: &Path) -> Result<(), Error> {
    let unusable = |source| Error::Unusable { path: path.to_path_buf(), source };
    let folder = path.parent().ok_or_else(|| unusable(io::ErrorKind::InvalidInput.into()))?;
    crate::atomic_file::create_private_dir(folder).map_err(unusable)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let meta = fs::symlink_metadata(folder).map_err(unusable)?;
        if !meta.is_dir() || meta.uid() != rustix::process::getuid().as_raw() {
            return Err(Error::UnsafeFolder(folder.to_path_buf()));
        }
        if meta.mode() & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(unusable)?;
        }
    }
    Ok(())
}

/// Whether `path` still names the open file: its owner may have removed it between our open and our lock.
fn is_still_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        match (file.metadata(), fs::symlink_metadata(path)) {
            (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// The first eight hex digits of SHA-1 over the path, as the original names its lock.
fn short_hash(path: &Path) -> String {
    use sha1::Digest;
    crate::id::hex(&sha1::Sha1::digest(path.display().to_string().as_bytes())[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(port: u16) -> Record {
        Record::of_this_process(
            &Clock::manual(1_769_685_936_100),
            Path::new("/h/.clawdbot/clawdbot.json"),
            port,
            "loopback",
        )
    }

    fn places() -> (tempfile::TempDir, Places) {
        let dir = tempfile::tempdir().expect("temporary folder");
        let env = Env::from_pairs(["TMPDIR", "TEMP"].map(|name| (name, dir.path().display().to_string())));
        (dir, Places::new(&env))
    }

    #[test]
    fn the_name_is_the_one_of_the_original() {
        let places = Places { folder: PathBuf::from("/t") };
        // printf /h | sha1sum
        assert_eq!(places.gateway(Path::new("/h")), Path::new("/t/gateway.b4b6d375.lock"));
        assert_eq!(places.state(Path::new("/h")), Path::new("/t/state.b4b6d375.lock"));
        assert_eq!(places.gateway_on(Path::new("/h"), 5), Path::new("/t/gateway.b4b6d375.5.lock"));
    }

    #[test]
    fn one_owner_at_a_time_and_the_loser_learns_who() {
        let (_dir, places) = places();
        let path = places.gateway(Path::new("/c"));
        let mut lock = LockFile::acquire(&path, record(18789)).expect("free");
        let Err(Error::Held(Some(owner))) = LockFile::acquire(&path, record(1)) else { panic!("it is held") };
        assert_eq!((owner.pid, owner.port, owner.stopping), (std::process::id(), Some(18789), false));
        lock.mark_stopping().expect("written");
        assert!(super::owner(&path).expect("an owner").stopping);
        drop(lock);
        assert!(!path.exists() && super::owner(&path).is_none());
        LockFile::acquire(&path, record(1)).expect("free again");
    }

    #[test]
    #[cfg(windows)]
    fn what_a_killed_gateway_left_behind_has_no_owner() {
        let (_dir, places) = places();
        let path = places.gateway(Path::new("/c"));
        let lock = LockFile::acquire(&path, record(1)).expect("free");
        let left = fs::read(&path).expect("others can read it");
        assert!(super::owner(&path).is_some());
        drop(lock);
        fs::write(&path, left).expect("left behind");
        assert!(super::owner(&path).is_none());
    }

    #[test]
    fn a_record_of_ours_without_the_kernel_lock_is_stale_even_under_the_same_pid() {
        let (_dir, places) = places();
        let path = places.gateway(Path::new("/c"));
        drop(LockFile::acquire(&path, record(1)).expect("free"));
        fs::write(&path, serde_json::to_vec(&record(1)).expect("json")).expect("left behind");
        LockFile::acquire(&path, record(1)).expect("the kernel says it is free");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_living_original_keeps_us_out_and_a_dead_one_does_not() {
        let (_dir, places) = places();
        let path = places.gateway(Path::new("/c"));
        drop(LockFile::acquire(&path, record(1)).expect("makes the folder"));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep");
        let original =
            |pid, start| format!(r#"{{"pid":{pid},"createdAt":"x","configPath":"/c","startTime":{start}}}"#);
        let started = process::start_time(child.id()).expect("linux");
        fs::write(&path, original(child.id(), started)).expect("written");
        let held = LockFile::acquire(&path, record(1));
        fs::write(&path, original(child.id(), started + 1)).expect("written");
        let reused = LockFile::acquire(&path, record(1)).map(drop);
        fs::write(&path, original(child.id(), started)).expect("written");
        child.kill().expect("killed");
        child.wait().expect("reaped");
        let dead = LockFile::acquire(&path, record(1)).map(drop);
        assert!(matches!(held, Err(Error::Held(Some(owner))) if owner.pid == child.id()));
        assert!(reused.is_ok() && dead.is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_the_folder_is_refused() {
        let (dir, places) = places();
        fs::create_dir(dir.path().join("elsewhere")).expect("folder");
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &places.folder).expect("link");
        let refused = LockFile::acquire(&places.gateway(Path::new("/c")), record(1));
        assert!(matches!(refused, Err(Error::UnsafeFolder(_))));
    }

    #[test]
    fn many_threads_get_one_winner() {
        let (_dir, places) = places();
        let path = places.gateway(Path::new("/c"));
        let taken: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..16).map(|_| scope.spawn(|| LockFile::acquire(&path, record(1)).ok())).collect();
            threads.into_iter().filter_map(|t| t.join().expect("no panic")).collect()
        });
        assert_eq!(taken.len(), 1);
    }
}
