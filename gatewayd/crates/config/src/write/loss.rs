//! What a write must not do to the content: put a placeholder where a secret was, or lose keys.

use serde_json::Value;

use crate::redact::PLACEHOLDER;

/// The path of the first placeholder.
pub(super) fn placeholder(value: &Value, path: &mut Vec<String>) -> Option<String> {
    let mut below = |name: String, value: &Value| {
        path.push(name);
        let found = placeholder(value, path);
        path.pop();
        found
    };
    match value {
        Value::Object(map) => map.iter().find_map(|(key, value)| below(key.clone(), value)),
        Value::Array(items) => items.iter().enumerate().find_map(|(i, value)| below(i.to_string(), value)),
        Value::String(text) if text == PLACEHOLDER => Some(path.join(".")),
        _ => None,
    }
}

/// Paths of `old` that `new` lacks: what a write must be allowed to drop.
#[must_use]
pub fn lost(old: &Value, new: &Value) -> Vec<String> {
    let mut lost = Vec::new();
    missing(old, new, &mut Vec::new(), &mut lost);
    lost
}

/// Paths of `old` that `new` lacks. Lists count as values; a changed kind of value is a change, not a loss.
pub(super) fn missing(old: &Value, new: &Value, path: &mut Vec<String>, lost: &mut Vec<String>) {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return };
    for (key, value) in old {
        path.push(key.clone());
        match new.get(key) {
            Some(new) => missing(value, new, path, lost),
            None => lost.push(path.join(".")),
        }
        path.pop();
    }
}
