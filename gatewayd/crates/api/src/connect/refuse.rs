//! A refused handshake: what the client is answered, the code and reason of the close, and a word for the counters.

use gateway_wire::error::ErrorShape;
use gateway_wire::frame;

/// Why and how a handshake ends here.
#[derive(Debug)]
pub struct Refused {
    /// The response frame's JSON, when there is a request to answer.
    pub answer: Option<Vec<u8>>,
    /// WebSocket close code.
    pub close_code: u16,
    /// Close reason; transports cut it to 120 bytes.
    pub close_reason: String,
    /// A stable word for logs and counters.
    pub reason: &'static str,
}

impl Refused {
    /// Not even JSON: closed without a word.
    pub(super) const fn silent(reason: &'static str) -> Self {
        Self { answer: None, close_code: 1000, close_reason: String::new(), reason }
    }

    /// Not a request: closed with the reason, nothing to answer.
    pub(super) fn unanswered(close_reason: &str, reason: &'static str) -> Self {
        Self { answer: None, close_code: 1008, close_reason: close_reason.to_owned(), reason }
    }

    /// Answers request `id` with `error` and closes with the same text.
    pub(super) fn with(id: &str, error: &ErrorShape, reason: &'static str) -> Self {
        Self::closing(id, error, 1008, error.message.as_str(), reason)
    }

    /// Answers request `id` with `error` and closes with a code and text of its own.
    pub(super) fn closing(id: &str, error: &ErrorShape, code: u16, text: &str, reason: &'static str) -> Self {
        let mut answer = Vec::new();
        frame::write_err(&mut answer, id, None, error);
        Self { answer: Some(answer), close_code: code, close_reason: text.to_owned(), reason }
    }
}
