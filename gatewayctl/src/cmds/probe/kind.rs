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
    /// It is reached through a tunnel.
    Ssh,
    /// It is on this machine.
    Local,
}

impl Kind {
    /// The word for programs.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Remote { .. } => "configRemote",
            Self::Ssh => "sshTunnel",
            Self::Local => "localLoopback",
        }
    }

    /// The words for people.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Explicit => "URL (explicit)",
            Self::Remote { active: true } => "Remote (configured)",
            Self::Remote { active: false } => "Remote (configured, inactive)",
            Self::Ssh => "Remote over SSH",
            Self::Local => "Local loopback",
        }
    }

    /// Which of several reachable ones is meant: the lowest.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Explicit => 0,
            Self::Ssh => 1,
            Self::Remote { .. } => 2,
            Self::Local => 3,
        }
    }

    /// How long it may take.
    pub const fn budget(self) -> Duration {
        match self {
            Self::Explicit | Self::Remote { .. } => Duration::from_millis(1500),
            Self::Ssh => Duration::from_millis(2000),
            Self::Local => Duration::from_millis(800),
        }
    }
}
