//! What a program may read from a failed call beside its code: a reason word and a time to wait, carried as metadata.
//! The text of an error is for people and may change at any time.

use std::time::Duration;

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// Metadata key of the reason word.
pub const REASON_KEY: &str = "gateway-reason";
/// Metadata key of the milliseconds to wait before trying again.
pub const RETRY_AFTER_KEY: &str = "gateway-retry-after-ms";

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The peer is another user.
    PeerRefused,
    /// A field of the request makes no sense.
    InvalidRequest,
    /// The configuration file cannot be used; the one in force stays.
    ConfigInvalid,
    /// A configuration cannot go on trial, or none is.
    ConfigTrial,
    /// The daemon is not ready for this yet.
    Starting,
    /// A stop has begun.
    Draining,
    /// The log file cannot be read.
    LogUnavailable,
    /// Too much is going on; try again.
    Overloaded,
    /// The method did not answer in time.
    Timeout,
    /// A fault of the daemon; its log has the details.
    Internal,
}

const REASONS: [(Reason, &str, Code); 10] = [
    (Reason::PeerRefused, "peer-refused", Code::PermissionDenied),
    (Reason::InvalidRequest, "invalid-request", Code::InvalidArgument),
    (Reason::ConfigInvalid, "config-invalid", Code::FailedPrecondition),
    (Reason::ConfigTrial, "config-trial", Code::FailedPrecondition),
    (Reason::Starting, "starting", Code::Unavailable),
    (Reason::Draining, "draining", Code::Unavailable),
    (Reason::LogUnavailable, "log-unavailable", Code::FailedPrecondition),
    (Reason::Overloaded, "overloaded", Code::ResourceExhausted),
    (Reason::Timeout, "timeout", Code::DeadlineExceeded),
    (Reason::Internal, "internal", Code::Internal),
];

impl Reason {
    /// The word in the metadata.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The gRPC code that goes with it.
    #[must_use]
    pub fn code(self) -> Code {
        self.row().2
    }

    /// The reason that `status` carries, if it carries one this release knows.
    #[must_use]
    pub fn of(status: &Status) -> Option<Self> {
        let word = status.metadata().get(REASON_KEY)?.to_str().ok()?;
        REASONS.iter().find(|(_, known, _)| *known == word).map(|(reason, ..)| *reason)
    }

    /// A failed call with this reason, its code and `text` for people.
    #[must_use]
    pub fn status(self, text: impl Into<String>, retry_after: Option<Duration>) -> Status {
        let mut status = Status::new(self.code(), text);
        status.metadata_mut().insert(REASON_KEY, MetadataValue::from_static(self.as_str()));
        if let Some(wait) = retry_after {
            let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            status.metadata_mut().insert(RETRY_AFTER_KEY, MetadataValue::from(ms));
        }
        status
    }

    fn row(self) -> (Self, &'static str, Code) {
        let found = REASONS.into_iter().find(|(reason, ..)| *reason == self);
        found.unwrap_or((Self::Internal, "internal", Code::Internal))
    }
}

/// How long `status` asks to wait before trying again.
#[must_use]
pub fn retry_after(status: &Status) -> Option<Duration> {
    status.metadata().get(RETRY_AFTER_KEY)?.to_str().ok()?.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_the_trip() {
        for (reason, word, code) in REASONS {
            let status = reason.status("some text", Some(Duration::from_millis(1500)));
            assert_eq!((status.code(), Reason::of(&status)), (code, Some(reason)), "{word}");
            assert_eq!(retry_after(&status), Some(Duration::from_millis(1500)));
        }
    }

    #[test]
    fn other_errors_carry_nothing() {
        let status = Status::internal("peer-refused");
        assert_eq!((Reason::of(&status), retry_after(&status)), (None, None));
    }
}
