//! Makes foreign text safe to print. A header, a file name or a command line that somebody else chose may hold
//! escape sequences, line breaks or direction marks; in a log or on a terminal they are shown, never obeyed.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with control and direction characters escaped, cut at `limit` bytes with a note of what was left out.
#[must_use]
pub fn printable(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit && !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let end = floor_char_boundary(text, limit);
    let mut out = String::with_capacity(end + 32);
    for c in text[..end].chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    if end < text.len() {
        let _ = write!(out, "... ({} bytes more)", text.len() - end);
    }
    Cow::Owned(out)
}

/// The largest index up to `at` where `text` can be cut.
fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut end = at.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(printable("listening on ws://127.0.0.1:1 ✓", 100), Cow::Borrowed(_)));
    }

    #[test]
    fn control_and_direction_characters_are_shown() {
        assert_eq!(printable("a\u{1b}[31m\nb\u{202e}c\u{7f}", 100), "a\\u{1b}[31m\\nb\\u{202e}c\\u{7f}");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(printable("ééé", 3), "é... (4 bytes more)");
    }
}
