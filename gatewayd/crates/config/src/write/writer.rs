//! The transaction.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use gateway_base::atomic_file;
use gateway_base::clock::{UnixMs, iso_utc};
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use serde_json::Value;

use super::loss::{missing, placeholder};
use super::unreadable::Unreadable;
use crate::edit::{self, Document};
use crate::issue::Issue;
use crate::load::{self, Read, Snapshot};
use crate::path::Segment;
use crate::redact::PLACEHOLDER;

/// How many copies are kept: `.bak`, `.bak.1` and so on.
const COPIES: usize = 5;

/// Why a write was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller did not say which state it changes.
    #[error("config base hash required; re-run config.get and retry")]
    BaseHashRequired,
    /// The file changed in the meantime.
    #[error("config changed since last load; re-run config.get and retry")]
    Changed,
    /// The file exists but cannot be read.
    #[error("config base hash unavailable; re-run config.get and retry")]
    BaseHashUnavailable,
    /// The new text is not JSON5.
    #[error("{0}")]
    Syntax(String),
    /// The new text is not a valid configuration.
    #[error("Config validation failed: {}", first(issues))]
    Invalid {
        /// What is wrong.
        issues: Vec<Issue>,
    },
    /// The new text has a blotted-out secret where the secret belongs.
    #[error(
        "{path} holds the placeholder {PLACEHOLDER} instead of a value; leave it out or give the real value"
    )]
    Placeholder {
        /// Where.
        path: String,
    },
    /// The new text lacks keys nobody asked to remove.
    #[error("refusing to drop {} from the config; nothing was written", paths.join(", "))]
    Drops {
        /// Which.
        paths: Vec<String>,
    },
    /// Another change is on trial.
    #[error(
        "a config change waits to be confirmed; confirm it or take it back first (gatewayctl config confirm, gatewayctl config rollback)"
    )]
    OnTrial,
    /// The record of a change on trial cannot be used.
    #[error(transparent)]
    Record(#[from] Unreadable),
    /// The file could not be written.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// Which keys of the present file may be missing from the new text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drops {
    /// None.
    None,
    /// These dotted paths and everything below them.
    Paths(Vec<String>),
    /// Any: the caller replaces the whole file on purpose.
    All,
}

/// What a write left behind.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The file.
    pub path: PathBuf,
    /// The configuration that was written, resolved.
    pub snapshot: Snapshot,
    /// The copy of the text before, if there was one.
    pub copy: Option<PathBuf>,
}

/// A numbered copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When its content was written.
    pub modified: std::time::SystemTime,
}

/// Writes one config file.
#[derive(Clone, Debug)]
pub struct Writer {
    pub(super) paths: Paths,
    pub(super) env: Env,
}

impl Writer {
    /// A writer for the config file of `paths`.
    #[must_use]
    pub fn new(paths: Paths, env: Env) -> Self {
        Self { paths, env }
    }

    /// Replaces the file by `text`. When a file exists, `base_hash` must be the hash of its text.
    pub fn commit(&self, text: &str, base_hash: Option<&str>, drops: &Drops) -> Result<Committed, Error> {
        let path = &self.paths.config;
        let folder = path.parent().unwrap_or(Path::new("."));
        atomic_file::create_private_dir(folder).map_err(|source| failed("create", folder, source))?;
        let _lock = self.lock()?;
        self.refuse_on_trial()?;
        let before = self.check_base(base_hash)?;
        let snapshot = self.check(text, before.as_deref(), drops)?;
        self.replace(text, before.as_deref(), snapshot)
    }

    /// Keeps a copy of what was there before and puts `text`, which was read as `snapshot`, in its place.
    pub(super) fn replace(
        &self,
        text: &str,
        before: Option<&str>,
        snapshot: Snapshot,
    ) -> Result<Committed, Error> {
        let path = &self.paths.config;
        let copy = before.map(|before| self.keep_copy(before)).transpose()?;
        atomic_file::replace(path, text.as_bytes()).map_err(|source| failed("write", path, source))?;
        Ok(Committed { path: path.clone(), snapshot: Snapshot { exists: true, ..snapshot }, copy })
    }

    /// The document of the present file, to be edited and committed; `{}` when there is none. Comes with its hash.
    pub fn open(&self) -> Result<(Document, Option<String>), Error> {
        let path = &self.paths.config;
        let (text, hash) = match load::read(path) {
            Read::Missing => ("{}\n".to_owned(), None),
            Read::Text(text) => {
                let hash = gateway_base::id::sha256_hex(text.as_bytes());
                (text, Some(hash))
            }
            Read::Unusable(why) => return Err(failed("read", path, io::Error::other(why))),
        };
        let document = Document::parse(&text).map_err(|error| Error::Syntax(error.to_string()))?;
        Ok((document.at(path), hash))
    }

    pub(super) fn check_base(&self, base_hash: Option<&str>) -> Result<Option<String>, Error> {
        match load::read(&self.paths.config) {
            Read::Missing => Ok(None),
            Read::Unusable(_) => Err(Error::BaseHashUnavailable),
            Read::Text(text) => match base_hash.map(str::trim).filter(|hash| !hash.is_empty()) {
                None => Err(Error::BaseHashRequired),
                Some(hash) if hash == gateway_base::id::sha256_hex(text.as_bytes()) => Ok(Some(text)),
                Some(_) => Err(Error::Changed),
            },
        }
    }

    pub(super) fn check(&self, text: &str, before: Option<&str>, drops: &Drops) -> Result<Snapshot, Error> {
        let tree = crate::json5::parse(text).map_err(|error| Error::Syntax(error.to_string()))?;
        if let Some(path) = placeholder(&tree.to_value(), &mut Vec::new()) {
            return Err(Error::Placeholder { path });
        }
        let snapshot = load::parse_text(text, &self.paths, &self.env);
        if !snapshot.valid {
            return Err(Error::Invalid { issues: snapshot.issues });
        }
        if !snapshot.parsed.is_object() {
            return Err(Error::Invalid { issues: vec![Issue::root("Invalid input: expected object")] });
        }
        let before = before.filter(|_| *drops != Drops::All).map(crate::json5::parse);
        if let Some(Ok(before)) = before {
            let mut lost = Vec::new();
            missing(&before.to_value(), &snapshot.parsed, &mut Vec::new(), &mut lost);
            let allowed = |path: &String| match drops {
                Drops::Paths(paths) => paths.iter().any(|p| path == p || path.starts_with(&format!("{p}."))),
                _ => false,
            };
            lost.retain(|path| !allowed(path));
            if !lost.is_empty() {
                return Err(Error::Drops { paths: lost });
            }
        }
        Ok(snapshot)
    }

    /// Moves the copies one number up and makes the present `text` the newest. The new copy is on disk before the others
    /// move, and one that is there already is enough: a disk that stays full must not push out the old ones.
    fn keep_copy(&self, text: &str) -> Result<PathBuf, Error> {
        let copy = copy_path(&self.paths, 0);
        if fs::read(&copy).is_ok_and(|newest| newest == text.as_bytes()) {
            return Ok(copy);
        }
        let fresh = fresh_copy_path(&self.paths);
        atomic_file::replace(&fresh, text.as_bytes()).map_err(|source| failed("write", &copy, source))?;
        for number in (1..COPIES).rev() {
            let (from, to) = (copy_path(&self.paths, number - 1), copy_path(&self.paths, number));
            match fs::rename(&from, &to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("rename", &from, error));
                }
                _ => {}
            }
        }
        // The folder is flushed with the file that replaces the present one.
        fs::rename(&fresh, &copy).map_err(|source| failed("rename", &fresh, source))?;
        Ok(copy)
    }

    /// Keeps other writers out, also those of other processes, for as long as the file is held.
    pub(super) fn lock(&self) -> Result<File, Error> {
        let mut name = self.paths.config.file_name().unwrap_or_default().to_os_string();
        name.push(".lock");
        let path = self.paths.config.with_file_name(name);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        atomic_file::owner_only(&mut options);
        let file = options.open(&path).map_err(|source| failed("open", &path, source))?;
        file.lock().map_err(|source| failed("lock", &path, source))?;
        Ok(file)
    }
}

/// Notes in the text who wrote it and when.
pub fn stamp(document: &mut Document, version: &str, now: UnixMs) -> Result<(), edit::Error> {
    let path = |key: &str| [Segment::Key("meta".to_owned()), Segment::Key(key.to_owned())];
    document.set(&path("lastTouchedVersion"), &Value::String(version.to_owned()))?;
    document.set(&path("lastTouchedAt"), &Value::String(iso_utc(now)))
}

/// The copies that exist, newest first.
#[must_use]
pub fn history(paths: &Paths) -> Vec<Copy> {
    (0..COPIES)
        .filter_map(|number| {
            let path = copy_path(paths, number);
            let meta = fs::metadata(&path).ok()?;
            Some(Copy { bytes: meta.len(), modified: meta.modified().ok()?, path })
        })
        .collect()
}

fn copy_path(paths: &Paths, number: usize) -> PathBuf {
    let mut name = paths.config.file_name().unwrap_or_default().to_os_string();
    name.push(".bak");
    if number > 0 {
        name.push(format!(".{number}"));
    }
    paths.config.with_file_name(name)
}

fn fresh_copy_path(paths: &Paths) -> PathBuf {
    let mut name = copy_path(paths, 0).into_os_string();
    name.push(".new");
    name.into()
}

pub(super) fn failed(what: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Io { what, path: path.to_path_buf(), source }
}

fn first(issues: &[Issue]) -> String {
    issues.first().map(ToString::to_string).unwrap_or_default()
}
