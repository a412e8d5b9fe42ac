//! Syntax errors in the words and the line-and-column counting that users of JSON5 know.

use std::fmt::Write as _;

/// Where and why a text is not JSON5. Displays as `SyntaxError: JSON5: invalid character 'x' at 3:5`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SyntaxError: JSON5: {reason} at {line}:{column}")]
pub struct SyntaxError {
    /// What is wrong, such as `invalid character 'x'`.
    pub reason: String,
    /// Line, from 1; only a line feed starts a new one.
    pub line: usize,
    /// Column, from 1, in UTF-16 units.
    pub column: usize,
}

impl SyntaxError {
    /// An error about the character at `at`, or about the end of the text when nothing is left there.
    pub(super) fn invalid(text: &str, at: usize) -> Self {
        match text.get(at..).and_then(|rest| rest.chars().next()) {
            None => Self::end_of_input(text),
            Some(c) => Self::at(text, at + c.len_utf8(), 0, format!("invalid character '{}'", shown(c))),
        }
    }

    /// The text stops too early.
    pub(super) fn end_of_input(text: &str) -> Self {
        Self::at(text, text.len(), 1, "invalid end of input".to_owned())
    }

    /// Something other than a character, at the start of what is wrong.
    pub(super) fn other(text: &str, at: usize, reason: impl Into<String>) -> Self {
        Self::at(text, at, 1, reason.into())
    }

    fn at(text: &str, end: usize, extra: usize, reason: String) -> Self {
        let before = text.get(..end).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let column = before[line_start..].encode_utf16().count() + extra;
        Self { reason, line: before.matches('\n').count() + 1, column }
    }
}

fn shown(c: char) -> String {
    match c {
        '\'' => "\\'".to_owned(),
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\0' => "\\0".to_owned(),
        '\u{2028}' => "\\u2028".to_owned(),
        '\u{2029}' => "\\u2029".to_owned(),
        c if c < ' ' => {
            let mut out = String::new();
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{:02x}", u32::from(c));
            out
        }
        c => c.to_string(),
    }
}
