//! Paths as people type them on the command line: dots, brackets around a position or a literal key, and a
//! backslash before a character to be taken as it is.

use serde_json::Value;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A name in an object.
    Key(String),
    /// A position in a list.
    Index(usize),
}

/// Why a path cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing but white space and dots.
    #[error("Path is empty.")]
    Empty,
    /// `a[0`
    #[error("Invalid path (missing \"]\"): {0}")]
    MissingBracket(String),
    /// `a[]`
    #[error("Invalid path (empty \"[]\"): {0}")]
    EmptyBrackets(String),
}

/// Parses `agents.list[0].id`, `models.providers[my.name].apiKey`, `a\.b`. A bracket of digits is a position;
/// empty parts between dots are skipped.
pub fn parse(text: &str) -> Result<Vec<Segment>, Error> {
    let trimmed = text.trim();
    let mut segments = Vec::new();
    let mut current = String::new();
    let mut chars = trimmed.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => current.extend(chars.next()),
            '.' => push_key(&mut segments, &mut current),
            '[' => {
                push_key(&mut segments, &mut current);
                let rest = chars.as_str();
                let end = rest.find(']').ok_or_else(|| Error::MissingBracket(text.to_owned()))?;
                let inside = rest[..end].trim();
                if inside.is_empty() {
                    return Err(Error::EmptyBrackets(text.to_owned()));
                }
                segments.push(bracket(inside));
                chars = rest[end + 1..].chars();
            }
            c => current.push(c),
        }
    }
    push_key(&mut segments, &mut current);
    if segments.is_empty() { Err(Error::Empty) } else { Ok(segments) }
}

/// The value at `path`. A key of digits also finds a position of a list, and a position a key of an object.
#[must_use]
pub fn get<'a>(value: &'a Value, path: &[Segment]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, segment| match (value, segment) {
        (Value::Object(map), Segment::Key(key)) => map.get(key),
        (Value::Object(map), Segment::Index(index)) => map.get(&index.to_string()),
        (Value::Array(items), Segment::Index(index)) => items.get(*index),
        (Value::Array(items), Segment::Key(key)) => items.get(position(key)?),
        _ => None,
    })
}

/// The value under plain dotted names, for paths that are written in the code.
#[must_use]
pub fn get_dotted<'a>(value: &'a Value, dotted: &str) -> Option<&'a Value> {
    dotted.split('.').try_fold(value, |value, name| match value {
        Value::Array(items) => items.get(position(name)?),
        _ => value.get(name),
    })
}

/// `path` in the notation that [`parse`] reads.
#[must_use]
pub fn show(path: &[Segment]) -> String {
    let mut out = String::new();
    for segment in path {
        match segment {
            Segment::Index(index) => out.push_str(&format!("[{index}]")),
            Segment::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                for c in key.chars() {
                    if matches!(c, '.' | '[' | ']' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
    }
    out
}

/// A list position written in digits only.
pub(crate) fn position(text: &str) -> Option<usize> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn bracket(inside: &str) -> Segment {
    position(inside).map_or_else(|| Segment::Key(inside.to_owned()), Segment::Index)
}

fn push_key(segments: &mut Vec<Segment>, current: &mut String) {
    if !current.is_empty() {
        segments.push(Segment::Key(std::mem::take(current)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Segment {
        Segment::Key(name.to_owned())
    }

    #[test]
    fn all_forms_parse() {
        assert_eq!(
            parse("agents.list[0].id"),
            Ok(vec![key("agents"), key("list"), Segment::Index(0), key("id")])
        );
        assert_eq!(
            parse("models.providers[my.name].apiKey"),
            Ok(vec![key("models"), key("providers"), key("my.name"), key("apiKey")])
        );
        assert_eq!(parse(r"a\.b.c"), Ok(vec![key("a.b"), key("c")]));
        assert_eq!(parse("a..b"), Ok(vec![key("a"), key("b")]));
        assert_eq!(parse(r"ä\"), Ok(vec![key("ä")]));
    }

    #[test]
    fn refusals_have_the_known_texts() {
        for (path, text) in [
            ("", "Path is empty."),
            (" . ", "Path is empty."),
            ("a[0", "Invalid path (missing \"]\"): a[0"),
            ("a[]", "Invalid path (empty \"[]\"): a[]"),
            ("a[ ]", "Invalid path (empty \"[]\"): a[ ]"),
        ] {
            assert_eq!(parse(path).map_err(|e| e.to_string()), Err(text.to_owned()), "{path:?}");
        }
    }

    #[test]
    fn get_takes_positions_and_keys() {
        let value = serde_json::json!({"a": [{"b.c": 1}]});
        assert_eq!(get(&value, &[key("a"), Segment::Index(0), key("b.c")]), Some(&1.into()));
        assert_eq!(get(&value, &[key("a"), key("0"), key("b.c")]), Some(&1.into()));
        assert_eq!(get(&value, &[key("a"), Segment::Index(7)]), None);
        assert_eq!(get_dotted(&value, "a.0"), value["a"].get(0));
    }

    #[test]
    fn what_is_shown_parses_back() {
        for path in [vec![key("a"), key("x.y"), Segment::Index(3), key("z")], vec![key("a.b"), key("c]\\")]] {
            assert_eq!(parse(&show(&path)), Ok(path));
        }
    }
}
