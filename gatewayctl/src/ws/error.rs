//! Every way a conversation with a gateway can fail, kept apart so that "nobody there", "not allowed" and "no" never
//! read the same. Each reads as one line, so that the words of a gateway cannot pass for ours.

use std::io;

use gateway_wire::version::PROTOCOL;
use serde_json::Value;

use crate::text::clean;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address makes no sense.
    #[error("{url} is not a gateway address: {why}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The host's name has no address.
    #[error("connect failed: getaddrinfo ENOTFOUND {host}")]
    Resolve {
        /// The name.
        host: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The socket could not be opened.
    #[error("connect failed: {}", io_words(.source, .address))]
    Connect {
        /// Host and port.
        address: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No trustworthy encrypted connection.
    #[error("TLS failed: {why}")]
    Tls {
        /// What kind of trouble it is.
        problem: TlsProblem,
        /// In words.
        why: String,
    },
    /// Something answers, but it does not speak WebSocket.
    #[error("{0} answers, but it is not a gateway")]
    NotAGateway(String),
    /// No answer in time.
    #[error("gateway timeout after {0}ms")]
    Timeout(u128),
    /// The connection ended before the answer.
    #[error("gateway closed ({}): {}", close_words(*.code), if .reason.is_empty() { "no close reason".into() } else { clean(.reason) })]
    Closed {
        /// The close code; 1006 when there was no close frame.
        code: u16,
        /// The reason in the frame.
        reason: String,
    },
    /// The gateway refused the handshake.
    #[error("gateway closed ({}): {}", refusal_code(.code), clean(.message))]
    Refused {
        /// The error code of the protocol.
        code: String,
        /// The gateway's words.
        message: String,
        /// What a program may read.
        details: Value,
    },
    /// The method failed.
    #[error("{}", clean(.message))]
    Method {
        /// The error code of the protocol.
        code: String,
        /// The gateway's words.
        message: String,
        /// What a program may read.
        details: Value,
    },
    /// It greeted us in another version of the protocol.
    #[error("the gateway speaks protocol {0}, this program speaks {PROTOCOL}")]
    OtherProtocol(u64),
    /// The gateway sent what the protocol does not allow.
    #[error("the gateway sent something unexpected: {}", clean(.0))]
    Protocol(String),
}

/// What can be wrong between a client and a server that should speak TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsProblem {
    /// The server speaks TLS and was spoken to in clear.
    Expected,
    /// The server does not speak TLS.
    NotSpoken,
    /// The certificate is not the one that is pinned.
    OtherCertificate,
    /// No known authority vouches for the certificate.
    Untrusted,
    /// Anything else.
    Other,
}

impl Error {
    /// Whether nobody listens at the address.
    #[must_use]
    pub fn is_nobody_there(&self) -> bool {
        matches!(self, Self::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused)
    }

    /// The request that waits for a person, when this device has to be let in first. It becomes a word of a command
    /// to copy, so it is nothing but an id.
    #[must_use]
    pub fn pairing_request(&self) -> Option<String> {
        match self {
            Self::Refused { message, details, .. } if message == "pairing required" => {
                details["requestId"].as_str().filter(|id| is_id(id)).map(str::to_owned)
            }
            _ => None,
        }
    }

    /// Whether the gateway answered and refused: the wrong secret, a missing pairing or a missing scope.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { code, .. } => refusal_code(code) == 1008,
            Self::Closed { code, .. } => *code == 1008,
            Self::Method { message, .. } => {
                message.starts_with("missing scope: ") || message.starts_with("unauthorized")
            }
            _ => false,
        }
    }
}

/// Whether this is a plain id, and not an option or a command of a shell.
fn is_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=64).contains(&text.len()) && !text.starts_with('-') && text.chars().all(fits)
}

/// The close code that follows a refused handshake: a gateway that cannot judge a client just now says so and does not
/// call it unauthorized.
pub(crate) fn refusal_code(code: &str) -> u16 {
    if code == "UNAVAILABLE" { 1011 } else { 1008 }
}

fn close_words(code: u16) -> String {
    match code {
        1000 => "1000 normal closure".to_owned(),
        1006 => "1006 abnormal closure (no close frame)".to_owned(),
        code => code.to_string(),
    }
}

fn io_words(error: &io::Error, address: &str) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("connect ECONNREFUSED {address}"),
        io::ErrorKind::HostUnreachable => format!("connect EHOSTUNREACH {address}"),
        io::ErrorKind::NetworkUnreachable => format!("connect ENETUNREACH {address}"),
        io::ErrorKind::TimedOut => format!("connect ETIMEDOUT {address}"),
        _ => format!("{address}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_those_of_the_original() {
        let closed = Error::Closed { code: 1006, reason: String::new() };
        assert_eq!(
            closed.to_string(),
            "gateway closed (1006 abnormal closure (no close frame)): no close reason"
        );
        let refused = Error::Refused {
            code: "INVALID_REQUEST".to_owned(),
            message: "unauthorized: gateway token missing (provide gateway auth token)".to_owned(),
            details: Value::Null,
        };
        assert_eq!(
            refused.to_string(),
            "gateway closed (1008): unauthorized: gateway token missing (provide gateway auth token)"
        );
        let nobody = Error::Connect {
            address: "127.0.0.1:18789".to_owned(),
            source: io::ErrorKind::ConnectionRefused.into(),
        };
        assert_eq!(nobody.to_string(), "connect failed: connect ECONNREFUSED 127.0.0.1:18789");
        assert!(nobody.is_nobody_there() && !nobody.is_refusal());
        let forged = Error::Method {
            code: String::new(),
            message: "no\nVerdict: running\u{1b}[2J".to_owned(),
            details: Value::Null,
        };
        assert_eq!(forged.to_string(), r"no\nVerdict: running\u{1b}[2J");
        assert_eq!(Error::Timeout(1500).to_string(), "gateway timeout after 1500ms");
        assert_eq!(
            Error::Closed { code: 1012, reason: "service restart".to_owned() }.to_string(),
            "gateway closed (1012): service restart"
        );
    }

    #[test]
    fn only_an_id_becomes_part_of_a_command() {
        let of = |id: &str| {
            let message = "pairing required".to_owned();
            let details = serde_json::json!({"requestId": id});
            Error::Refused { code: "NOT_PAIRED".to_owned(), message, details }.pairing_request()
        };
        let good = "0b8f8a43-3c1d-4c6e-9a44-0f6f5e1c2b3a";
        assert_eq!(of(good).as_deref(), Some(good));
        for bad in ["", "x; rm -rf ~", "$(id)", "`id`", "--all", "a b", "x\n", &"x".repeat(65)] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }
}
