//! Rows to JSON Schema.

use serde_json::{Map, Value, json};

use crate::keys::{Bounds, Check, Key, Type, tree};

/// The whole schema.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = of_key(tree());
    if let Value::Object(map) = &mut schema {
        map.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        map.insert("title".to_owned(), json!("ClawdbotConfig"));
    }
    schema
}

fn of_key(key: &Key) -> Value {
    let mut schema = of_type(key.ty, key);
    if let (Some(row), Value::Object(map)) = (key.row, &mut schema) {
        if !row.doc.is_empty() {
            map.insert("description".to_owned(), json!(row.doc));
        }
        if let Ok(default) = serde_json::from_str::<Value>(row.default) {
            map.insert("default".to_owned(), default);
        }
    }
    schema
}

fn of_type(ty: Type, key: &Key) -> Value {
    match ty {
        Type::Any | Type::Like(_) => json!({}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Int(bounds) => with_bounds("integer", bounds),
        Type::Number(bounds) => with_bounds("number", bounds),
        Type::Text(min, max, check) => text(min, max, check),
        Type::Choice(choices) => json!({"type": "string", "enum": choices}),
        Type::List(item) => {
            let items = key.item().map_or_else(|| of_type(*item, key), of_key);
            json!({"type": "array", "items": items})
        }
        Type::Map(item) => {
            let other = key.other().map_or_else(|| of_type(*item, key), of_key);
            json!({"type": "object", "additionalProperties": other})
        }
        Type::Object => object(key),
        Type::OneOf(types) => json!({"anyOf": types.iter().map(|ty| of_type(*ty, key)).collect::<Vec<_>>()}),
    }
}

fn object(key: &Key) -> Value {
    let properties: Map<String, Value> =
        key.fields().iter().map(|(name, key)| ((*name).to_owned(), of_key(key))).collect();
    let required: Vec<&str> = key
        .fields()
        .iter()
        .filter(|(_, key)| key.row.is_some_and(|row| row.required))
        .map(|(name, _)| *name)
        .collect();
    let other = key.other().map_or(json!(false), of_key);
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": other});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn text(min: usize, max: usize, check: Check) -> Value {
    let mut schema = json!({"type": "string"});
    if min > 0 {
        schema["minLength"] = json!(min);
    }
    if max < usize::MAX {
        schema["maxLength"] = json!(max);
    }
    match check {
        Check::HexColor => schema["pattern"] = json!("^#?[0-9a-fA-F]{6}$"),
        Check::Bind => {
            let words = json!({"enum": crate::validate::BIND_WORDS});
            schema["anyOf"] = json!([words, {"format": "ipv4"}, {"format": "ipv6"}]);
        }
        Check::Free => {}
    }
    schema
}

#[allow(clippy::cast_possible_truncation, reason = "whole bounds in the table are far below 2^53")]
fn with_bounds(name: &str, bounds: Bounds) -> Value {
    let number = |n: f64| if n.fract() == 0.0 { json!(n as i64) } else { json!(n) };
    let mut schema = json!({"type": name});
    if let Some(min) = bounds.min {
        schema[if bounds.above_min { "exclusiveMinimum" } else { "minimum" }] = number(min);
    }
    if let Some(max) = bounds.max {
        schema["maximum"] = number(max);
    }
    schema
}
