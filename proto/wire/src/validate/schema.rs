//! The schemas, in the part of JSON Schema draft-07 that they use. A keyword that is not known here fails the
//! reading, so that a new one cannot be ignored by accident.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// One schema. Fields stand in the order in which their problems are told.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Schema {
    #[serde(rename = "type")]
    pub kind: Option<Kind>,
    pub maximum: Option<f64>,
    pub minimum: Option<f64>,
    pub max_length: Option<usize>,
    pub min_length: Option<usize>,
    #[serde(rename = "const")]
    pub constant: Option<Value>,
    pub any_of: Option<Vec<Schema>>,
    pub max_items: Option<usize>,
    pub min_items: Option<usize>,
    pub items: Option<Box<Schema>>,
    pub required: Vec<String>,
    #[serde(deserialize_with = "closed")]
    pub additional_properties: Closed,
    pub properties: Ordered<Schema>,
    pub pattern_properties: Option<AnyKey>,
    /// Documentation only: defaults are never filled in.
    #[serde(rename = "default")]
    _default: Option<Value>,
}

/// The type a value must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    String,
    Integer,
    Number,
    Boolean,
    Object,
    Array,
    Null,
}

/// Whether an object refuses properties that its schema does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Closed(pub bool);

/// A map that keeps the order of its file.
#[derive(Debug)]
pub(super) struct Ordered<T>(pub Vec<(String, T)>);

/// The one pattern in use: every key that has no line break in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnyKey {
    #[serde(rename = "^(.*)$")]
    pub schema: Box<Schema>,
}

impl AnyKey {
    /// Whether the pattern matches `key`.
    pub fn matches(key: &str) -> bool {
        !key.contains(['\n', '\r', '\u{2028}', '\u{2029}'])
    }
}

/// Finds a schema by the name of its definition.
pub(super) fn find(name: &str) -> Option<&'static Schema> {
    DEFINITIONS.get(name).map(Definition::schema)
}

/// A named schema, made when it is first asked for: a daemon sees few of the methods, and all schemas together take
/// half a megabyte.
pub(super) struct Definition {
    text: &'static RawValue,
    schema: OnceLock<Schema>,
}

impl Definition {
    #[allow(
        clippy::expect_used,
        reason = "the file is part of the program, and a test reads every definition"
    )]
    pub(super) fn schema(&self) -> &Schema {
        self.schema
            .get_or_init(|| serde_json::from_str(self.text.get()).expect("schema/params.json is understood"))
    }
}

pub(super) static DEFINITIONS: LazyLock<BTreeMap<&str, Definition>> = LazyLock::new(|| {
    #[allow(clippy::expect_used, reason = "the file is part of the program, and a test loads it")]
    let all: BTreeMap<&str, &RawValue> = serde_json::from_str(include_str!("../../schema/params.json"))
        .expect("schema/params.json is readable");
    all.into_iter().map(|(name, text)| (name, Definition { text, schema: OnceLock::new() })).collect()
});

fn closed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Closed, D::Error> {
    bool::deserialize(deserializer).map(|additional| Closed(!additional))
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut all = Vec::with_capacity(map.size_hint().unwrap_or_default());
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(Ordered(all))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}
