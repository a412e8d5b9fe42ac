//! Why a target is probed, and how long that may take.

use std::time::Duration;

/// Why a target is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was named on the command line.
    Explicit,
    /// It is configured, and used or not.
    Remote {
        /// Whether the configuration's mode is remote.
        active: bool,
    },
    /// It is on this machine.
    Local,
}

impl Kind {
    /// The word for programs.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Remote { .. } => "configRemote",
            Self::Local => "localLoopback",
        }
    }

    /// The words for people.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Explicit => "URL (explicit)",
            Self::Remote { active: true } => "Remote (configured)",
            Self::Remote { active: false } => "Remote (configured, inactive)",
            Self::Local => "Local loopback",
        }
    }

    /// How long it may take.
    pub const fn budget(self) -> Duration {
        match self {
            Self::Explicit | Self::Remote { .. } => Duration::from_millis(1500),
            Self::Local => Duration::from_millis(800),
        }
    }
}
