//! The error object of a response. TS clients validate it and silently drop a frame whose error has an empty
//! message or an unknown property, and their caller then hangs; so the type makes both impossible.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a request failed, in the words of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// The request is wrong, not allowed, or refers to something that does not exist.
    InvalidRequest,
    /// The request may be right, but it cannot be served now.
    Unavailable,
    /// The device has to be paired first.
    NotPaired,
    /// The channel is not linked to an account. Defined by the protocol, never sent by a gateway.
    NotLinked,
    /// The agent did not answer in time. Defined by the protocol, never sent by a gateway.
    AgentTimeout,
}

impl Code {
    /// The code as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::Unavailable => "UNAVAILABLE",
            Self::NotPaired => "NOT_PAIRED",
            Self::NotLinked => "NOT_LINKED",
            Self::AgentTimeout => "AGENT_TIMEOUT",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text of an error; never empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Message(String);

impl Message {
    /// Takes a text; a blank one becomes `unknown error`.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self(if text.trim().is_empty() { "unknown error".to_owned() } else { text })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl std::ops::Deref for Message {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PartialEq<str> for Message {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Message {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// The `error` of a response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct ErrorShape {
    /// The class of the failure.
    pub code: Code,
    /// What a person reads.
    pub message: Message,
    /// What a program may read; its form depends on the method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// Whether trying again can help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// How long to wait before trying again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl ErrorShape {
    /// An error with a code and a text, and nothing else.
    pub fn new(code: Code, message: impl Into<Message>) -> Self {
        Self { code, message: message.into(), details: None, retryable: None, retry_after_ms: None }
    }

    /// `INVALID_REQUEST`.
    pub fn invalid(message: impl Into<Message>) -> Self {
        Self::new(Code::InvalidRequest, message)
    }

    /// `UNAVAILABLE`.
    pub fn unavailable(message: impl Into<Message>) -> Self {
        Self::new(Code::Unavailable, message)
    }

    /// `NOT_PAIRED`.
    pub fn not_paired(message: impl Into<Message>) -> Self {
        Self::new(Code::NotPaired, message)
    }

    /// Adds what a program may read. `null` is left out.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = (!details.is_null()).then_some(details);
        self
    }

    /// Says that trying again after `ms` can help.
    #[must_use]
    pub fn retry_after(mut self, ms: u64) -> Self {
        self.retryable = Some(true);
        self.retry_after_ms = Some(ms);
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_fields_stay_absent() {
        let plain = serde_json::to_string(&ErrorShape::invalid("no")).unwrap();
        assert_eq!(plain, r#"{"code":"INVALID_REQUEST","message":"no"}"#);
        let full = ErrorShape::unavailable("busy").with_details(json!({"a": 1})).retry_after(250);
        assert_eq!(
            serde_json::to_string(&full).unwrap(),
            r#"{"code":"UNAVAILABLE","message":"busy","details":{"a":1},"retryable":true,"retryAfterMs":250}"#
        );
        assert_eq!(ErrorShape::not_paired("x").with_details(Value::Null).details, None);
    }

    #[test]
    fn a_message_is_never_empty() {
        for blank in ["", " ", "\n\t"] {
            assert_eq!(ErrorShape::invalid(blank).message, "unknown error");
        }
        let read: ErrorShape = serde_json::from_value(json!({"code": "NOT_PAIRED", "message": ""})).unwrap();
        assert_eq!(read.message, "unknown error");
        assert_eq!(read.code, Code::NotPaired);
    }

    #[test]
    fn every_code_has_its_wire_name() {
        use Code::*;
        for code in [InvalidRequest, Unavailable, NotPaired, NotLinked, AgentTimeout] {
            assert_eq!(serde_json::to_value(code).unwrap(), json!(code.as_str()));
        }
    }
}
