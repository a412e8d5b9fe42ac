//! The lines about WebSocket traffic in the log (operations 10.6). What was slow or failed is always told; the rest
//! only when somebody asked to see it, and only then is anything formatted. Parameters and payloads are never in a
//! line, and what a client chose itself - ids, names, and errors that quote it - is masked, made one line and cut.

use std::fmt::{self, Display, Formatter};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gateway_api::Answer;
use gateway_api::events::Event;
use gateway_base::printable::printable;
use gateway_base::redact::Redactor;
use gateway_wire::error::ErrorShape;
use gateway_wire::frame::Request;

/// Whose lines these are.
const SUBSYSTEM: &str = "gateway/ws";
/// An answer that took this long is told whether asked for or not.
const SLOW: Duration = Duration::from_millis(50);
/// Characters of a value before it is cut.
const VALUE: usize = 240;
/// Longer text is not searched for secrets, so it is not shown either.
const SEARCHED: usize = 16 * 1024;

/// What is told of the traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Answers that were slow or failed.
    #[default]
    Optimized,
    /// A line for each request with its answer, and for each event.
    Compact,
    /// A line for each frame.
    Full,
}

/// Writes the lines.
#[derive(Debug, Default)]
pub struct Traffic {
    style: Style,
    /// The connection that the last compact line was about.
    last: Mutex<String>,
}

impl Traffic {
    /// Tells of the traffic in this style.
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self { style, last: Mutex::default() }
    }

    /// A frame that is no request, and what it is instead, in a word of ours.
    pub(super) fn parse_error(&self, conn: &str, error: &str) {
        self.about(conn, |_| {
            tracing::warn!(subsystem = SUBSYSTEM, "✗ parse-error error={error} conn={}", Id(conn));
        });
    }

    /// A request, before it is dealt with.
    pub(super) fn request(&self, conn: &str, request: &Request<'_>) {
        if self.style == Style::Full {
            let (method, conn, id) = (Value(&request.method), Id(conn), Id(&request.id));
            tracing::debug!(subsystem = SUBSYSTEM, "← req {method} conn={conn} id={id}");
        }
    }

    /// An answer that is on its way.
    pub(super) fn answer(&self, conn: &str, answer: &Answer<'_>) {
        let failure = answer.error().map(Failure::Error);
        self.response(conn, answer.id(), Response { method: answer.method(), took: answer.took(), failure });
    }

    /// A client that was let in.
    pub(super) fn admitted(&self, conn: &str, id: &str, took: Duration) {
        self.response(conn, id, Response { method: "connect", took, failure: None });
    }

    /// A client that was answered and closed instead of let in.
    pub(super) fn refused(&self, conn: &str, id: &str, took: Duration, reason: &str) {
        let failure = Some(Failure::Reason(reason));
        self.response(conn, id, Response { method: "connect", took, failure });
    }

    /// An event to one client.
    pub(super) fn directed(&self, conn: &str, name: &str) {
        if self.style == Style::Full {
            tracing::debug!(subsystem = SUBSYSTEM, "→ event {name} conn={}", Id(conn));
        }
    }

    /// Whether events to everybody are told.
    pub(super) fn tells_events(&self) -> bool {
        self.style != Style::Optimized && tracing::enabled!(tracing::Level::DEBUG)
    }

    /// An event to everybody who may see it, told once however many that are. `seq` is its number for an operator who
    /// may see everything.
    pub(super) fn event(&self, event: &Event, seq: u64, clients: i64) {
        let (name, droppable) = (event.row.name, event.droppable);
        let versions = Versions(event);
        tracing::debug!(
            subsystem = SUBSYSTEM,
            "→ event {name} seq={seq} clients={clients} dropIfSlow={droppable}{versions}"
        );
    }

    fn response(&self, conn: &str, id: &str, of: Response<'_>) {
        let is_notable = of.failure.is_some() || of.took >= SLOW;
        if !is_notable && self.style == Style::Optimized {
            return;
        }
        let (conn_id, id) = (Id(conn), OptionalId(id));
        let arrow = if self.style == Style::Full { '→' } else { '⇄' };
        if is_notable {
            self.about(conn, |_| tracing::info!(subsystem = SUBSYSTEM, "{arrow} {of} conn={conn_id}{id}"));
        } else if tracing::enabled!(tracing::Level::DEBUG) {
            self.about(conn, |is_another| {
                if is_another {
                    tracing::debug!(subsystem = SUBSYSTEM, "{arrow} {of} conn={conn_id}{id}");
                } else {
                    tracing::debug!(subsystem = SUBSYSTEM, "{arrow} {of}{id}");
                }
            });
        }
    }

    /// Writes a line about `conn`, telling `write` whether the line before is about another one; only a compact line
    /// may then leave it out. The lock is held until the line is written, so that "before" is true.
    fn about(&self, conn: &str, write: impl FnOnce(bool)) {
        if self.style != Style::Compact {
            return write(true);
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_another = *last != conn;
        if is_another {
            conn.clone_into(&mut last);
        }
        write(is_another);
    }
}

/// What a line says of an answer, without whose it is.
struct Response<'a> {
    method: &'a str,
    took: Duration,
    failure: Option<Failure<'a>>,
}

enum Failure<'a> {
    Error(&'a ErrorShape),
    /// A refused handshake, in the word that the metrics have for it.
    Reason(&'a str),
}

impl Display for Response<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mark = if self.failure.is_some() { '✗' } else { '✓' };
        write!(f, "res {mark}")?;
        if !self.method.is_empty() {
            write!(f, " {}", Value(self.method))?;
        }
        write!(f, " {}ms", self.took.as_millis())?;
        match &self.failure {
            None => Ok(()),
            Some(Failure::Reason(reason)) => write!(f, " reason={reason}"),
            Some(Failure::Error(error)) => {
                let (code, message) = (error.code.as_str(), error.message.to_string());
                write!(f, " errorCode={code} errorMessage={}", Value(&message))
            }
        }
    }
}

/// The versions that an event carries, if it does.
struct Versions<'a>(&'a Event);

impl Display for Versions<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.state {
            Some(state) => write!(f, " presenceVersion={} healthVersion={}", state.presence, state.health),
            None => Ok(()),
        }
    }
}

/// Foreign text in a line.
struct Value<'a>(&'a str);

impl Display for Value<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.len() > SEARCHED {
            return write!(f, "({} bytes)", self.0.len());
        }
        // Before it is cut: half a secret is not recognised as one.
        let masked = Redactor::shared().apply(self.0);
        let line = printable(&masked, usize::MAX);
        match line.char_indices().nth(VALUE) {
            Some((cut, _)) => write!(f, "{}...", line.get(..cut).unwrap_or_default()),
            None => f.write_str(&line),
        }
    }
}

/// An id, shortened: a UUID to its first eight and last four characters, any other that is long to twelve and four.
struct Id<'a>(&'a str);

impl Display for Id<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = if is_uuid(self.0) { 8 } else { 12 };
        let text = Value(self.0).to_string();
        let count = text.chars().count();
        if count <= 24 {
            return f.write_str(&text);
        }
        text.chars().take(head).try_for_each(|c| write!(f, "{c}"))?;
        f.write_str("…")?;
        text.chars().skip(count - 4).try_for_each(|c| write!(f, "{c}"))
    }
}

/// ` id=…`, or nothing for a request that has none.
struct OptionalId<'a>(&'a str);

impl Display for OptionalId<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " id={}", Id(self.0)) }
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shortened() {
        for (id, shown) in [
            ("r1", "r1"),
            ("1a2b3c4d-0000-4000-8000-0000abcd9f0e", "1a2b3c4d…9f0e"),
            ("abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx"),
            ("abcdefghijklmnopqrstuvwxy", "abcdefghijkl…vwxy"),
            ("sk-abcdefghijklmnopqrst", "sk-abc…qrst"),
            ("a\nb", "a\\nb"),
        ] {
            assert_eq!(Id(id).to_string(), shown);
        }
    }

    #[test]
    fn values_are_masked_before_they_are_cut() {
        let secret = "sk-abcdefghijklmnopqrstuvwxyz0123456789";
        let long = format!("{} {secret} {}", "x".repeat(VALUE - 10), "y".repeat(100));
        let shown = Value(&long).to_string();
        assert!(shown.ends_with("sk-abc…67..."), "{shown}");
        assert_eq!(shown.chars().count(), VALUE + 3);
        assert_eq!(Value("two\nlines\u{1b}[31m").to_string(), "two\\nlines\\u{1b}[31m");
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}", "secret".repeat(4_000));
        assert_eq!(Value(&pem).to_string(), format!("({} bytes)", pem.len()));
    }

    #[test]
    fn answers_read_as_the_original_writes_them() {
        let took = Duration::from_micros(12_900);
        let ok = Response { method: "health", took, failure: None };
        assert_eq!(ok.to_string(), "res ✓ health 12ms");
        let error = ErrorShape::invalid("unknown method: token=hunter2");
        let failed = Response { method: "token=hunter2", took, failure: Some(Failure::Error(&error)) };
        assert_eq!(
            failed.to_string(),
            "res ✗ token=*** 12ms errorCode=INVALID_REQUEST errorMessage=unknown method: token=***"
        );
        let error = ErrorShape::invalid("invalid request frame: x");
        let nameless = Response { method: "", took: Duration::ZERO, failure: Some(Failure::Error(&error)) };
        assert!(nameless.to_string().starts_with("res ✗ 0ms errorCode="));
    }
}
