//! How the control plane answered the probe.

use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::ws::{Error, Timing, TlsProblem};

/// How the control plane answered.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rpc {
    /// Whether it did.
    pub ok: bool,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was connected to.
    pub url: String,
    /// From the socket's start to the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// What kind of failure it was.
    #[serde(skip)]
    pub failure: Option<RpcFailure>,
    /// With what we came.
    #[serde(skip)]
    pub secret: &'static str,
    /// The state folder of whoever answered.
    #[serde(skip)]
    pub state_dir: Option<PathBuf>,
    /// The request to pair that waits for a person.
    #[serde(skip)]
    pub pairing: Option<String>,
}

/// The kinds of failure that mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RpcFailure {
    /// Our own key cannot be read or made, so nobody was asked.
    OwnKey,
    /// The address makes no sense.
    BadAddress,
    /// The host's name has no address.
    UnknownHost,
    /// No way leads there.
    Unreachable,
    /// Nobody listens.
    NobodyThere,
    /// Somebody accepts and says nothing.
    NoAnswer,
    /// Whoever answers is no gateway.
    NotAGateway,
    /// Encryption is in the way.
    Tls(TlsProblem),
    /// It speaks another protocol.
    Protocol,
    /// It cannot take us now.
    Unavailable,
    /// The secret is wrong or missing.
    Refused,
    /// This device has to be let in first.
    Unpaired,
    /// Its clock and ours differ.
    Clock,
    /// We are in, but may not ask this.
    Scope,
}

impl RpcFailure {
    /// What an error means for a connection that came as far as `timing` tells.
    pub fn of(error: &Error, timing: &Timing) -> Self {
        match error {
            Error::Url { .. } => Self::BadAddress,
            Error::Resolve { .. } => Self::UnknownHost,
            Error::Connect { .. } if timing.was_accepted() => Self::NoAnswer,
            Error::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
                Self::NobodyThere
            }
            Error::Connect { .. } => Self::Unreachable,
            Error::Timeout(_) if timing.was_accepted() => Self::NoAnswer,
            Error::Timeout(_) if timing.resolve.is_some() => Self::Unreachable,
            Error::Timeout(_) => Self::UnknownHost,
            Error::Tls { problem, .. } => Self::Tls(*problem),
            Error::NotAGateway(_) | Error::Protocol(_) => Self::NotAGateway,
            Error::OtherProtocol(_) => Self::Protocol,
            Error::Closed { code: 1008, .. } => Self::Refused,
            Error::Closed { .. } => Self::NoAnswer,
            Error::Refused { code, message, .. } => match message.as_str() {
                "protocol mismatch" => Self::Protocol,
                "pairing required" => Self::Unpaired,
                "device signature expired" => Self::Clock,
                _ if code == "UNAVAILABLE" => Self::Unavailable,
                _ => Self::Refused,
            },
            Error::Method { .. } if error.is_refusal() => Self::Scope,
            Error::Method { message, .. } if message.starts_with("unknown method") => Self::Protocol,
            Error::Method { .. } => Self::Unavailable,
        }
    }

    /// Whether a gateway spoke to us, whatever it said.
    pub const fn is_an_answer(self) -> bool {
        matches!(
            self,
            Self::Protocol | Self::Unavailable | Self::Refused | Self::Unpaired | Self::Clock | Self::Scope
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;

    #[test]
    fn an_error_means_what_the_connection_came_to() {
        let took = Some(Duration::from_millis(1));
        let nowhere = Timing::default();
        let resolved = Timing { resolve: took, ..nowhere };
        let accepted = Timing { tcp: took, ..resolved };
        let connect = |kind: io::ErrorKind| Error::Connect { address: "a:1".to_owned(), source: kind.into() };
        let refused = |code: &str, message: &str| Error::Refused {
            code: code.to_owned(),
            message: message.to_owned(),
            details: Value::Null,
        };
        let method = |message: &str| Error::Method {
            code: "INVALID_REQUEST".to_owned(),
            message: message.to_owned(),
            details: Value::Null,
        };
        let closed = |code| Error::Closed { code, reason: String::new() };
        for (error, timing, failure) in [
            (Error::Timeout(1), nowhere, RpcFailure::UnknownHost),
            (Error::Timeout(1), resolved, RpcFailure::Unreachable),
            (Error::Timeout(1), accepted, RpcFailure::NoAnswer),
            (connect(io::ErrorKind::ConnectionRefused), resolved, RpcFailure::NobodyThere),
            (connect(io::ErrorKind::HostUnreachable), resolved, RpcFailure::Unreachable),
            (connect(io::ErrorKind::ConnectionReset), accepted, RpcFailure::NoAnswer),
            (closed(1006), accepted, RpcFailure::NoAnswer),
            (closed(1008), accepted, RpcFailure::Refused),
            (Error::OtherProtocol(2), accepted, RpcFailure::Protocol),
            (Error::Protocol("x".to_owned()), accepted, RpcFailure::NotAGateway),
            (refused("INVALID_REQUEST", "protocol mismatch"), accepted, RpcFailure::Protocol),
            (refused("NOT_PAIRED", "pairing required"), accepted, RpcFailure::Unpaired),
            (refused("INVALID_REQUEST", "device signature expired"), accepted, RpcFailure::Clock),
            (refused("UNAVAILABLE", "the store failed"), accepted, RpcFailure::Unavailable),
            (refused("INVALID_REQUEST", "unauthorized: x"), accepted, RpcFailure::Refused),
            (method("missing scope: operator.read"), accepted, RpcFailure::Scope),
            (method("unknown method: status"), accepted, RpcFailure::Protocol),
            (method("the store failed"), accepted, RpcFailure::Unavailable),
        ] {
            assert_eq!(RpcFailure::of(&error, &timing), failure, "{error:?} {timing:?}");
        }
    }
}
