//! The table holds together, and a configuration with every key in it is accepted.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::*;
use crate::validate::shape;

#[test]
fn rows_are_unique_documented_and_point_at_something() {
    let mut seen = HashSet::new();
    for row in SECTIONS.iter().copied().flatten() {
        assert!(seen.insert(row.path), "{} twice", row.path);
        assert!(row.doc.len() > 3 && row.doc.ends_with('.'), "{}: {:?}", row.path, row.doc);
        if let Type::Like(target) = row.ty {
            assert!(tree().at_pattern(target).is_some(), "{} is like {target}, which is missing", row.path);
        }
    }
    assert!(seen.len() > 900, "{}", seen.len());
}

#[test]
fn nothing_is_left_unresolved() {
    tree().visit(&mut |key| {
        assert!(!matches!(key.ty, Type::Like(_)), "{}", key.path);
        assert!(std::ptr::eq(tree().at_pattern(&key.path).expect("own path"), key), "{}", key.path);
    });
    assert!(tree().at_pattern("agents.list[].memorySearch.sync.sessions.deltaBytes").is_some());
    assert!(tree().at_pattern("channels.slack.accounts.<key>.dm.policy").is_some());
    assert!(tree().at_pattern("channels.slack.accounts.<key>.accounts").is_none());
    assert!(tree().at_pattern("tools.media.audio.models[].deepgram.punctuate").is_some());
}

#[test]
fn json_defaults_fit_their_own_type() {
    let mut checked = 0;
    tree().visit(&mut |key| {
        let Some(default) = key.row.and_then(|row| serde_json::from_str::<Value>(row.default).ok()) else {
            return;
        };
        // Groups in between must be there; what they lack themselves is reported elsewhere.
        let whole = place(&key.path, default);
        let path = key.path.replace("[]", ".0").replace("<key>", "x");
        let bad: Vec<_> = shape(&whole).into_iter().filter(|issue| issue.path == path).collect();
        assert!(bad.is_empty(), "{bad:?}");
        checked += 1;
    });
    assert!(checked > 300, "{checked}");
}

#[test]
fn a_configuration_with_every_key_is_accepted() {
    let all = sample(tree(), tree().ty);
    let issues = shape(&all);
    assert!(issues.is_empty(), "{issues:#?}");
    assert!(all.to_string().len() > 20_000);
}

#[test]
fn every_known_key_refuses_what_it_cannot_hold() {
    let mut refused = 0;
    tree().visit(&mut |key| {
        let wrong = match key.ty {
            Type::Any => return,
            Type::Bool | Type::List(_) | Type::Map(_) | Type::Object => json!("x"),
            Type::OneOf(_) => Value::Null,
            _ => json!([]),
        };
        let path = key.path.replace("[]", ".0").replace("<key>", "x");
        if path.is_empty() {
            return;
        }
        let issues = shape(&place(&key.path, wrong));
        assert!(issues.iter().any(|issue| issue.path == path), "{path}: {issues:?}");
        refused += 1;
    });
    assert!(refused > 1_900, "{refused}");
}

/// A value with nothing but the key at `pattern`.
fn place(pattern: &str, leaf: Value) -> Value {
    let steps: Vec<&str> = pattern.split('.').collect();
    steps.iter().rev().fold(leaf, |value, step| {
        let name = step.trim_end_matches("[]");
        let lists = (step.len() - name.len()) / 2;
        let value = (0..lists).fold(value, |value, _| json!([value]));
        let name = if name == "<key>" { "x" } else { name };
        Value::Object(Map::from_iter([(name.to_owned(), value)]))
    })
}

/// A value that has every key.
fn sample(key: &Key, ty: Type) -> Value {
    match ty {
        Type::Any | Type::Like(_) => json!({"free": [1, null]}),
        Type::Bool => json!(true),
        Type::Int(b) => json!(b.max.unwrap_or(1.0)),
        Type::Number(b) => json!(b.max.unwrap_or(1.5)),
        Type::Text(_, _, Check::HexColor) => json!("#00ff00"),
        Type::Text(_, _, Check::Bind) => json!("::1"),
        Type::Text(..) => json!("text"),
        Type::Choice(choices) => json!(choices[0]),
        Type::List(item) => {
            json!([key.item().map_or_else(|| sample(key, *item), |k| sample(k, k.ty))])
        }
        Type::Map(item) => {
            let mut map = Map::new();
            let entry = key.other().map_or_else(|| sample(key, *item), |k| sample(k, k.ty));
            map.insert("x".to_owned(), entry);
            Value::Object(map)
        }
        Type::Object => {
            let mut map: Map<String, Value> =
                key.fields().iter().map(|(n, k)| ((*n).to_owned(), sample(k, k.ty))).collect();
            if let Some(other) = key.other() {
                map.insert("X".to_owned(), sample(other, other.ty));
            }
            Value::Object(map)
        }
        Type::OneOf(types) => sample(key, types[types.len() - 1]),
    }
}
