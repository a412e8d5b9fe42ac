//! Reading request frames: one pass for good ones, a second look for the others.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::validate;

/// How deep a frame may nest, counting the frame itself: what `serde_json` reads into a tree.
const MAX_DEPTH: usize = 127;

/// A request, borrowed from its frame where no escape had to be resolved.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The client's own id of the request; not empty, not necessarily unique.
    pub id: Cow<'a, str>,
    /// The name of the method; not empty, not necessarily known.
    pub method: Cow<'a, str>,
    /// The parameters, well formed and of bounded depth; `None` when absent or `null`.
    pub params: Option<&'a RawValue>,
}

/// Why a frame is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not JSON in UTF-8, or nested too deep.
    #[error("the frame is not JSON")]
    NotJson,
    /// JSON, but not a request frame.
    #[error("invalid request frame: {problems}")]
    Invalid {
        /// The frame's id, when it has a usable one.
        id: Option<String>,
        /// What is wrong, without any prefix.
        problems: String,
    },
}

/// Reads a request frame.
pub fn parse(bytes: &[u8]) -> Result<Request<'_>, ParseError> {
    parse_str(std::str::from_utf8(bytes).map_err(|_| ParseError::NotJson)?)
}

/// Reads a request frame whose encoding was checked already, as it is for text frames.
pub fn parse_str(text: &str) -> Result<Request<'_>, ParseError> {
    match serde_json::from_str::<Fast<'_>>(text) {
        Ok(Fast(request)) if shallow(request.params) => Ok(request),
        Ok(_) => Err(ParseError::NotJson),
        Err(_) => explain(text),
    }
}

/// Says what is wrong with a frame that the fast pass refused, or accepts it after all: an earlier, wrong value
/// of a repeated key does not count.
fn explain(text: &str) -> Result<Request<'_>, ParseError> {
    let value: Value = serde_json::from_str(text).map_err(|_| ParseError::NotJson)?;
    if let Err(problems) = validate::check("RequestFrame", &value) {
        let id = value.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
        return Err(ParseError::Invalid { id, problems });
    }
    let text_of = |key| value.get(key).and_then(Value::as_str).map(|s| Cow::Owned(s.to_owned()));
    let raw: LastParams<'_> = serde_json::from_str(text).map_err(|_| ParseError::NotJson)?;
    match (text_of("id"), text_of("method")) {
        (Some(id), Some(method)) => Ok(Request { id, method, params: raw.0 }),
        _ => Err(ParseError::NotJson),
    }
}

/// Whether parameters can be read into a tree. Their text was skipped, not parsed, and skipping knows no depth.
fn shallow(params: Option<&RawValue>) -> bool {
    let Some(raw) = params else { return true };
    let bytes = raw.get().as_bytes();
    // Each level takes an opening and a closing byte.
    if bytes.len() < 2 * MAX_DEPTH {
        return true;
    }
    let (mut depth, mut in_string, mut escaped) = (1_usize, false, false);
    for byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return false;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// A string that borrows when it can; plain `Cow` never borrows inside a map visitor.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A request without escapes in its keys and names; one with them is read the slow way.
struct Fast<'a>(Request<'a>);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Type,
    Id,
    Method,
    Params,
}

impl<'de> Deserialize<'de> for Fast<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Fast<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a request frame")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fast<'de>, A::Error> {
                let (mut kind, mut id, mut method, mut params) = ("", "", "", None);
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Type => kind = map.next_value()?,
                        Key::Id => id = map.next_value()?,
                        Key::Method => method = map.next_value()?,
                        Key::Params => params = map.next_value()?,
                    }
                }
                if kind != "req" || id.is_empty() || method.is_empty() {
                    return Err(A::Error::custom("not a request frame"));
                }
                Ok(Fast(Request { id: Cow::Borrowed(id), method: Cow::Borrowed(method), params }))
            }
        }

        deserializer.deserialize_map(Keys)
    }
}

/// The last `params` of a frame that is otherwise known to be good.
struct LastParams<'a>(Option<&'a RawValue>);

impl<'de> Deserialize<'de> for LastParams<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = LastParams<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a request frame")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LastParams<'de>, A::Error> {
                let mut params = None;
                while let Some(Text(key)) = map.next_key()? {
                    if key == "params" {
                        params = map.next_value()?;
                    } else {
                        let _: IgnoredAny = map.next_value()?;
                    }
                }
                Ok(LastParams(params))
            }
        }

        deserializer.deserialize_map(Keys)
    }
}
