//! How a command ends: the exit codes that `--help` lists, and the one error type that carries a code, a sentence for
//! people and the next command to try.

use std::fmt;

use serde::Serialize;

/// Exit codes of `gatewayctl`. Scripts rely on them; they are listed in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done as asked.
    Ok,
    /// The command failed, or the gateway it asked is unreachable or unhealthy.
    Failed,
    /// The command line is wrong.
    Usage,
    /// No gateway runs here.
    NotRunning,
    /// The gateway answered and refused: wrong secret, missing pairing, missing scope, another user.
    Refused,
    /// The configuration file is broken, or the edit would break it.
    BadConfig,
}

impl Exit {
    /// The number the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotRunning => 3,
            Self::Refused => 4,
            Self::BadConfig => 78,
        }
    }

    /// How a process of this program ended.
    #[must_use]
    pub fn of_code(code: i32) -> Option<Self> {
        let all = [Self::Ok, Self::Failed, Self::Usage, Self::NotRunning, Self::Refused, Self::BadConfig];
        all.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// The word that `--json` documents use for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotRunning => "not-running",
            Self::Refused => "refused",
            Self::BadConfig => "bad-config",
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody reads standard output any more; the command ends quietly.
    Closed,
    /// The answer was printed and is itself bad news; only the code is left to say.
    Told(Exit),
    /// The command failed for a reason to be printed.
    Failed(Reason),
}

/// What to print when a command failed.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// The exit code.
    pub exit: Exit,
    /// What failed, with which value; may have several lines.
    pub message: String,
    /// The next command, or what to change.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with a code and a text.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Failed(Reason { exit, message: message.into(), hint: None })
    }

    /// [`Exit::Failed`] with a text.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Failed(reason) = &mut self {
            reason.hint = Some(hint.into());
        }
        self
    }

    /// Puts `context: ` in front of the text.
    #[must_use]
    pub fn context(mut self, context: &str) -> Self {
        if let Self::Failed(reason) = &mut self {
            reason.message = format!("{context}: {}", reason.message);
        }
        self
    }

    /// The code to end with.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Closed => Exit::Ok,
            Self::Told(exit) => *exit,
            Self::Failed(reason) => reason.exit,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the output was closed"),
            Self::Told(exit) => f.write_str(exit.word()),
            Self::Failed(reason) => f.write_str(&reason.message),
        }
    }
}

impl std::error::Error for Failure {}

/// The one document of a failed command under `--json`.
#[derive(Debug, Serialize)]
pub struct ErrorDocument<'a> {
    ok: bool,
    error: ErrorBody<'a>,
}

#[derive(Debug, Serialize)]
struct ErrorBody<'a> {
    kind: &'static str,
    exit: u8,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

impl<'a> From<&'a Reason> for ErrorDocument<'a> {
    fn from(reason: &'a Reason) -> Self {
        let Reason { exit, message, hint } = reason;
        Self {
            ok: false,
            error: ErrorBody { kind: exit.word(), exit: exit.code(), message, hint: hint.as_deref() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    #[test]
    fn every_failure_is_a_document_too() {
        for exit in [Exit::Failed, Exit::Usage, Exit::NotRunning, Exit::Refused, Exit::BadConfig] {
            let Failure::Failed(reason) = Failure::new(exit, "why").hint("what next") else {
                panic!("a reason")
            };
            assert_schema("error", &ErrorDocument::from(&reason));
        }
    }
}
