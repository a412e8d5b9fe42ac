//! The rows as a tree, built once: the shape in which validation and look-ups walk along a value.

use std::sync::LazyLock;

use indexmap::IndexMap;
use serde_json::Value;

use super::row::{Reload, Row, Type};
use crate::path::Segment;

/// A key with everything below it.
#[derive(Clone, Debug)]
pub struct Key {
    /// The pattern of its path.
    pub path: String,
    /// Its row; objects that only group others have none.
    pub row: Option<&'static Row>,
    /// What it may hold, `Like` already looked up.
    pub ty: Type,
    /// What a change costs, inherited where the row is silent.
    pub reload: Reload,
    /// Named fields of an object.
    pub fields: IndexMap<String, Key>,
    /// What stands under any other name.
    pub other: Option<Box<Key>>,
    /// The items of a list.
    pub item: Option<Box<Key>>,
}

/// The whole table.
pub fn tree() -> &'static Key {
    static TREE: LazyLock<Key> = LazyLock::new(build);
    &TREE
}

/// The default of the key at `pattern`, when it is a plain value.
#[must_use]
pub fn default_of(pattern: &str) -> Option<Value> {
    serde_json::from_str(tree().at_pattern(pattern)?.row?.default).ok()
}

impl Key {
    fn new(path: String) -> Self {
        Self {
            path,
            row: None,
            ty: Type::Object,
            reload: Reload::None,
            fields: IndexMap::new(),
            other: None,
            item: None,
        }
    }

    /// The key one step below, by name or position.
    #[must_use]
    pub fn child(&self, segment: &Segment) -> Option<&Self> {
        match segment {
            Segment::Key(name) => self.fields.get(name).or(self.other.as_deref()),
            Segment::Index(_) => self.item.as_deref(),
        }
    }

    /// The deepest key along `path`, and whether that is the whole path.
    #[must_use]
    pub fn walk(&self, path: &[Segment]) -> (&Self, bool) {
        let mut key = self;
        for segment in path {
            match key.child(segment) {
                Some(next) => key = next,
                None => return (key, false),
            }
        }
        (key, true)
    }

    /// The key with exactly this pattern.
    #[must_use]
    pub fn at_pattern(&self, pattern: &str) -> Option<&Self> {
        let mut key = self;
        for step in steps(pattern) {
            key = match step {
                Step::Field(name) => key.fields.get(name)?,
                Step::Other => key.other.as_deref()?,
                Step::Item => key.item.as_deref()?,
            };
        }
        Some(key)
    }

    /// Whether the row forbids showing the value.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.row.is_some_and(|row| row.secret)
    }

    /// Calls `visit` for this key and everything below it, parents first.
    pub fn visit<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for child in self.fields.values().chain(self.other.as_deref()).chain(self.item.as_deref()) {
            child.visit(visit);
        }
    }
}

enum Step<'a> {
    Field(&'a str),
    Other,
    Item,
}

fn steps(pattern: &str) -> impl Iterator<Item = Step<'_>> {
    pattern.split('.').filter(|part| !part.is_empty()).flat_map(|part| {
        let name = part.trim_end_matches("[]");
        let items = (part.len() - name.len()) / 2;
        let first = if name == "<key>" { Step::Other } else { Step::Field(name) };
        std::iter::once(first).chain(std::iter::repeat_with(|| Step::Item).take(items))
    })
}

fn build() -> Key {
    let mut root = Key::new(String::new());
    for row in super::SECTIONS.iter().copied().flatten() {
        let mut key = &mut root;
        for step in steps(row.path) {
            key = below(key, &step);
        }
        key.row = Some(row);
        key.ty = row.ty;
    }
    let declared = root.clone();
    expand(&mut root, &declared);
    inherit(&mut root, Reload::None);
    root
}

fn below<'a>(key: &'a mut Key, step: &Step<'_>) -> &'a mut Key {
    let joined =
        |name: &str| if key.path.is_empty() { name.to_owned() } else { format!("{}.{name}", key.path) };
    match step {
        Step::Field(name) => {
            let path = joined(name);
            key.fields.entry((*name).to_owned()).or_insert_with(|| Key::new(path))
        }
        Step::Other => {
            let path = joined("<key>");
            key.other.get_or_insert_with(|| Box::new(Key::new(path)))
        }
        Step::Item => {
            let path = format!("{}[]", key.path);
            key.item.get_or_insert_with(|| Box::new(Key::new(path)))
        }
    }
}

/// Replaces `Like` by a copy of what it names, without the branch it stands in itself.
fn expand(key: &mut Key, declared: &Key) {
    if let Type::Like(target) = key.ty
        && let Some(model) = declared.at_pattern(target)
    {
        key.ty = model.ty;
        for (name, field) in &model.fields {
            let own_branch = key.path.starts_with(&format!("{}.", field.path)) || key.path == field.path;
            if !own_branch && !key.fields.contains_key(name) {
                key.fields.insert(name.clone(), moved(field, &model.path, &key.path));
            }
        }
        key.other = key
            .other
            .take()
            .or_else(|| model.other.as_deref().map(|k| Box::new(moved(k, target, &key.path))));
        key.item =
            key.item.take().or_else(|| model.item.as_deref().map(|k| Box::new(moved(k, target, &key.path))));
    }
    for child in key.fields.values_mut().chain(key.other.as_deref_mut()).chain(key.item.as_deref_mut()) {
        expand(child, declared);
    }
}

fn moved(key: &Key, from: &str, to: &str) -> Key {
    let mut copy = key.clone();
    rename(&mut copy, from, to);
    copy
}

fn rename(key: &mut Key, from: &str, to: &str) {
    key.path.replace_range(..from.len().min(key.path.len()), to);
    for child in key.fields.values_mut().chain(key.other.as_deref_mut()).chain(key.item.as_deref_mut()) {
        rename(child, from, to);
    }
}

fn inherit(key: &mut Key, from_above: Reload) {
    key.reload = key.row.and_then(|row| row.reload).unwrap_or(from_above);
    let reload = key.reload;
    for child in key.fields.values_mut().chain(key.other.as_deref_mut()).chain(key.item.as_deref_mut()) {
        inherit(child, reload);
    }
}
