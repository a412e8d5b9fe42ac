//! Hints for forms: label, help, group, order, and which fields to hide. Positions in lists are left out of the
//! paths and free names are `*`, as the forms look them up.

use serde_json::{Map, Value, json};

use crate::keys::{Key, Type, tree};

/// Hints by path.
#[must_use]
pub fn ui_hints() -> Value {
    let mut hints = Map::new();
    for (order, (group, section)) in tree().fields().iter().enumerate() {
        let label = label(group);
        let mut hint = json!({"label": label, "group": label, "order": (order + 1) * 10});
        if let Some(row) = section.row {
            hint["help"] = json!(row.doc);
        }
        hints.insert((*group).to_owned(), hint);
        section.visit(&mut |key| {
            if key.path != *group {
                add(&mut hints, key, &label);
            }
        });
    }
    Value::Object(hints)
}

fn add(hints: &mut Map<String, Value>, key: &Key, group: &str) {
    let Some(row) = key.row.filter(|row| !row.doc.is_empty()) else { return };
    let path = key.path.replace("[]", "").replace("<key>", "*");
    let name = path.rsplit('.').find(|name| *name != "*").unwrap_or(&path);
    let mut hint = json!({"label": label(name), "help": row.doc, "group": group});
    if key.is_secret() && matches!(key.ty, Type::Text(..)) {
        hint["sensitive"] = json!(true);
    }
    hints.entry(path).or_insert(hint);
}

/// `trustedProxies` as `Trusted Proxies`.
fn label(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        match c {
            c if i == 0 => out.extend(c.to_uppercase()),
            '-' | '_' => out.push(' '),
            c if c.is_uppercase() => {
                out.push(' ');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
