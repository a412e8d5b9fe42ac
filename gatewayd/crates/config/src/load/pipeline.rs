//! The steps in their order.

use std::sync::Arc;

use gateway_base::env::Env;
use gateway_base::id::sha256_hex;
use gateway_base::paths::Paths;
use serde_json::Value;

use super::include::Includes;
use super::read::{MAX_BYTES, Read, read};
use super::snapshot::{Place, Snapshot};
use super::{defaults, tilde, vars};
use crate::issue::Issue;
use crate::sections::Config;
use crate::{environment, json5, migrate, validate};

/// The release of the original whose configuration this is.
pub const RELEASE: &str = "2026.1.24-3";

/// Values nested deeper than this after merging are refused.
const MAX_DEPTH: usize = 2 * json5::MAX_DEPTH;

/// Reads and checks the config file. A missing file is an empty, valid configuration.
#[must_use]
pub fn load(paths: &Paths, env: &Env) -> Snapshot {
    match read(&paths.config) {
        Read::Text(text) => Snapshot { exists: true, ..parse_text(&text, paths, env) },
        Read::Missing => {
            let snapshot = parse_text("{}", paths, env);
            Snapshot { raw: None, hash: sha256_hex(b""), ..snapshot }
        }
        Read::Unusable(why) => {
            let snapshot = Snapshot { exists: true, ..Snapshot::empty(&paths.config) };
            snapshot.refuse(vec![Issue::root(format!("read failed: {why}"))])
        }
    }
}

/// Checks `text` as if it stood in the config file; `exists` is left false.
#[must_use]
pub fn parse_text(text: &str, paths: &Paths, env: &Env) -> Snapshot {
    let mut snapshot = Snapshot::empty(&paths.config);
    snapshot.raw = Some(text.to_owned());
    snapshot.hash = sha256_hex(text.as_bytes());
    if text.len() as u64 > MAX_BYTES {
        return snapshot
            .refuse(vec![Issue::root(format!("it is larger than {} MiB", MAX_BYTES / 1024 / 1024))]);
    }
    let parsed = match json5::parse(text) {
        Ok(node) => node.to_value(),
        Err(error) => return snapshot.refuse(vec![Issue::root(format!("JSON5 parse failed: {error}"))]),
    };
    snapshot.parsed.clone_from(&parsed);
    let mut includes = Includes::of(&paths.config);
    let merged = includes.resolve(parsed);
    snapshot.files = includes.files;
    match merged {
        Ok(merged) if deeper(&merged, MAX_DEPTH) => {
            let message = format!("nested deeper than {MAX_DEPTH} levels after includes");
            snapshot.refuse(vec![Issue::root(message)])
        }
        Ok(merged) if !merged.is_object() => {
            snapshot.refuse(vec![Issue::root("Invalid input: expected object")])
        }
        Ok(merged) => resolved(snapshot, merged, &Place { paths, env }),
        Err(message) => snapshot.refuse(vec![Issue::root(message)]),
    }
}

/// The steps after includes.
fn resolved(mut snapshot: Snapshot, mut value: Value, place: &Place<'_>) -> Snapshot {
    snapshot.merged.clone_from(&value);
    snapshot.value.clone_from(&value);
    let env = environment::with_section(place.env, &value);
    let missing = vars::substitute(&mut value, &env);
    if !missing.is_empty() {
        let issues = missing.into_iter().map(|(name, path)| {
            Issue::root(format!("Missing env var \"{name}\" referenced at config path: {path}"))
        });
        return snapshot.refuse(issues.collect());
    }
    snapshot.value.clone_from(&value);
    snapshot.legacy_issues = migrate::legacy_issues(&value);
    if !snapshot.legacy_issues.is_empty() {
        let issues = snapshot.legacy_issues.clone();
        return snapshot.refuse(issues);
    }
    let (issues, warnings) = validate::check(&value, place);
    snapshot.warnings = warnings;
    snapshot.warnings.extend(newer_version(&value));
    if !issues.is_empty() {
        return snapshot.refuse(issues);
    }
    defaults::apply(&mut value, &env);
    tilde::expand(&mut value, place.paths);
    snapshot.config = Arc::new(Config::from_value(&value, place.paths));
    snapshot.value = value;
    snapshot
}

fn newer_version(value: &Value) -> Option<Issue> {
    let wrote = value.get("meta")?.get("lastTouchedVersion")?.as_str()?;
    let numbers = |v: &str| -> Option<Vec<u64>> {
        v.trim_start_matches('v').split(['.', '-']).map(|p| p.parse().ok()).collect()
    };
    (numbers(wrote)? > numbers(RELEASE)?).then(|| {
        let message =
            format!("Config was last written by a newer Clawdbot ({wrote}); current version is {RELEASE}.");
        Issue::new("meta.lastTouchedVersion", message)
    })
}

fn deeper(value: &Value, limit: usize) -> bool {
    let Some(limit) = limit.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|v| deeper(v, limit)),
        Value::Object(map) => map.values().any(|v| deeper(v, limit)),
        _ => false,
    }
}
