//! The configuration as the controller needs it: a few values, whether the file is sound, and what the daemon would
//! run on when it is not.

use std::fmt;
use std::path::PathBuf;

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_config::load::{Start, load_or_last_good};
use gateway_config::{Issue, environment, path};
use serde_json::Value;

/// What the file says, or its last good copy when the file is broken. The values may be secrets, so `Debug` leaves them
/// out.
#[derive(Clone)]
pub struct Settings {
    /// Whether there is a file.
    pub exists: bool,
    /// Whether the daemon could start with it.
    pub valid: bool,
    /// What is wrong with it.
    pub issues: Vec<Issue>,
    /// Whether the values below are those of the last good copy.
    pub last_good: bool,
    value: Value,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exists, valid, issues, last_good, .. } = self;
        f.debug_struct("Settings")
            .field("exists", exists)
            .field("valid", valid)
            .field("issues", issues)
            .field("last_good", last_good)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads the file.
    #[must_use]
    pub fn load(paths: &Paths, env: &Env) -> Self {
        match load_or_last_good(paths, env) {
            Start::Ok(snapshot) => {
                let value = snapshot.value;
                Self { exists: snapshot.exists, valid: true, issues: Vec::new(), last_good: false, value }
            }
            Start::Degraded { bad, good } => Self {
                exists: bad.exists,
                valid: false,
                issues: bad.issues,
                last_good: true,
                value: good.value,
            },
            Start::Broken(bad) => {
                let value = Value::Object(serde_json::Map::new());
                Self { exists: bad.exists, valid: false, issues: bad.issues, last_good: false, value }
            }
        }
    }

    /// Settings with this content, as if a sound file held it.
    #[must_use]
    pub const fn from_value(value: Value) -> Self {
        Self { exists: true, valid: true, issues: Vec::new(), last_good: false, value }
    }

    /// `env` with the variables that the file itself sets.
    #[must_use]
    pub fn extend(&self, env: &Env) -> Env {
        environment::with_section(env, &self.value)
    }

    /// The text of a key, unless it is absent or blank.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        path::get_dotted(&self.value, key).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    /// Whether a key is true.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        path::get_dotted(&self.value, key) == Some(&Value::Bool(true))
    }

    /// Whether a key is false, in so many words.
    #[must_use]
    pub fn denied(&self, key: &str) -> bool {
        path::get_dotted(&self.value, key) == Some(&Value::Bool(false))
    }

    /// `gateway.port`, when it is one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        let port = path::get_dotted(&self.value, "gateway.port")?.as_u64()?;
        u16::try_from(port).ok().filter(|port| *port != 0)
    }

    /// The daemon's log file.
    #[must_use]
    pub fn log_file(&self, paths: &Paths) -> PathBuf {
        self.text("logging.file").map_or_else(|| paths.log_file(), |raw| paths.expand(raw))
    }

    /// Whether this machine's clients talk to a gateway elsewhere.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.text("gateway.mode") == Some("remote")
    }
}
