//! The exit codes of the daemon. Service files name 69 and 78 as "do not restart": trying again cannot help.

use gateway_base::limits;

/// Why the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Asked to stop.
    Stopped,
    /// Something failed.
    Failed,
    /// A root option is wrong.
    Usage,
    /// The port or the lock is taken.
    Taken,
    /// The configuration is wrong, or a safety rule refused the start.
    Refused,
}

impl Exit {
    /// The number the operating system gets.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Taken => limits::EXIT_TAKEN,
            Self::Refused => limits::EXIT_REFUSED,
        }
    }
}

/// What a person is told before the process ends without having served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The lines for stderr, in order.
    pub lines: Vec<String>,
    /// The exit code that goes with them.
    pub exit: Exit,
}

impl Refusal {
    /// A refusal of one or more lines.
    pub fn new<L: Into<String>>(exit: Exit, lines: impl IntoIterator<Item = L>) -> Self {
        Self { lines: lines.into_iter().map(Into::into).collect(), exit }
    }
}
