//! What the checks judge: plain values, gathered once. Nothing here looks at the machine.

mod access;
mod machine;
mod service;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_admin::v1::{HealthResponse, StatusResponse};
use gateway_base::clock::UnixMs;
use gateway_base::paths::Paths;
use gateway_base::profile;
use gateway_config::{Config, Snapshot};
use gateway_wire::types::devices::DevicePairListResult;

pub use self::access::{AccessFacts, Auth, Identity, goes_beyond, host, is_local};
pub use self::machine::{Descriptors, Disk, MachineFacts, Watches, Zone};
pub use self::service::{CutOff, Process, ServiceFacts, WayFacts};
use super::repair::ConfigRepair;
use crate::spelling::Words;

/// Why something that a check asks for is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown(pub String);

/// Everything that is known.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Where this gateway keeps its things.
    pub paths: Paths,
    /// The spelling of suggested commands.
    pub words: Words,
    /// The time of day.
    pub now: UnixMs,
    /// The configuration.
    pub config: ConfigFacts,
    /// The files that hold secrets or private words; nothing where files have no modes.
    pub files: Option<Vec<FileFact>>,
    /// The user who asks; nothing where users have no numbers.
    pub uid: Option<u32>,
    /// The operating system's service.
    pub service: ServiceFacts,
    /// The upgrade that did not end.
    pub upgrade: Option<CutOff>,
    /// What is in the way of a gateway.
    pub way: WayFacts,
    /// What the daemon said.
    pub daemon: DaemonFacts,
    /// The store's file, looked at from outside while no daemon has it.
    pub store: StoreFacts,
    /// Who can reach the gateway, and with what.
    pub access: AccessFacts,
    /// What it runs on.
    pub machine: MachineFacts,
    /// The log files with their sizes.
    pub logs: Vec<(PathBuf, u64)>,
}

/// The configuration file, and what can be made of it.
#[derive(Clone, Debug)]
pub struct ConfigFacts {
    /// The file as the daemon would read it.
    pub snapshot: Snapshot,
    /// What `--fix` would do to it.
    pub repair: Option<ConfigRepair>,
    /// The last good copy, when there is a valid one.
    pub last_good: Option<PathBuf>,
    /// What a daemon would run on: the file, or the repaired file, or the last good copy.
    pub effective: Option<Arc<Config>>,
}

/// A file or folder that is nobody else's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFact {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub kind: FileKind,
    /// Its permission bits.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Tokens, keys, passwords, or everything at once.
    Secret,
    /// What people and the assistant said.
    Private,
    /// The folder of such files.
    Folder,
}

/// What came of asking the daemon.
#[derive(Clone, Debug)]
pub enum DaemonFacts {
    /// It answered.
    Answered(Box<Answers>),
    /// None runs here.
    NotRunning,
    /// It belongs to somebody else.
    Refused(String),
    /// It is there and does not answer.
    Silent(String),
}

/// What the daemon said.
#[derive(Clone, Debug)]
pub struct Answers {
    /// Of itself.
    pub status: StatusResponse,
    /// Of its parts.
    pub health: HealthResponse,
    /// Of the devices; or why it did not say.
    pub devices: Result<DevicePairListResult, String>,
}

/// The store's file from outside. Nothing is opened while a daemon may have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreFacts {
    /// The file.
    pub path: PathBuf,
    /// Its size, when it is there.
    pub size: Option<u64>,
    /// Its first hundred bytes.
    pub header: Vec<u8>,
    /// The log that belongs to it is beside it.
    pub has_log: bool,
    /// Why it cannot be read.
    pub unreadable: Option<String>,
}

impl Facts {
    /// What the running daemon said, if one answered.
    #[must_use]
    pub fn answers(&self) -> Option<&Answers> {
        match &self.daemon {
            DaemonFacts::Answered(answers) => Some(answers),
            DaemonFacts::NotRunning | DaemonFacts::Refused(_) | DaemonFacts::Silent(_) => None,
        }
    }

    /// The configuration a daemon would run on.
    pub fn effective(&self) -> Result<&Config, Unknown> {
        let unknown = || Unknown("the configuration cannot be read".to_owned());
        self.config.effective.as_deref().ok_or_else(unknown)
    }

    /// A command of this program to suggest, with the profile when one is active.
    #[must_use]
    pub fn command(&self, words: &str) -> String {
        profile::hint(self.paths.profile.as_ref(), &format!("{} {words}", self.words.control))
    }

    /// How to have this command repair what it found.
    #[must_use]
    pub fn fix(&self) -> String {
        self.doctor("--fix")
    }

    /// This command with other options, spelled as the original's is.
    #[must_use]
    pub fn doctor(&self, options: &str) -> String {
        profile::hint(self.paths.profile.as_ref(), &format!("{} doctor {options}", self.words.program()))
    }

    /// A path for people.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        self.paths.tilde(path)
    }
}

/// A path for a shell.
#[must_use]
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
pub mod testing;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("/h/.clawdbot/a.json")), "/h/.clawdbot/a.json");
        assert_eq!(quoted(Path::new("/h/it's me/a")), r"'/h/it'\''s me/a'");
    }
}
