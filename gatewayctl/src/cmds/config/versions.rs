//! The versions of the file that are there, and what differs between them. They are compared as people wrote them,
//! without defaults and with `${VAR}` unresolved, so a version need not be valid any more to be looked at.

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use gateway_base::brief::brief;
use gateway_base::clock::{UnixMs, iso_utc};
use gateway_config::diff::{self, Change};
use gateway_config::redact::PLACEHOLDER;
use gateway_config::{json5, write};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::args::Version;
use crate::exit::{Exit, Failure};
use crate::phrase::age;
use crate::text::{Line, Style, Text};

/// How many keys are shown of those that changed.
pub const KEYS: usize = 6;
/// Longer values are cut for people.
const VALUE_CHARS: usize = 120;

/// The file and its numbered copies.
#[derive(Debug)]
pub struct Versions {
    file: PathBuf,
    copies: Vec<write::Copy>,
}

/// One version with its text.
#[derive(Debug)]
pub struct Read {
    name: String,
    path: PathBuf,
    /// What it holds.
    pub text: String,
}

impl Versions {
    /// Looks which copies there are.
    pub fn find(app: &App) -> Self {
        Self { file: app.paths.config.clone(), copies: write::history(&app.paths) }
    }

    /// Reads copy `number`; 1 is the newest.
    pub fn copy(&self, app: &App, number: usize) -> Result<Read, Failure> {
        let copy = number.checked_sub(1).and_then(|index| self.copies.get(index)).ok_or_else(|| {
            let there = match self.copies.len() {
                0 => "there are none yet".to_owned(),
                all => format!("there are 1 to {all}"),
            };
            Failure::failed(format!("There is no copy {number}; {there}."))
                .hint(format!("See them with: {}", app.suggest("config history")))
        })?;
        read(format!("copy {number}"), copy.path.clone())
    }

    fn read(&self, app: &App, version: Version) -> Result<Read, Failure> {
        match version {
            Version::Now => read("now".to_owned(), self.file.clone()),
            Version::Copy(number) => self.copy(app, number),
        }
    }
}

fn read(name: String, path: PathBuf) -> Result<Read, Failure> {
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Read { name, path, text }),
        Err(error) => Err(Failure::failed(format!("cannot read {}: {error}", path.display()))),
    }
}

impl Read {
    fn value(&self) -> Result<Value, Failure> {
        let node = json5::parse(&self.text).map_err(|error| {
            Failure::new(Exit::BadConfig, format!("{} is not JSON5: {error}", self.path.display()))
        })?;
        Ok(node.to_value())
    }
}

/// Prints the copies, each with what the change after it changed.
pub fn history(app: &App) -> Result<Exit, Failure> {
    let document = listed(app, &Versions::find(app));
    if app.out.is_json() {
        app.out.json(&document)?;
    } else {
        app.out.print(&history_text(app, &document))?;
    }
    Ok(Exit::Ok)
}

fn listed(app: &App, versions: &Versions) -> Value {
    let mut newer = versions.read(app, Version::Now).and_then(|now| now.value()).ok();
    let mut copies = Vec::new();
    for (index, copy) in versions.copies.iter().enumerate() {
        let value = versions.copy(app, index + 1).and_then(|read| read.value()).ok();
        let changed = value.as_ref().zip(newer.as_ref()).map(|(old, new)| diff::changed(old, new));
        let replaced = copy.modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        copies.push(json!({
            "number": index + 1,
            "path": copy.path,
            "replacedAt": iso_utc(UnixMs::try_from(replaced).unwrap_or(UnixMs::MAX)),
            "ageMs": app.clock.now().saturating_sub(UnixMs::try_from(replaced).unwrap_or(UnixMs::MAX)),
            "bytes": copy.bytes,
            "changed": changed,
        }));
        newer = value;
    }
    let trial = write::trial(&app.paths).ok().flatten().map(|trial| {
        let left = trial.left(app.clock.now()).as_millis();
        json!({ "changed": trial.changed, "leftMs": u64::try_from(left).unwrap_or(u64::MAX), "hash": trial.hash })
    });
    json!({ "ok": true, "path": versions.file, "trial": trial, "copies": copies })
}

fn history_text(app: &App, document: &Value) -> Text {
    let mut text = Text::default();
    let keys = |of: &Value| -> Vec<String> {
        let keys = of["changed"].as_array().into_iter().flatten();
        keys.filter_map(|key| key.as_str().map(str::to_owned)).collect()
    };
    if let trial @ Value::Object(_) = &document["trial"] {
        let left = trial["leftMs"].as_u64().unwrap_or_default().div_ceil(1000);
        let waits =
            format!("A change waits to be confirmed ({}); {left} s are left.", brief(&keys(trial), KEYS));
        text.styled(Style::Warn, waits);
        text.say(format!("Keep it: {}", app.suggest("config confirm")));
        text.say(format!("Take it back: {}", app.suggest("config rollback")));
        text.gap();
    }
    let none = Vec::new();
    let copies = document["copies"].as_array().unwrap_or(&none);
    if copies.is_empty() {
        text.say("There are no copies yet; every change by a command or a client keeps one.");
        return text;
    }
    for copy in copies {
        let then = match &copy["changed"] {
            Value::Array(list) if list.is_empty() => "then only comments or layout changed".to_owned(),
            Value::Array(_) => format!("then changed: {}", brief(&keys(copy), KEYS)),
            _ => "it or the version after it cannot be read".to_owned(),
        };
        let ago = age(copy["ageMs"].as_i64().unwrap_or_default());
        let number = Line::default().with(Style::Strong, copy["number"].to_string());
        text.push(
            number.with(Style::Plain, format!("  replaced {ago} ago, {} bytes; {then}", copy["bytes"])),
        );
    }
    text.gap();
    text.say(format!("Compare: {}", app.suggest("config diff N")));
    text.say(format!("Go back: {}", app.suggest("config rollback N")));
    text
}

/// Prints what differs between two versions.
pub fn diff(app: &App, from: Version, to: Version) -> Result<Exit, Failure> {
    let versions = Versions::find(app);
    let (from, to) = (versions.read(app, from)?, versions.read(app, to)?);
    let changes = diff::changes(&from.value()?, &to.value()?);
    if app.out.is_json() {
        app.out.json(&document(&from, &to, &changes))?;
    } else {
        app.out.print(&diff_text(&from, &to, &changes))?;
    }
    Ok(Exit::Ok)
}

fn document(from: &Read, to: &Read, changes: &[Change]) -> Value {
    let side = |of: &Read| json!({ "name": of.name, "path": of.path });
    let change = |change: &Change| {
        let mut row = Map::from_iter([("path".to_owned(), json!(change.path))]);
        row.extend(change.before.clone().map(|value| ("before".to_owned(), value)));
        row.extend(change.after.clone().map(|value| ("after".to_owned(), value)));
        Value::Object(row)
    };
    json!({
        "ok": true,
        "from": side(from),
        "to": side(to),
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
    })
}

fn diff_text(from: &Read, to: &Read, changes: &[Change]) -> Text {
    let mut text = Text::default();
    if changes.is_empty() {
        text.say(format!("No value differs between {} and {}.", from.name, to.name));
        return text;
    }
    for Change { path, before, after } in changes {
        let (style, mark, value) = match (before, after) {
            (None, Some(after)) => (Style::Good, "+", shown(after)),
            (Some(before), None) => (Style::Bad, "-", shown(before)),
            (before, after) => {
                let side = |value: &Option<Value>| value.as_ref().map(shown).unwrap_or_default();
                (Style::Warn, "~", format!("{} → {}", side(before), side(after)))
            }
        };
        text.push(Line::default().with(style, mark).with(Style::Plain, format!(" {path}: {value}")));
    }
    text
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) if text == PLACEHOLDER => return "(secret)".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use gateway_config::write::{Drops, Writer};

    use super::*;
    use crate::cmds::config::edit::tests::app;
    use crate::cmds::testing::assert_schema;

    const VERSIONS: [&str; 4] = [
        "{gateway: {mode: 'local', port: 1, auth: {token: 'old-secret'}}}",
        "{gateway: {mode: 'local', port: 1, auth: {token: 'new-secret'}}}",
        "{gateway: {mode: 'local', port: 2, auth: {token: 'new-secret'}}, ui: {assistant: {name: 'Ada'}}}",
        "// only a comment\n{gateway: {mode: 'local', port: 2, auth: {token: 'new-secret'}}, ui: {assistant: {name: 'Ada'}}}",
    ];

    fn with_history() -> (tempfile::TempDir, App) {
        let (home, app) = app(Some(VERSIONS[0]));
        let writer = Writer::new(app.paths.clone(), app.env.clone());
        for text in &VERSIONS[1..] {
            let hash = writer.open().expect("opens").1;
            writer.commit(text, hash.as_deref(), &Drops::All).expect("is valid");
        }
        (home, app)
    }

    #[test]
    fn every_copy_says_what_was_changed_after_it() {
        let (_home, app) = with_history();
        let mut document = listed(&app, &Versions::find(&app));
        assert_schema("config-history", &document);
        for copy in document["copies"].as_array_mut().expect("a list") {
            copy["ageMs"] = json!(120_000);
        }
        insta::assert_snapshot!(history_text(&app, &document).plain(), @r"
        1  replaced 2m ago, 96 bytes; then only comments or layout changed
        2  replaced 2m ago, 64 bytes; then changed: gateway.port, ui.assistant.name
        3  replaced 2m ago, 64 bytes; then changed: gateway.auth.token

        Compare: gatewayctl config diff N
        Go back: gatewayctl config rollback N
        ");
    }

    #[test]
    fn a_change_on_trial_comes_first() {
        let (_home, app) = with_history();
        let writer = Writer::new(app.paths.clone(), app.env.clone());
        let hash = writer.open().expect("opens").1.expect("a file");
        let within = std::time::Duration::from_secs(60);
        writer.begin_trial(VERSIONS[1], &hash, within, app.clock.now()).expect("on trial");
        let document = listed(&app, &Versions::find(&app));
        assert_schema("config-history", &document);
        let text = history_text(&app, &document).plain();
        let first = "A change waits to be confirmed (gateway.port, ui.assistant.name); 60 s are left.\n";
        assert!(
            text.starts_with(first) || text.starts_with(&first.replace("ui.assistant.name", "ui")),
            "{text}"
        );
    }

    #[test]
    fn differences_are_shown_key_by_key_without_secrets() {
        let (_home, app) = with_history();
        let versions = Versions::find(&app);
        let read = |version| versions.read(&app, version).expect("is there");
        let (from, to) = (read(Version::Copy(3)), read(Version::Now));
        let changes = diff::changes(&from.value().expect("JSON5"), &to.value().expect("JSON5"));
        assert_schema("config-diff", &document(&from, &to, &changes));
        insta::assert_snapshot!(diff_text(&from, &to, &changes).plain(), @r#"
        ~ gateway.port: 1 → 2
        ~ gateway.auth.token: (secret) → (secret)
        + ui.assistant.name: "Ada"
        "#);
        let all = document(&from, &to, &changes).to_string();
        assert!(!all.contains("-secret"), "{all}");
        assert_eq!(diff_text(&to, &to, &[]).plain(), "No value differs between now and now.\n");
        assert!(shown(&json!("x".repeat(500))).chars().count() <= VALUE_CHARS + 1);
    }
}
