//! A home folder and the facts about it, for tests.

use std::fs;

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::secret::Secret;

use crate::facts::{Around, Facts, Host};

/// The token that a test's machine makes up.
pub const FRESH: &str = "fresh-token-of-the-test";

/// A home folder with this configuration, if any.
pub struct Home {
    pub dir: tempfile::TempDir,
    pub env: Env,
    pub paths: Paths,
}

impl Home {
    pub fn new(config: Option<&str>) -> Self {
        let dir = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([
            ("HOME", dir.path().display().to_string()),
            ("TMPDIR", dir.path().join("tmp").display().to_string()),
        ]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        if let Some(config) = config {
            fs::create_dir_all(&paths.state).expect("folder");
            fs::write(&paths.config, config).expect("file");
        }
        Self { dir, env, paths }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.set(name, value);
        self
    }

    pub fn facts(&self, host: Host) -> Facts {
        let (doctor, fresh_token) = ("gatewayctl doctor".to_owned(), Secret::new(FRESH));
        Facts::read(
            &self.paths,
            &self.env,
            Around { host, serving: None, tailscale: true, doctor, fresh_token },
        )
    }

    /// The path as people see it, with the home folder shortened.
    pub fn shown(&self, text: &str) -> String {
        text.replace(&self.dir.path().display().to_string(), "~")
    }

    pub fn config(&self) -> String {
        fs::read_to_string(&self.paths.config).expect("a config")
    }
}
