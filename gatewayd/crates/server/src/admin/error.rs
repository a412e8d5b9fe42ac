//! What a request to the admin service can fail with, and the one mapping of it to a gRPC status. A caller gets the
//! outermost text and a reason word; causes go to the log.

use std::time::Duration;

use gateway_admin::details::Reason;
use gateway_base::error_chain::Chain;
use tonic::Status;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request makes no sense; the text says which field and why.
    #[error("{0}")]
    InvalidRequest(String),
    /// The configuration file cannot be used; the text says where and why.
    #[error("{0}")]
    ConfigInvalid(String),
    /// A configuration cannot go on trial, or none is; the text says why.
    #[error("{0}")]
    ConfigTrial(String),
    /// The daemon is not ready for this yet.
    #[error("the gateway is starting; try again in a moment")]
    Starting,
    /// A stop has begun.
    #[error("the gateway is stopping")]
    Draining,
    /// The log file cannot be read.
    #[error("the log file {path} cannot be read")]
    Log {
        /// The file.
        path: std::path::PathBuf,
        /// What happened.
        #[source]
        source: std::io::Error,
    },
    /// Too much is going on.
    #[error("the gateway is busy; try again in {} ms", retry_after.as_millis())]
    Overloaded {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Something did not answer in time; the text says what.
    #[error("{0}")]
    Timeout(String),
    /// A fault of the daemon.
    #[error("the gateway failed to do this; its log has the details")]
    Internal(#[source] Source),
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let (reason, wait) = match &error {
            Error::InvalidRequest(_) => (Reason::InvalidRequest, None),
            Error::ConfigInvalid(_) => (Reason::ConfigInvalid, None),
            Error::ConfigTrial(_) => (Reason::ConfigTrial, None),
            Error::Starting => (Reason::Starting, Some(Duration::from_millis(250))),
            Error::Draining => (Reason::Draining, None),
            Error::Log { .. } => (Reason::LogUnavailable, None),
            Error::Overloaded { retry_after } => (Reason::Overloaded, Some(*retry_after)),
            Error::Timeout(_) => (Reason::Timeout, None),
            Error::Internal(_) => (Reason::Internal, None),
        };
        if std::error::Error::source(&error).is_some() {
            tracing::error!(subsystem = "admin", reason = reason.as_str(), "{}", Chain(&error));
        }
        reason.status(text, wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_stays_inside() {
        let status = Status::from(Error::Internal("secret path /x".into()));
        assert_eq!((status.code(), Reason::of(&status)), (tonic::Code::Internal, Some(Reason::Internal)));
        assert!(!status.message().contains("secret"), "{status:?}");
    }

    #[test]
    fn a_hint_to_wait_is_carried() {
        let status = Status::from(Error::Overloaded { retry_after: Duration::from_millis(700) });
        assert_eq!(gateway_admin::details::retry_after(&status), Some(Duration::from_millis(700)));
        assert_eq!(status.message(), "the gateway is busy; try again in 700 ms");
    }
}
