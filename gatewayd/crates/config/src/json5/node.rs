//! The tree: plain values with their byte spans, and the places of commas, which is all an editor needs.

use std::ops::Range;

use serde_json::{Map, Number, Value};

/// One value and the bytes it takes in the text.
#[derive(Clone, Debug)]
pub struct Node {
    /// From its first to behind its last byte.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// The six kinds of values.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// A text, escapes resolved.
    Text(String),
    /// `[...]`
    Array(Vec<Element>),
    /// `{...}`, in the order of the text, repeated keys included.
    Object(Vec<Member>),
}

/// An item of an array.
#[derive(Clone, Debug)]
pub struct Element {
    /// The item.
    pub value: Node,
    /// Where the comma behind it stands.
    pub comma: Option<usize>,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Member {
    /// The key, quotes and escapes resolved.
    pub key: String,
    /// The bytes of the key as written.
    pub key_span: Range<usize>,
    /// The value.
    pub value: Node,
    /// Where the comma behind it stands.
    pub comma: Option<usize>,
}

impl Node {
    /// The value without its places. Of a repeated key the last one counts.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(b) => Value::Bool(*b),
            Kind::Number(n) => Value::Number(n.clone()),
            Kind::Text(s) => Value::String(s.clone()),
            Kind::Array(items) => items.iter().map(|e| e.value.to_value()).collect(),
            Kind::Object(members) => {
                let mut map = Map::new();
                for member in members {
                    map.insert(member.key.clone(), member.value.to_value());
                }
                Value::Object(map)
            }
        }
    }
}
