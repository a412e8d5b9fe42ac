//! How new text looks: like its surroundings.

use serde_json::Value;

use crate::json5::{Member, is_identifier};

/// The habits of a text.
pub(super) struct Style {
    /// One level of indentation.
    pub(super) step: String,
    /// Line ending.
    pub(super) newline: &'static str,
}

impl Style {
    /// What `text` does: the first indented line and the first line ending show it.
    pub(super) fn of(text: &str) -> Self {
        let newline = if text.find('\n').is_some_and(|i| text[..i].ends_with('\r')) { "\r\n" } else { "\n" };
        let indents = text.lines().filter(|line| !line.trim_start().starts_with(['*', '/'])).map(indent_of);
        let step = indents.into_iter().find(|indent| !indent.is_empty()).unwrap_or("  ");
        let step = if step.starts_with('\t') { "\t" } else { step };
        Self { step: step.to_owned(), newline }
    }

    /// `value` as it stands behind a key on a line that is indented by `indent`.
    pub(super) fn value(&self, value: &Value, indent: &str) -> String {
        let mut out = String::new();
        self.write(value, indent, &mut out);
        out
    }

    fn write(&self, value: &Value, indent: &str, out: &mut String) {
        let inner = format!("{indent}{}", self.step);
        match value {
            Value::Array(items) if !items.is_empty() => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    self.separate(i, &inner, out);
                    self.write(item, &inner, out);
                }
                out.push_str(&format!("{}{indent}]", self.newline));
            }
            Value::Object(map) if !map.is_empty() => {
                out.push('{');
                for (i, (key, item)) in map.iter().enumerate() {
                    self.separate(i, &inner, out);
                    out.push_str(&format!("{}: ", quoted(key)));
                    self.write(item, &inner, out);
                }
                out.push_str(&format!("{}{indent}}}", self.newline));
            }
            Value::Array(_) => out.push_str("[]"),
            Value::Object(_) => out.push_str("{}"),
            Value::String(text) => out.push_str(&quoted(text)),
            plain => out.push_str(&plain.to_string()),
        }
    }

    fn separate(&self, position: usize, indent: &str, out: &mut String) {
        if position > 0 {
            out.push(',');
        }
        out.push_str(self.newline);
        out.push_str(indent);
    }
}

/// The white space at the start of `line`.
pub(super) fn indent_of(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// A new key as its neighbours are written: bare only where they are bare too.
pub(super) fn key(name: &str, text: &str, neighbours: &[Member]) -> String {
    let bare = neighbours.last().is_some_and(|m| !text[m.key_span.clone()].starts_with(['"', '\'']));
    let mut chars = name.chars();
    let possible = chars.next().is_some_and(|c| c.is_ascii() && is_identifier(c, true))
        && chars.all(|c| c.is_ascii() && is_identifier(c, false));
    if bare && possible { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
