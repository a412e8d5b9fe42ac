//! What the steps are made of: taking a value out of its place and putting it into another, without ever losing one.

use serde_json::{Map, Value};

/// A whole configuration.
pub(super) type Root = Map<String, Value>;

/// Moves the value at `from` to `to`. Objects are merged, and what is there already wins; any other value that would
/// have to be given up for the move stays where it is.
pub(super) fn relocate(root: &mut Root, from: &str, to: &str, changes: &mut Vec<String>) {
    let Some(value) = take(root, from) else { return };
    match put(root, to, value) {
        Ok(true) => changes.push(format!("Merged {from} → {to}.")),
        Ok(false) => changes.push(format!("Moved {from} → {to}.")),
        Err(value) => {
            // The place was there a moment ago, so this cannot fail.
            let _ = put(root, from, value);
        }
    }
}

/// Takes the value at a dotted path out.
pub(super) fn take(root: &mut Root, path: &str) -> Option<Value> {
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    object(root, parents)?.shift_remove(last)
}

/// Takes the value out when it is what a step knows how to place.
pub(super) fn take_if(root: &mut Root, path: &str, test: impl Fn(&Value) -> bool) -> Option<Value> {
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    object(root, parents)?.get(last).filter(|value| test(value))?;
    take(root, path)
}

/// Whether a value is a list or an object, all of whose items pass.
pub(super) fn holds_only(value: &Value, test: fn(&Value) -> bool) -> bool {
    match value {
        Value::Object(map) => map.values().all(test),
        Value::Array(items) => items.iter().all(test),
        _ => false,
    }
}

/// Puts a value at a dotted path, making objects on the way; whether something was there to merge it into. Gives the
/// value back when it cannot be put there.
pub(super) fn put(root: &mut Root, path: &str, value: Value) -> Result<bool, Value> {
    let mut place = root;
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    for name in parents.split('.').filter(|name| !name.is_empty()) {
        let next = place.entry(name).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(next) = next else { return Err(value) };
        place = next;
    }
    match (place.get_mut(last), value) {
        (None, value) => {
            place.insert(last.to_owned(), value);
            Ok(false)
        }
        (Some(Value::Object(old)), Value::Object(new)) => {
            fill(old, new);
            Ok(true)
        }
        (Some(old), value) if *old == value => Ok(true),
        (Some(_), value) => Err(value),
    }
}

/// Removes objects in which nothing is left.
pub(super) fn sweep(root: &mut Root, paths: &[&str]) {
    for path in paths {
        let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
        let Some(parent) = object(root, parents) else { continue };
        if parent.get(last).and_then(Value::as_object).is_some_and(Map::is_empty) {
            parent.shift_remove(last);
        }
    }
}

/// The object at a dotted path, if there is one.
pub(super) fn object<'a>(root: &'a mut Root, path: &str) -> Option<&'a mut Root> {
    path.split('.')
        .filter(|name| !name.is_empty())
        .try_fold(root, |place, name| place.get_mut(name)?.as_object_mut())
}

/// Adds what `old` lacks, at every depth.
pub(super) fn fill(old: &mut Root, new: Root) {
    for (key, value) in new {
        match (old.get_mut(&key), value) {
            (None, value) => {
                old.insert(key, value);
            }
            (Some(Value::Object(old)), Value::Object(new)) => fill(old, new),
            (Some(_), _) => {}
        }
    }
}
