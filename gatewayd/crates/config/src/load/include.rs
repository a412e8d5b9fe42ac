//! `$include`: other files merged into the place where they are named. Later wins, objects merge, lists are joined.
//! The number and size of the files are limited, so that a small file cannot ask for endless work.

use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value};

use super::read::{MAX_BYTES, Read, read};
use crate::json5;

/// How deep includes may be nested.
const MAX_NESTING: usize = 10;
/// How many files one configuration may include, repeats counted.
const MAX_FILES: usize = 256;
/// How much text all of them may have together.
const MAX_TOTAL: u64 = 4 * MAX_BYTES;

/// Resolves includes and remembers every file it came across.
pub(crate) struct Includes {
    /// The main file and all included ones, also those that could not be read.
    pub(crate) files: Vec<PathBuf>,
    chain: Vec<PathBuf>,
    reads: usize,
    total: u64,
}

impl Includes {
    /// Starts at the main file.
    pub(crate) fn of(main: &Path) -> Self {
        let main = normal(main);
        Self { files: vec![main.clone()], chain: vec![main], reads: 0, total: 0 }
    }

    /// `value` with all includes merged in.
    pub(crate) fn resolve(&mut self, value: Value) -> Result<Value, String> {
        match value {
            Value::Object(map) => self.object(map),
            Value::Array(items) => items
                .into_iter()
                .map(|item| self.resolve(item))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array),
            plain => Ok(plain),
        }
    }

    fn object(&mut self, mut map: Map<String, Value>) -> Result<Value, String> {
        let include = map.shift_remove("$include");
        let mut own = Map::new();
        for (key, value) in map {
            own.insert(key, self.resolve(value)?);
        }
        let Some(include) = include else { return Ok(Value::Object(own)) };
        let included = self.included(&include)?;
        if own.is_empty() {
            return Ok(included);
        }
        if !included.is_object() {
            return Err("Sibling keys require included content to be an object".to_owned());
        }
        Ok(merge(included, Value::Object(own)))
    }

    /// The content that an `$include` value stands for.
    pub(crate) fn included(&mut self, include: &Value) -> Result<Value, String> {
        match include {
            Value::String(name) => self.file(name),
            Value::Array(names) => {
                let mut all = Value::Object(Map::new());
                for name in names {
                    let Value::String(name) = name else {
                        return Err(format!(
                            "Invalid $include array item: expected string, got {}",
                            type_of(name)
                        ));
                    };
                    all = merge(all, self.file(name)?);
                }
                Ok(all)
            }
            other => Err(format!(
                "Invalid $include value: expected string or array of strings, got {}",
                type_of(other)
            )),
        }
    }

    fn file(&mut self, name: &str) -> Result<Value, String> {
        let folder = self.chain.last().and_then(|file| file.parent()).unwrap_or(Path::new(""));
        let path = normal(&folder.join(name));
        if self.chain.contains(&path) {
            let chain: Vec<_> = self.chain.iter().chain([&path]).map(|p| p.display().to_string()).collect();
            return Err(format!("Circular include detected: {}", chain.join(" -> ")));
        }
        if self.chain.len() > MAX_NESTING {
            return Err(format!("Maximum include depth ({MAX_NESTING}) exceeded at: {name}"));
        }
        if !self.files.contains(&path) {
            self.files.push(path.clone());
        }
        self.reads += 1;
        let text = match read(&path) {
            _ if self.reads > MAX_FILES => {
                return Err(format!("More than {MAX_FILES} include files; stopped at: {name}"));
            }
            Read::Text(text) => text,
            Read::Missing => return Err(unreadable(name, &path)),
            Read::Unusable(why) => return Err(format!("{}: {why}", unreadable(name, &path))),
        };
        self.total += text.len() as u64;
        if self.total > MAX_TOTAL {
            return Err(format!("Include files are larger than {} MiB together", MAX_TOTAL / 1024 / 1024));
        }
        let node = json5::parse(&text).map_err(|error| {
            format!("Failed to parse include file: {name} (resolved: {}): {error}", path.display())
        })?;
        self.chain.push(path);
        let value = self.resolve(node.to_value());
        self.chain.pop();
        value
    }
}

/// `over` merged into `base`: objects key by key, lists joined, anything else replaced.
pub(crate) fn merge(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Object(mut base), Value::Object(over)) => {
            for (key, value) in over {
                let merged = match base.get_mut(&key) {
                    Some(old) => merge(old.take(), value),
                    None => value,
                };
                base.insert(key, merged);
            }
            Value::Object(base)
        }
        (Value::Array(mut base), Value::Array(over)) => {
            base.extend(over);
            Value::Array(base)
        }
        (_, over) => over,
    }
}

fn unreadable(name: &str, path: &Path) -> String {
    format!("Failed to read include file: {name} (resolved: {})", path.display())
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => "object",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
    }
}

/// `path` without `.` and `..`, by its words alone.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            part => out.push(part),
        }
    }
    out
}
