//! A home folder of its own for each test. It is removed when the test passed and kept when it failed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// The shared secret that [`Home::configured`] writes.
pub const TOKEN: &str = "token-of-the-tests";

/// A temporary home folder.
#[derive(Debug)]
pub struct Home {
    dir: Option<TempDir>,
    path: PathBuf,
}

impl Home {
    /// An empty one.
    pub fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("gw-").tempdir().context("creating a home folder")?;
        // The system's folder for temporary files may be a link, and the daemon prints real paths.
        let path = fs::canonicalize(dir.path())?;
        Ok(Self { dir: Some(dir), path })
    }

    /// One with the smallest configuration that starts: local mode and [`TOKEN`].
    pub fn configured() -> Result<Self> {
        let home = Self::new()?;
        home.write_config(&format!(
            "{{ gateway: {{ mode: 'local', auth: {{ mode: 'token', token: '{TOKEN}' }} }} }}\n"
        ))?;
        Ok(home)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `~/.clawdbot`.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.path.join(".clawdbot")
    }

    /// `~/.clawdbot/clawdbot.json`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.state().join("clawdbot.json")
    }

    /// Writes the configuration file.
    pub fn write_config(&self, text: &str) -> Result<()> {
        self.write(".clawdbot/clawdbot.json", text)
    }

    /// Writes any file below the home folder, with its folders.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// Reads a file below the home folder.
    pub fn read(&self, name: &str) -> Result<String> {
        let path = self.path.join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(dir) = self.dir.take() {
            crate::case::bury(dir);
        }
    }
}
