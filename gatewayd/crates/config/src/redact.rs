//! A copy of a value in which secrets are blotted out, for logs and reports.

use serde_json::{Map, Value};

use crate::keys::{Key, Type, tree};

/// What stands in the place of a secret. The writer refuses to store it.
pub const PLACEHOLDER: &str = "__REDACTED__";

/// `config` without its secrets: keys that the table marks, and anything named like one where the table is silent.
#[must_use]
pub fn redact(config: &Value) -> Value {
    walk(config, Some(tree()), false)
}

fn walk(value: &Value, key: Option<&Key>, secret: bool) -> Value {
    match value {
        Value::Object(map) => {
            let below = |name: &str, value: &Value| {
                let child = key.and_then(|k| k.named(name));
                let unknown = child.is_none_or(|c| c.ty == Type::Any);
                let hide = secret || child.is_some_and(Key::is_secret) || (unknown && sounds_secret(name));
                walk(value, child, hide)
            };
            Value::Object(map.iter().map(|(k, v)| (k.clone(), below(k, v))).collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let item = key.and_then(Key::item);
            items.iter().map(|v| walk(v, item, secret)).collect()
        }
        Value::String(text) if secret && !text.is_empty() => Value::String(PLACEHOLDER.to_owned()),
        Value::Number(_) if secret => Value::String(PLACEHOLDER.to_owned()),
        plain => plain.clone(),
    }
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["token", "password", "secret", "apikey", "api_key", "privatekey"].iter().any(|word| name.ends_with(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn known_and_unknown_secrets_are_hidden_and_nothing_else() {
        let config = json!({
            "gateway": {"auth": {"token": "s1", "mode": "token"}, "port": 1},
            "channels": {"matrix": {"accessToken": "s2", "userId": "@a:b"}, "telegram": {"accounts": {"x": {"botToken": "s3"}}}},
            "models": {"providers": {"p": {"apiKey": "s4", "headers": {"x": "s5"}, "models": [{"id": "m", "maxTokens": 5}]}}},
            "env": {"A": "s6", "vars": {"B": "s7"}},
            "session": {"identityLinks": {"token": ["telegram:1"]}},
        });
        let shown = redact(&config).to_string();
        for secret in ["s1", "s2", "s3", "s4", "s5", "s6", "s7"] {
            assert!(!shown.contains(&format!("\"{secret}\"")), "{secret} in {shown}");
        }
        for plain in ["\"mode\":\"token\"", "@a:b", "\"maxTokens\":5"] {
            assert!(shown.contains(plain), "{plain} missing in {shown}");
        }
    }
}
