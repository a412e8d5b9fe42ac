//! What can go wrong with devices, in the words callers are answered with.

use crate::ports::store;

/// Why a request about devices failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such pairing request waits (or it expired).
    #[error("unknown requestId")]
    UnknownRequest,
    /// No such device, or it does not have that role.
    #[error("unknown deviceId/role")]
    UnknownDevice,
    /// The caller, or the device, does not have what the new token would grant. Deliberately says no more; the log
    /// has the details.
    #[error("not allowed to grant these scopes")]
    NotAllowed,
    /// Too many pairing requests wait.
    #[error("too many pairing requests wait; approve or reject some, or try again in 5 minutes")]
    TooManyRequests,
    /// No further device can be paired.
    #[error("too many paired devices")]
    TooManyDevices,
    /// The description of the device is too long to keep.
    #[error("the device's description or scope list is too long")]
    TooLong,
    /// A record cannot be read; it is left as it is.
    #[error("the stored record {0} cannot be read; it was left untouched")]
    Unreadable(String),
    /// The store refused or failed; nothing was promised.
    #[error("the device store failed")]
    Store(#[source] store::Error),
    /// The daemon is stopping.
    #[error("the gateway is stopping")]
    Stopped,
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// Why a device token was refused. Clients get the text of the shared secret instead; this is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The device is not paired, or not with this key.
    #[error("device-not-paired")]
    NotPaired,
    /// No role was named.
    #[error("role-missing")]
    RoleMissing,
    /// The device has no token for the role.
    #[error("token-missing")]
    TokenMissing,
    /// Its token was revoked.
    #[error("token-revoked")]
    TokenRevoked,
    /// Its token is another.
    #[error("token-mismatch")]
    TokenMismatch,
    /// Its token does not cover the scopes asked for.
    #[error("scope-mismatch")]
    ScopeMismatch,
}
