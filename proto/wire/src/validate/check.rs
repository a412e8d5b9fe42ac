//! The walk over a value and its schema, and the wording of what it finds.

use std::fmt::Write as _;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::schema::{self, AnyKey, Kind, Schema};

/// Problems told at most; a hostile frame must not make a huge answer.
const MAX_TOLD: usize = 64;
/// Problems collected at most, before equal ones are folded.
const MAX_COLLECTED: usize = 512;
/// Characters of a name that is shown.
const MAX_NAME: usize = 200;

/// Whether there is a schema of this name.
#[must_use]
pub fn has_schema(schema: &str) -> bool {
    schema::find(schema).is_some()
}

/// Checks `value` against the named schema; the error holds all problems, in the words of the protocol.
pub fn check(schema: &str, value: &Value) -> Result<(), String> {
    let Some(found) = schema::find(schema) else {
        return Err(format!("there is no schema named {schema}"));
    };
    let mut walk = Walk { path: Vec::new(), problems: Vec::new() };
    if walk.value(found, value) { Ok(()) } else { Err(walk.told()) }
}

/// Reads parameters as they stand in a frame and checks them; absent and `null` count as `{}`.
pub fn check_raw(schema: &str, params: Option<&RawValue>) -> Result<Value, String> {
    let value = match params {
        // A number beyond all range or half a surrogate pair is JSON, but cannot be held.
        Some(raw) => serde_json::from_str(raw.get()).map_err(|error| format!("cannot be read: {error}"))?,
        None => Value::Null,
    };
    let value = if value.is_null() { Value::Object(Map::new()) } else { value };
    check(schema, &value)?;
    Ok(value)
}

/// One step from the root to the value in hand.
#[derive(Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    Index(usize),
}

struct Walk<'v> {
    path: Vec<Step<'v>>,
    problems: Vec<String>,
}

impl<'v> Walk<'v> {
    /// Checks one value; `false` when there was a problem, also one that was too many to be collected.
    fn value(&mut self, schema: &Schema, value: &'v Value) -> bool {
        let mut good = true;
        if let Some(kind) = schema.kind
            && !has_kind(kind, value)
        {
            self.tell(|text| _ = write!(text, "must be {}", kind_name(kind)));
            good = false;
        }
        good &= match value {
            Value::Number(number) => self.number(schema, number.as_f64().unwrap_or(f64::MAX)),
            Value::String(text) => self.string(schema, text),
            _ => true,
        };
        if let Some(constant) = &schema.constant
            && !same(constant, value)
        {
            self.tell(|text| text.push_str("must be equal to constant"));
            good = false;
        }
        if let Some(branches) = &schema.any_of {
            good &= self.any_of(branches, value);
        }
        good &= match value {
            Value::Array(items) => self.array(schema, items),
            Value::Object(map) => self.object(schema, map),
            _ => true,
        };
        good
    }

    fn number(&mut self, schema: &Schema, number: f64) -> bool {
        let mut good = true;
        if let Some(max) = schema.maximum.filter(|max| number > *max) {
            self.tell(|text| _ = write!(text, "must be <= {max}"));
            good = false;
        }
        if let Some(min) = schema.minimum.filter(|min| number < *min) {
            self.tell(|text| _ = write!(text, "must be >= {min}"));
            good = false;
        }
        good
    }

    fn string(&mut self, schema: &Schema, string: &str) -> bool {
        let mut good = true;
        // Counting stops where the answer is known, so a long text costs no more than its limit.
        if let Some(max) = schema.max_length.filter(|max| string.chars().nth(*max).is_some()) {
            self.tell(|text| _ = write!(text, "must NOT have more than {max} characters"));
            good = false;
        }
        if let Some(min) = schema.min_length.filter(|min| *min > 0 && string.chars().nth(min - 1).is_none()) {
            self.tell(|text| _ = write!(text, "must NOT have fewer than {min} characters"));
            good = false;
        }
        good
    }

    fn any_of(&mut self, branches: &[Schema], value: &'v Value) -> bool {
        let before = self.problems.len();
        if branches.iter().any(|branch| self.value(branch, value)) {
            self.problems.truncate(before);
            return true;
        }
        self.tell(|text| text.push_str("must match a schema in anyOf"));
        false
    }

    fn array(&mut self, schema: &Schema, items: &'v [Value]) -> bool {
        let mut good = true;
        if let Some(max) = schema.max_items.filter(|max| items.len() > *max) {
            self.tell(|text| _ = write!(text, "must NOT have more than {max} items"));
            good = false;
        }
        if let Some(min) = schema.min_items.filter(|min| items.len() < *min) {
            self.tell(|text| _ = write!(text, "must NOT have fewer than {min} items"));
            good = false;
        }
        if let Some(each) = &schema.items {
            for (index, item) in items.iter().enumerate() {
                good &= self.step(Step::Index(index), each, item);
            }
        }
        good
    }

    fn object(&mut self, schema: &Schema, map: &'v Map<String, Value>) -> bool {
        let mut good = true;
        for name in schema.required.iter().filter(|name| !map.contains_key(*name)) {
            self.tell(|text| _ = write!(text, "must have required property '{name}'"));
            good = false;
        }
        if schema.additional_properties.0 {
            for key in map.keys().filter(|key| !schema.names(key)) {
                self.tell_unexpected(key);
                good = false;
            }
        }
        for (name, property) in &schema.properties.0 {
            if let Some((key, value)) = map.get_key_value(name) {
                good &= self.step(Step::Key(key), property, value);
            }
        }
        if let Some(pattern) = &schema.pattern_properties {
            for (key, value) in map.iter().filter(|(key, _)| AnyKey::matches(key)) {
                good &= self.step(Step::Key(key), &pattern.schema, value);
            }
        }
        good
    }

    fn step(&mut self, step: Step<'v>, schema: &Schema, value: &'v Value) -> bool {
        self.path.push(step);
        let good = self.value(schema, value);
        self.path.pop();
        good
    }

    /// Collects a problem of the value in hand.
    fn tell(&mut self, message: impl FnOnce(&mut String)) {
        if self.problems.len() < MAX_COLLECTED {
            let mut text = String::new();
            if !self.path.is_empty() {
                text.push_str("at ");
                self.pointer(&mut text);
                text.push_str(": ");
            }
            message(&mut text);
            self.problems.push(text);
        }
    }

    fn tell_unexpected(&mut self, key: &str) {
        if self.problems.len() < MAX_COLLECTED {
            let mut text = "at ".to_owned();
            if self.path.is_empty() {
                text.push_str("root");
            } else {
                self.pointer(&mut text);
            }
            text.push_str(": unexpected property '");
            text.extend(key.chars().take(MAX_NAME));
            text.push('\'');
            self.problems.push(text);
        }
    }

    /// Appends the JSON pointer of the value in hand.
    fn pointer(&self, text: &mut String) {
        for step in &self.path {
            text.push('/');
            match step {
                Step::Index(index) => _ = write!(text, "{index}"),
                Step::Key(key) => {
                    for c in key.chars().take(MAX_NAME) {
                        match c {
                            '~' => text.push_str("~0"),
                            '/' => text.push_str("~1"),
                            c => text.push(c),
                        }
                    }
                }
            }
        }
    }

    /// Each problem once, in the order found.
    fn told(self) -> String {
        let mut told: Vec<String> = Vec::new();
        for problem in self.problems {
            if told.contains(&problem) {
                continue;
            }
            if told.len() == MAX_TOLD {
                told.push("and more".to_owned());
                break;
            }
            told.push(problem);
        }
        told.join("; ")
    }
}

impl Schema {
    /// Whether a property of this name is expected.
    fn names(&self, key: &str) -> bool {
        self.properties.0.iter().any(|(name, _)| name == key)
            || (self.pattern_properties.is_some() && AnyKey::matches(key))
    }
}

fn has_kind(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::String => value.is_string(),
        // 3.0 is an integer: the original's language knows no other kind of number.
        Kind::Integer => value.is_u64() || value.is_i64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
        Kind::Number => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Object => value.is_object(),
        Kind::Array => value.is_array(),
        Kind::Null => value.is_null(),
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Object => "object",
        Kind::Array => "array",
        Kind::Null => "null",
    }
}

/// Equality in which 1 and 1.0 are the same.
fn same(constant: &Value, value: &Value) -> bool {
    match (constant, value) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => constant == value,
    }
}
