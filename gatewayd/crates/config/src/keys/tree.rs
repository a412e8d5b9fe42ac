//! The rows as a tree: the shape in which validation and look-ups walk along a value. A part of it is made when
//! somebody first looks below its top, because a start reads a few dozen of the more than two thousand keys.

use std::sync::{LazyLock, OnceLock};

use indexmap::IndexMap;
use serde_json::Value;

use super::row::{Reload, Row, Type};
use crate::path::Segment;

/// A key with everything below it.
#[derive(Debug)]
pub struct Key {
    /// The pattern of its path.
    pub path: String,
    /// Its row; objects that only group others have none.
    pub row: Option<&'static Row>,
    /// What it may hold, `Like` already looked up.
    pub ty: Type,
    /// What a change costs, inherited where the row is silent.
    pub reload: Reload,
    /// The rows below it, each with the part of its path that leads there from here. Those of the whole table are not
    /// kept a second time.
    rows: Vec<(&'static str, &'static Row)>,
    children: OnceLock<Children>,
}

#[derive(Debug, Default)]
struct Children {
    fields: IndexMap<&'static str, Key>,
    other: Option<Box<Key>>,
    item: Option<Box<Key>>,
}

/// The whole table.
pub fn tree() -> &'static Key {
    static TREE: LazyLock<Key> = LazyLock::new(|| Key {
        path: String::new(),
        row: None,
        ty: Type::Object,
        reload: Reload::None,
        rows: Vec::new(),
        children: OnceLock::new(),
    });
    &TREE
}

/// The default of the key at `pattern`, when it is a plain value.
#[must_use]
pub fn default_of(pattern: &str) -> Option<Value> {
    serde_json::from_str(tree().at_pattern(pattern)?.row?.default).ok()
}

impl Key {
    /// Named fields of an object.
    #[must_use]
    pub fn fields(&self) -> &IndexMap<&'static str, Self> {
        &self.children().fields
    }

    /// What stands under any other name.
    #[must_use]
    pub fn other(&self) -> Option<&Self> {
        self.children().other.as_deref()
    }

    /// The items of a list.
    #[must_use]
    pub fn item(&self) -> Option<&Self> {
        self.children().item.as_deref()
    }

    /// The field called `name`, or else what stands under any name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Self> {
        self.fields().get(name).or(self.other())
    }

    /// The key one step below, by name or position.
    #[must_use]
    pub fn child(&self, segment: &Segment) -> Option<&Self> {
        match segment {
            Segment::Key(name) => self.named(name),
            Segment::Index(_) => self.item(),
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
        let (mut key, mut rest) = (self, pattern);
        while !rest.is_empty() {
            let (step, after) = first_step(rest);
            key = match step {
                Step::Field(name) => key.fields().get(name)?,
                Step::Other => key.other()?,
                Step::Item => key.item()?,
            };
            rest = after;
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
        for child in self.fields().values().chain(self.other()).chain(self.item()) {
            child.visit(visit);
        }
    }

    fn children(&self) -> &Children {
        self.children.get_or_init(|| {
            let mut children = Children::default();
            for (step, group) in self.groups() {
                let key = self.below(step, group);
                match step {
                    Step::Field(name) => drop(children.fields.insert(name, key)),
                    Step::Other => children.other = Some(Box::new(key)),
                    Step::Item => children.item = Some(Box::new(key)),
                }
            }
            children
        })
    }

    /// The rows below, by their first step. `Like` adds the steps of the key it names that are not declared here,
    /// without the branch it stands in itself.
    fn groups(&self) -> IndexMap<Step<'static>, Group> {
        if self.path.is_empty() {
            return group(all_rows().map(|row| (row.path, row)));
        }
        let mut groups = group(self.rows.iter().copied());
        if let Some(Type::Like(model)) = self.row.map(|row| row.ty) {
            let own_branch = below_path(&self.path, model).map(|rest| first_step(rest).0);
            let rows = all_rows().filter_map(|row| Some((below_path(row.path, model)?, row)));
            for (step, rows) in group(rows) {
                if own_branch != Some(step) {
                    groups.entry(step).or_insert(rows);
                }
            }
        }
        groups
    }

    fn below(&self, step: Step<'_>, Group { row, rows }: Group) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = match step {
            Step::Field(name) => format!("{}{dot}{name}", self.path),
            Step::Other => format!("{}{dot}<key>", self.path),
            Step::Item => format!("{}[]", self.path),
        };
        let ty = match row.map(|row| row.ty) {
            Some(Type::Like(model)) => all_rows().find(|row| row.path == model).map(|row| row.ty),
            declared => declared,
        };
        Self {
            path,
            row,
            ty: ty.unwrap_or(Type::Object),
            reload: row.and_then(|row| row.reload).unwrap_or(self.reload),
            rows,
            children: OnceLock::new(),
        }
    }
}

/// What the rows say about one step: the row that ends there, and those that go on.
#[derive(Default)]
struct Group {
    row: Option<&'static Row>,
    rows: Vec<(&'static str, &'static Row)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Step<'a> {
    Field(&'a str),
    Other,
    Item,
}

fn all_rows() -> impl Iterator<Item = &'static Row> {
    super::SECTIONS.iter().copied().flatten()
}

fn group(rows: impl Iterator<Item = (&'static str, &'static Row)>) -> IndexMap<Step<'static>, Group> {
    let mut groups = IndexMap::<_, Group>::new();
    for (path, row) in rows {
        let (step, rest) = first_step(path);
        // The rows of a step mostly stand together, and comparing is cheaper than looking up.
        let at = match groups.last() {
            Some((last, _)) if *last == step => groups.len() - 1,
            _ => {
                let entry = groups.entry(step);
                let at = entry.index();
                entry.or_default();
                at
            }
        };
        let group = &mut groups[at];
        if rest.is_empty() {
            group.row = Some(row);
        } else {
            group.rows.push((rest, row));
        }
    }
    groups
}

/// The first step of a pattern, and what follows it.
fn first_step(pattern: &str) -> (Step<'_>, &str) {
    if let Some(rest) = pattern.strip_prefix("[]") {
        return (Step::Item, rest);
    }
    let pattern = pattern.strip_prefix('.').unwrap_or(pattern);
    let end = pattern.bytes().position(|byte| matches!(byte, b'.' | b'['));
    let (name, rest) = pattern.split_at(end.unwrap_or(pattern.len()));
    (if name == "<key>" { Step::Other } else { Step::Field(name) }, rest)
}

/// What leads from `top` to `path`, when it is below.
fn below_path<'a>(path: &'a str, top: &str) -> Option<&'a str> {
    path.strip_prefix(top).filter(|rest| rest.starts_with(['.', '[']))
}
