//! `${NAME}` in strings. `$${NAME}` stands for itself, other dollar signs are left alone, and what was put in is
//! not looked at again.

use gateway_base::env::Env;
use serde_json::Value;

/// Replaces all variables in `value`; the result lists `(name, path)` of those without a value.
pub(super) fn substitute(value: &mut Value, env: &Env) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    walk(value, env, &mut String::new(), &mut missing);
    missing
}

fn walk(value: &mut Value, env: &Env, path: &mut String, missing: &mut Vec<(String, String)>) {
    let length = path.len();
    match value {
        Value::String(text) if text.contains("${") => match expand(text, env) {
            Ok(expanded) => *text = expanded,
            Err(name) => missing.push((name, path.clone())),
        },
        Value::Array(items) => {
            for (i, item) in items.iter_mut().enumerate() {
                path.push_str(&format!("[{i}]"));
                walk(item, env, path, missing);
                path.truncate(length);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
                walk(item, env, path, missing);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// `text` with its variables replaced, or the name of one that has no value.
pub(crate) fn expand(text: &str, env: &Env) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(name) = rest.strip_prefix('$').and_then(reference) {
            out.push_str(env.get(name).ok_or_else(|| name.to_owned())?);
            rest = &rest[name.len() + 3..];
        } else if let Some(name) = rest.strip_prefix("$$").and_then(reference) {
            out.push_str(&rest[1..name.len() + 4]);
            rest = &rest[name.len() + 4..];
        } else {
            out.push('$');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The name in `{NAME}...`.
fn reference(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('{')?;
    let is_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let length = inside.bytes().take_while(|b| is_name(*b)).count();
    let (name, rest) = inside.split_at(length);
    let ok = rest.starts_with('}') && name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    ok.then_some(name)
}
