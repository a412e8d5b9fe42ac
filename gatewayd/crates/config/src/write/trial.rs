//! A change on trial: it is in force, and it is taken back unless somebody confirms it. The record beside the config
//! holds the text to go back to and is on disk before the file is replaced, so that whoever finds it, also after a
//! crash or a power cut, can undo the change with nothing else.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use gateway_base::atomic_file;
use gateway_base::clock::UnixMs;
use gateway_base::id::sha256_hex;
use gateway_base::paths::Paths;
use gateway_base::process;
use serde::{Deserialize, Serialize};

use super::unreadable::Unreadable;
use super::writer::{Committed, Drops, Error, Writer, failed};
use crate::load::{self, Read};

/// The only form of the record so far.
const VERSION: u32 = 1;

/// The record of a change on trial. The text in it may hold secrets, so `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    version: u32,
    /// The process that watches over it. A restart in place stays the same process; any other start is not.
    watcher: Watcher,
    /// When it began.
    pub since: UnixMs,
    /// How long it may stay without being confirmed.
    pub within_ms: u64,
    /// Hash of the text on trial.
    pub hash: String,
    /// The keys it changed.
    pub changed: Vec<String>,
    /// The text to go back to.
    before: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Watcher {
    pid: u32,
    /// Tells the process from a later one with the same number, where the system knows it.
    start_time: Option<u64>,
}

impl Watcher {
    fn this_process() -> Self {
        let pid = std::process::id();
        Self { pid, start_time: process::start_time(pid) }
    }
}

impl Trial {
    /// Whether this process began it, before a restart in place if need be.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.watcher == Watcher::this_process()
    }

    /// When it is taken back.
    #[must_use]
    pub fn deadline(&self) -> UnixMs {
        self.since.saturating_add(UnixMs::try_from(self.within_ms).unwrap_or(UnixMs::MAX))
    }

    /// How much time is left. A wall clock that was set back does not prolong it beyond what was asked for.
    #[must_use]
    pub fn left(&self, now: UnixMs) -> Duration {
        let left = u64::try_from(self.deadline().saturating_sub(now)).unwrap_or(0);
        Duration::from_millis(left.min(self.within_ms))
    }
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { watcher, since, within_ms, hash, changed, .. } = self;
        f.debug_struct("Trial")
            .field("watcher", watcher)
            .field("since", since)
            .field("within_ms", within_ms)
            .field("hash", hash)
            .field("changed", changed)
            .finish_non_exhaustive()
    }
}

/// What taking a change back did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenBack {
    /// The record, which is gone now.
    pub trial: Trial,
    /// The copy of the text that was in the file, when it was another one than the text to go back to.
    pub copy: Option<PathBuf>,
}

/// The change on trial, if there is one.
pub fn trial(paths: &Paths) -> Result<Option<Trial>, Unreadable> {
    let path = record_path(paths);
    let unreadable = |why: String| Unreadable { path: path.clone(), why };
    let text = match load::read(&path) {
        Read::Missing => return Ok(None),
        Read::Unusable(why) => return Err(unreadable(why)),
        Read::Text(text) => text,
    };
    let trial: Trial = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
    if trial.version != VERSION {
        return Err(unreadable(format!(
            "it has the form {}, which this release does not know",
            trial.version
        )));
    }
    Ok(Some(trial))
}

/// Where the record is.
#[must_use]
pub fn record_path(paths: &Paths) -> PathBuf {
    let mut name = paths.config.file_name().unwrap_or_default().to_os_string();
    name.push(".trial");
    paths.config.with_file_name(name)
}

impl Writer {
    /// Replaces the file by `text` on trial. `base_hash` is the hash of the text to go back to.
    pub fn begin_trial(
        &self,
        text: &str,
        base_hash: &str,
        within: Duration,
        now: UnixMs,
    ) -> Result<Committed, Error> {
        let _lock = self.lock()?;
        if trial(&self.paths)?.is_some() {
            return Err(Error::OnTrial);
        }
        let before = self.check_base(Some(base_hash))?.ok_or(Error::Changed)?;
        let snapshot = self.check(text, Some(&before), &Drops::All)?;
        let old = load::parse_text(&before, &self.paths, &self.env);
        let trial = Trial {
            version: VERSION,
            watcher: Watcher::this_process(),
            since: now,
            within_ms: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
            hash: sha256_hex(text.as_bytes()),
            changed: crate::diff::changed(&old.value, &snapshot.value),
            before,
        };
        let record = record_path(&self.paths);
        let line = serde_json::to_vec(&trial).map_err(|error| failed("write", &record, error.into()))?;
        if u64::try_from(line.len()).unwrap_or(u64::MAX) > load::MAX_BYTES {
            let why = "the present file is too large to be kept in it";
            return Err(failed("write", &record, io::Error::other(why)));
        }
        atomic_file::replace(&record, &line).map_err(|source| failed("write", &record, source))?;
        self.replace(text, Some(trial.before.as_str()), snapshot).inspect_err(|_| {
            // Nothing is on trial. A record that stays means that the old text is put back where it is already.
            let _ = fs::remove_file(&record);
        })
    }

    /// Keeps the change on trial. Nothing when there is none.
    pub fn confirm_trial(&self) -> Result<Option<Trial>, Error> {
        let _lock = self.lock()?;
        let Some(trial) = trial(&self.paths)? else { return Ok(None) };
        self.forget_trial()?;
        Ok(Some(trial))
    }

    /// Puts the text from before the trial back. What is in the file now becomes a numbered copy. Nothing when there
    /// is no trial.
    pub fn take_back(&self) -> Result<Option<TakenBack>, Error> {
        let _lock = self.lock()?;
        let Some(trial) = trial(&self.paths)? else { return Ok(None) };
        let snapshot = self.check(&trial.before, None, &Drops::All)?;
        let present = match load::read(&self.paths.config) {
            Read::Text(text) => Some(text),
            Read::Missing => None,
            Read::Unusable(why) => return Err(failed("read", &self.paths.config, io::Error::other(why))),
        };
        let copy = if present.as_ref() == Some(&trial.before) {
            None
        } else {
            self.replace(&trial.before, present.as_deref(), snapshot)?.copy
        };
        self.forget_trial()?;
        Ok(Some(TakenBack { trial, copy }))
    }

    /// An ordinary write would be lost when the change on trial is taken back. A record that cannot be read is never
    /// taken back, so it is in nobody's way.
    pub(super) fn refuse_on_trial(&self) -> Result<(), Error> {
        match trial(&self.paths) {
            Ok(Some(_)) => Err(Error::OnTrial),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    fn forget_trial(&self) -> Result<(), Error> {
        let record = record_path(&self.paths);
        fs::remove_file(&record).map_err(|source| failed("remove", &record, source))?;
        let folder = record.parent().unwrap_or(&record);
        atomic_file::sync_dir(folder).map_err(|source| failed("flush", folder, source))
    }
}
