//! Text on its way to a terminal. Everything that is printed passes through [`Line`], which shows control
//! characters instead of obeying them and cuts what is too long, so that no name, log line or error of a remote
//! gateway can move the cursor, recolour the screen or flood it. Colours are added after that, by the printer.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

/// The longest piece of one line that is shown.
const MAX_PIECE: usize = 4_000;
/// Rows of a box are never wider than this, where no terminal is narrower; longer ones are cut.
const MAX_BOX: usize = 160;
/// The width the boxes of `status` have at least, without their borders: that of the tutorial's.
const MIN_BOX: usize = 38;

/// How a piece of text stands out when colours are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// A heading.
    Strong,
    /// Less important.
    Faint,
    /// Good news.
    Good,
    /// A warning.
    Warn,
    /// Bad news.
    Bad,
}

/// One line without its line break.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<(Style, String)>);

impl Line {
    /// Adds a piece; control characters are shown, not obeyed.
    #[must_use]
    pub fn with(mut self, style: Style, text: impl AsRef<str>) -> Self {
        self.0.push((style, clean(text.as_ref()).into_owned()));
        self
    }

    /// The pieces in order.
    pub fn pieces(&self) -> impl Iterator<Item = (Style, &str)> {
        self.0.iter().map(|(style, text)| (*style, text.as_str()))
    }

    fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.width()).sum()
    }

    fn cut(mut self, width: usize) -> Self {
        let mut left = width;
        for (_, text) in &mut self.0 {
            if text.width() > left {
                *text = cut_to_width(text, left);
            }
            left -= text.width().min(left);
        }
        self
    }
}

impl<S: AsRef<str>> From<S> for Line {
    fn from(text: S) -> Self {
        Self::default().with(Style::Plain, text)
    }
}

/// Several lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<Line>);

impl Text {
    /// Adds a line; a text with line breaks adds several.
    pub fn say(&mut self, text: impl AsRef<str>) {
        self.0.extend(text.as_ref().split('\n').map(Line::from));
    }

    /// Adds a line that is already made.
    pub fn push(&mut self, line: Line) {
        self.0.push(line);
    }

    /// Adds a styled line.
    pub fn styled(&mut self, style: Style, text: impl AsRef<str>) {
        self.push(Line::default().with(style, text));
    }

    /// Adds an empty line, unless nothing or an empty line is before it.
    pub fn gap(&mut self) {
        if self.0.last().is_some_and(|line| line.width() > 0) {
            self.0.push(Line::default());
        }
    }

    /// Adds all lines of `other`.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Adds `rows` inside a drawn box, padded to the widest one. The box is not wider than `columns`.
    pub fn boxed(&mut self, rows: Vec<Line>, columns: Option<u16>) {
        let most = columns.map_or(MAX_BOX, |columns| usize::from(columns).saturating_sub(2));
        let most = most.clamp(MIN_BOX, MAX_BOX);
        let rows: Vec<Line> = rows.into_iter().map(|row| row.cut(most - 2)).collect();
        let inner = rows.iter().map(|row| row.width() + 2).max().unwrap_or(0).max(MIN_BOX);
        self.say(format!("┌{}┐", "─".repeat(inner)));
        for row in rows {
            let pad = " ".repeat(inner - 1 - row.width());
            let mut line = Line::from("│ ");
            line.0.extend(row.0);
            self.push(line.with(Style::Plain, pad).with(Style::Plain, "│"));
        }
        self.say(format!("└{}┘", "─".repeat(inner)));
    }

    /// The lines in order.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.0.iter()
    }

    /// Whether there is no line.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything without colours, each line with its line break.
    #[must_use]
    pub fn plain(&self) -> String {
        let mut out = String::new();
        for line in &self.0 {
            out.extend(line.pieces().map(|(_, text)| text));
            out.push('\n');
        }
        out
    }
}

/// `text` with every character that a terminal would obey written out, and cut when it is very long.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    let cut = text.char_indices().nth(MAX_PIECE).map(|(at, _)| at);
    if cut.is_none() && !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = escape(text.get(..cut.unwrap_or(text.len())).unwrap_or(text));
    if let Some(at) = cut {
        let rest = text.get(at..).map_or(0, |rest| rest.chars().count());
        // Writing to a string cannot fail.
        let _ = write!(out, "… ({rest} more characters)");
    }
    Cow::Owned(out)
}

/// `text` with its lines and tabs kept and every other control character written out.
#[must_use]
pub fn clean_block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) && c != '\n' && c != '\t' { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// A JSON document with the characters escaped that JSON allows raw and terminals obey. In JSON text they can only
/// stand inside strings, where `\u` is the same thing.
#[must_use]
pub fn clean_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) && c != '\n' {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hostile(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Control characters, and the marks that reorder or hide text.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The beginning of `text` that fits into `width` columns together with a mark of the cut.
#[must_use]
pub fn cut_to_width(text: &str, width: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let mut next = out.clone();
        next.push(c);
        if next.width() + 1 > width {
            break;
        }
        out = next;
    }
    if width > 0 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_not_obeyed() {
        assert_eq!(clean("a\u{1b}[31mred\r\nb\u{9b}2J\u{202e}x"), r"a\u{1b}[31mred\r\nb\u{9b}2J\u{202e}x");
        assert_eq!(clean("plain ✓ text"), "plain ✓ text");
        let long = "x".repeat(MAX_PIECE + 7);
        assert!(clean(&long).ends_with("… (7 more characters)"));
        assert_eq!(clean_block("a\n\tb\u{7}"), "a\n\tb\\u{7}");
    }

    #[test]
    fn json_stays_the_same_document() {
        let value = serde_json::json!({"a": "x\u{9b}\u{202e}\u{7f}y"});
        let text = clean_json(&value.to_string());
        assert!(text.is_ascii());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(value));
    }

    #[test]
    fn boxes_are_even_whatever_is_in_them() {
        let mut text = Text::default();
        text.boxed(vec!["short".into(), "wide 漢字".into(), "y".repeat(500).into()], None);
        let plain = text.plain();
        let widths: Vec<usize> = plain.lines().map(UnicodeWidthStr::width).collect();
        assert!(widths.iter().all(|w| *w == widths[0]), "{plain}");
        assert_eq!(widths[0], MAX_BOX + 2);
        let mut text = Text::default();
        text.boxed(vec!["x".into()], None);
        assert_eq!(text.plain().lines().next().map(UnicodeWidthStr::width), Some(MIN_BOX + 2));
        for (columns, width) in [(60, 60), (10, MIN_BOX + 2), (1000, MAX_BOX + 2)] {
            let mut text = Text::default();
            text.boxed(vec!["y".repeat(500).into()], Some(columns));
            assert!(text.plain().lines().all(|line| line.width() == width), "{columns}");
        }
    }
}
