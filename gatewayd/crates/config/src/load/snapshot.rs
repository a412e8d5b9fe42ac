//! What one reading of the configuration found.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use serde_json::Value;

use crate::issue::Issue;
use crate::sections::Config;

/// Where a configuration is read: the paths and the environment it may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Paths of this gateway; includes are relative to the folder of the config file.
    pub paths: &'a Paths,
    /// Environment for `${VAR}`.
    pub env: &'a Env,
}

/// The result of one reading. Its texts and values may hold secrets, so `Debug` leaves them out.
#[derive(Clone)]
pub struct Snapshot {
    /// The file.
    pub path: PathBuf,
    /// Whether it exists.
    pub exists: bool,
    /// Its text, when it could be read.
    pub raw: Option<String>,
    /// Its value before includes are resolved.
    pub parsed: Value,
    /// Its value with includes merged in and variables still as written.
    pub merged: Value,
    /// Whether the daemon may run on it.
    pub valid: bool,
    /// The resolved value, with defaults when it is valid.
    pub value: Value,
    /// The typed view of `value`; of an empty configuration when it is not valid.
    pub config: Arc<Config>,
    /// SHA-256 of the text in hex digits; of the empty text when there is no file, and empty when it cannot be read.
    pub hash: String,
    /// What makes it invalid.
    pub issues: Vec<Issue>,
    /// What is doubtful.
    pub warnings: Vec<Issue>,
    /// Old keys that must be migrated; they are among the issues as well.
    pub legacy_issues: Vec<Issue>,
    /// The file and everything it includes, to be watched.
    pub files: Vec<PathBuf>,
}

impl Snapshot {
    /// An empty, valid reading of `path`, to be filled in.
    pub(super) fn empty(path: &Path) -> Self {
        let empty = Value::Object(serde_json::Map::new());
        Self {
            path: path.to_path_buf(),
            exists: false,
            raw: None,
            parsed: empty.clone(),
            merged: empty.clone(),
            valid: true,
            value: empty,
            config: Arc::new(Config::default()),
            hash: String::new(),
            issues: Vec::new(),
            warnings: Vec::new(),
            legacy_issues: Vec::new(),
            files: vec![path.to_path_buf()],
        }
    }

    /// The same reading, found invalid.
    pub(super) fn refuse(mut self, issues: Vec<Issue>) -> Self {
        self.valid = false;
        self.issues = issues;
        self
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, exists, valid, hash, issues, warnings, .. } = self;
        f.debug_struct("Snapshot")
            .field("path", path)
            .field("exists", exists)
            .field("valid", valid)
            .field("hash", hash)
            .field("issues", issues)
            .field("warnings", warnings)
            .finish_non_exhaustive()
    }
}
