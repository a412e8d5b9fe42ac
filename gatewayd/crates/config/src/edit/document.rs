//! A text under edit.

use std::fmt;
use std::path::{Path, PathBuf};

use gateway_base::env::Env;
use serde_json::{Map, Value};

use super::reconcile::reconcile;
use crate::diff::same;
use crate::json5::{self, SyntaxError};
use crate::load::{Includes, expand};
use crate::path::{Segment, get, position, show};

/// Why an edit was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not JSON5.
    #[error("{0}")]
    Syntax(#[from] SyntaxError),
    /// The path names nothing.
    #[error("Path is empty.")]
    EmptyPath,
    /// A step of the path goes through something that is neither object nor list, or beyond the end of a list.
    #[error("Cannot set {path}: {reason}")]
    NoSuchPlace {
        /// The path.
        path: String,
        /// What is in the way.
        reason: String,
    },
    /// The value lives in another file.
    #[error("{path} is set in the included file {file}; edit it there")]
    Included {
        /// The path.
        path: String,
        /// The file, as found from the config file.
        file: String,
    },
    /// The whole file must be an object.
    #[error("a configuration must be an object")]
    NotAnObject,
    /// The edited text would not mean what was asked for. This is a defect of the editor; nothing was changed.
    #[error("the edit could not be written without changing other parts of the file")]
    Inexact,
}

/// A JSON5 text and the value it has.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    value: Value,
    file: Option<PathBuf>,
}

impl Document {
    /// Reads `text`. An empty text counts as `{}`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = if text.trim().is_empty() { "{}\n" } else { text };
        let value = json5::parse(text)?.to_value();
        Ok(Self { text: text.to_owned(), value, file: None })
    }

    /// Says where the text stands, so that included files can be looked at. Without it, any path below an
    /// `$include` that the text itself does not have counts as living in the included file.
    #[must_use]
    pub fn at(mut self, file: &Path) -> Self {
        self.file = Some(file.to_path_buf());
        self
    }

    /// The value of the text itself: includes and variables as written.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Sets `path` to `value`, making missing objects on the way. A list may be extended by one item at its end.
    pub fn set(&mut self, path: &[Segment], value: &Value) -> Result<(), Error> {
        self.own(path)?;
        let mut wanted = self.object()?;
        let (last, parents) = path.split_last().ok_or(Error::EmptyPath)?;
        let blocked = |reason: &str| Error::NoSuchPlace { path: show(path), reason: reason.to_owned() };
        let mut place = &mut wanted;
        for segment in parents {
            place = step(place, segment).map_err(blocked)?;
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
        }
        *step(place, last).map_err(blocked)? = value.clone();
        self.become_value(&wanted)
    }

    /// Removes `path`; returns whether it was there.
    pub fn unset(&mut self, path: &[Segment]) -> Result<bool, Error> {
        let (last, parents) = path.split_last().ok_or(Error::EmptyPath)?;
        self.own(path)?;
        let mut wanted = self.value.clone();
        let parent = parents.iter().try_fold(&mut wanted, |value, segment| match (value, segment) {
            (Value::Object(map), Segment::Key(key)) => map.get_mut(key),
            (Value::Object(map), Segment::Index(index)) => map.get_mut(&index.to_string()),
            (Value::Array(items), Segment::Index(index)) => items.get_mut(*index),
            (Value::Array(items), Segment::Key(key)) => items.get_mut(position(key)?),
            _ => None,
        });
        let removed = match (parent, last) {
            (Some(Value::Object(map)), Segment::Key(key)) => map.shift_remove(key).is_some(),
            (Some(Value::Object(map)), Segment::Index(index)) => {
                map.shift_remove(&index.to_string()).is_some()
            }
            (Some(Value::Array(items)), segment) => match index_of(segment).filter(|i| *i < items.len()) {
                Some(index) => {
                    items.remove(index);
                    true
                }
                None => false,
            },
            _ => false,
        };
        if removed {
            self.become_value(&wanted)?;
        }
        Ok(removed)
    }

    /// Merges `patch` in: objects key by key, `null` removes a key, anything else replaces.
    pub fn merge_patch(&mut self, patch: &Value) -> Result<(), Error> {
        let Value::Object(patch) = patch else { return Err(Error::NotAnObject) };
        let mut leaves = Vec::new();
        leaf_paths(patch, &mut Vec::new(), &mut leaves);
        for path in &leaves {
            self.own(path)?;
        }
        let mut wanted = self.object()?;
        merge(&mut wanted, &Value::Object(patch.clone()));
        self.become_value(&wanted)
    }

    /// Gives the whole text another value, changing only the places that differ.
    pub fn replace_root(&mut self, value: &Value) -> Result<(), Error> {
        if value.is_object() { self.become_value(value) } else { Err(Error::NotAnObject) }
    }

    /// As [`Document::replace_root`] for a value in which variables have been replaced by their content: where the
    /// text has a reference whose content is what is wanted, the reference stays.
    pub fn replace_root_resolved(&mut self, value: &Value, env: &Env) -> Result<(), Error> {
        let mut wanted = value.clone();
        keep_references(&self.value, &mut wanted, env);
        self.replace_root(&wanted)
    }

    fn object(&self) -> Result<Value, Error> {
        if self.value.is_object() { Ok(self.value.clone()) } else { Err(Error::NotAnObject) }
    }

    fn become_value(&mut self, wanted: &Value) -> Result<(), Error> {
        let text = reconcile(&self.text, wanted)?;
        let value = json5::parse(&text)?.to_value();
        if !same(&value, wanted) {
            return Err(Error::Inexact);
        }
        self.text = text;
        self.value = value;
        Ok(())
    }

    /// Refuses paths whose value comes from an included file.
    fn own(&self, path: &[Segment]) -> Result<(), Error> {
        for depth in 0..path.len() {
            let Some(Value::Object(object)) = get(&self.value, &path[..depth]) else { return Ok(()) };
            let Some(include) = object.get("$include") else { continue };
            if path.get(depth) == Some(&Segment::Key("$include".to_owned())) {
                return Ok(());
            }
            let rest = &path[depth..];
            let own = get(&Value::Object(object.clone()), rest).cloned();
            let theirs = self.included(include);
            let lives_there = match (&own, &theirs) {
                // A plain value here wins over whatever stands there.
                (Some(own), _) if !own.is_object() && !own.is_array() => false,
                (None, None) => true,
                (_, Some(theirs)) => reaches(theirs, rest),
                (Some(_), None) => false,
            };
            if lives_there {
                return Err(Error::Included { path: show(path), file: include_names(include) });
            }
        }
        Ok(())
    }

    fn included(&self, include: &Value) -> Option<Value> {
        Includes::of(self.file.as_deref()?).included(include).ok()
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether `value` has `path`, or a list or plain value on the way to it.
fn reaches(value: &Value, path: &[Segment]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    match (value, first) {
        (Value::Object(map), Segment::Key(key)) => map.get(key).is_some_and(|below| reaches(below, rest)),
        (Value::Object(map), Segment::Index(i)) => {
            map.get(&i.to_string()).is_some_and(|below| reaches(below, rest))
        }
        _ => true,
    }
}

/// The place one step below; a missing key or the item behind the last one is made, empty.
fn step<'a>(value: &'a mut Value, segment: &Segment) -> Result<&'a mut Value, &'static str> {
    match value {
        Value::Object(map) => {
            let key = match segment {
                Segment::Key(key) => key.clone(),
                Segment::Index(index) => index.to_string(),
            };
            Ok(map.entry(key).or_insert(Value::Null))
        }
        Value::Array(items) => {
            let index = index_of(segment).ok_or("a list is in the way; use a position in brackets")?;
            if index == items.len() {
                items.push(Value::Null);
            }
            items.get_mut(index).ok_or("the list is shorter than that")
        }
        _ => Err("a plain value is in the way"),
    }
}

fn index_of(segment: &Segment) -> Option<usize> {
    match segment {
        Segment::Index(index) => Some(*index),
        Segment::Key(key) => position(key),
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(map) = target else { return };
    for (key, change) in patch {
        if change.is_null() {
            map.shift_remove(key);
        } else {
            merge(map.entry(key).or_insert(Value::Null), change);
        }
    }
}

fn leaf_paths(patch: &Map<String, Value>, path: &mut Vec<Segment>, out: &mut Vec<Vec<Segment>>) {
    for (key, value) in patch {
        path.push(Segment::Key(key.clone()));
        match value {
            Value::Object(inner) if !inner.is_empty() => leaf_paths(inner, path, out),
            _ => out.push(path.clone()),
        }
        path.pop();
    }
}

fn keep_references(own: &Value, wanted: &mut Value, env: &Env) {
    match (own, wanted) {
        (Value::String(own), Value::String(wanted))
            if own.contains("${") && expand(own, env).is_ok_and(|content| content == *wanted) =>
        {
            wanted.clone_from(own);
        }
        (Value::Object(own), Value::Object(wanted)) => {
            for (key, value) in wanted {
                if let Some(own) = own.get(key) {
                    keep_references(own, value, env);
                }
            }
        }
        (Value::Array(own), Value::Array(wanted)) => {
            own.iter().zip(wanted).for_each(|(own, wanted)| keep_references(own, wanted, env));
        }
        _ => {}
    }
}

fn include_names(include: &Value) -> String {
    match include {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
