//! The record of one `doctor --fix`, in a folder of its own below the state folder, with the copies it speaks of. An
//! entry is on disk before its change is made, so an interrupted run can be taken back too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gateway_base::atomic_file;
use gateway_base::clock::{UnixMs, iso_utc};
use gateway_base::id::sha256_hex;
use serde::{Deserialize, Serialize};

use super::attributes::Attributes;

const NAME: &str = "journal.json";
const VERSION: u32 = 1;

/// What one run changed.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: PathBuf,
    content: Content,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    version: u32,
    /// The release that wrote it.
    by: String,
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undone_at: Option<String>,
    changes: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The file or folder.
    pub path: PathBuf,
    /// What was done, one line each.
    pub done: Vec<String>,
    /// How it was.
    pub before: Before,
    /// How the change leaves it.
    pub after: After,
}

/// The state before a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Mode and owner.
    pub attributes: Attributes,
    /// The name of the copy in the journal's folder, when the change is one of content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    /// SHA-256 of the copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// The state after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// The permission bits.
    pub mode: u32,
    /// SHA-256 of the content, when the change is one of content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Why a change was not made or not taken back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The configuration could not be written.
    #[error(transparent)]
    Config(#[from] gateway_config::write::Error),
    /// A journal is not what it should be.
    #[error("the journal {} is damaged ({why})", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    /// A failure of the file system.
    pub fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { what, path, source }
    }
}

impl Journal {
    /// Begins a record below `root`, in a folder named after `now`.
    pub fn begin(root: &Path, now: UnixMs) -> Result<Self, Error> {
        atomic_file::create_private_dir(root).map_err(Error::io("create", root))?;
        let at = iso_utc(now);
        let stem = at.replace(':', "-");
        // Two runs in one millisecond are two records.
        let mut folder = root.join(&stem);
        let mut number = 1;
        while folder.exists() {
            number += 1;
            folder = root.join(format!("{stem}-{number}"));
        }
        atomic_file::create_private_dir(&folder).map_err(Error::io("create", &folder))?;
        let by = env!("CARGO_PKG_VERSION").to_owned();
        let content = Content { version: VERSION, by, at, undone_at: None, changes: Vec::new() };
        let journal = Self { folder, content };
        journal.write()?;
        Ok(journal)
    }

    /// The newest record below `root` that was not taken back and holds a change.
    pub fn newest(root: &Path) -> Result<Option<Self>, Error> {
        let entries = match fs::read_dir(root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", root)(error)),
        };
        let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        folders.sort();
        for folder in folders.into_iter().rev() {
            let Some(journal) = Self::read(folder)? else { continue };
            if journal.content.undone_at.is_none() && !journal.content.changes.is_empty() {
                return Ok(Some(journal));
            }
        }
        Ok(None)
    }

    fn read(folder: PathBuf) -> Result<Option<Self>, Error> {
        let path = folder.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let damaged = |why: String| Error::Damaged { path: path.clone(), why };
        let content: Content = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if content.version != VERSION {
            return Err(damaged(format!("version {}", content.version)));
        }
        Ok(Some(Self { folder, content }))
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// When it was begun.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.content.at
    }

    /// The changes in the order they were made.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.content.changes
    }

    /// Copies a file, to be named in a change.
    pub fn copy(&self, path: &Path) -> Result<(String, String), Error> {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        let name = format!("{:02}-{}", self.content.changes.len() + 1, file_name(path));
        let copy = self.folder.join(&name);
        atomic_file::replace(&copy, &bytes).map_err(Error::io("write", &copy))?;
        Ok((name, sha256_hex(&bytes)))
    }

    /// Adds changes that are about to be made.
    pub fn add(&mut self, changes: Vec<Change>) -> Result<(), Error> {
        self.content.changes.extend(changes);
        self.write()
    }

    /// Notes that everything was taken back.
    pub fn mark_undone(&mut self, now: UnixMs) -> Result<(), Error> {
        self.content.undone_at = Some(iso_utc(now));
        self.write()
    }

    fn write(&self) -> Result<(), Error> {
        let path = self.folder.join(NAME);
        let text = serde_json::to_vec_pretty(&self.content).map_err(io::Error::from);
        let written = text.and_then(|text| atomic_file::replace(&path, &text));
        written.map_err(Error::io("write", &path))
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
