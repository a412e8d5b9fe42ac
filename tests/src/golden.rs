//! Expectations in committed files. `UPDATE_GOLDEN=1` rewrites them; the reviewer reads the difference.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use regex_lite::Regex;
use serde_json::Value;

/// Compares `text` with the golden file of this name below `tests/golden`.
pub fn check(name: &str, text: &str) -> Result<()> {
    let path = path(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        return fs::write(&path, text).with_context(|| path.display().to_string());
    }
    let expected = fs::read_to_string(&path)
        .with_context(|| format!("{} (UPDATE_GOLDEN=1 writes it)", path.display()))?;
    ensure!(
        expected == text,
        "{name} differs (UPDATE_GOLDEN=1 rewrites it):\n{}",
        difference(&expected, text)
    );
    Ok(())
}

/// Compares a JSON value, pretty-printed in the order it came, after [`normalise`].
pub fn check_json(name: &str, value: &Value) -> Result<()> {
    let mut value = value.clone();
    normalise(&mut value);
    check(name, &format!("{value:#}\n"))
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

/// Replaces what differs from run to run: times, durations, process ids, identifiers, hashes, tokens.
pub fn normalise(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match (key.as_str(), &*value) {
                    (
                        "durationMs" | "ageMs" | "uptimeMs" | "pid" | "port" | "size" | "cursor",
                        Value::Number(_),
                    ) => {
                        *value = format!("<{key}>").into();
                    }
                    (
                        "host" | "ip" | "version" | "commit" | "platform" | "modelIdentifier",
                        Value::String(_),
                    ) => {
                        *value = format!("<{key}>").into();
                    }
                    _ => normalise(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalise),
        // Milliseconds of this century.
        Value::Number(n) if n.as_f64().is_some_and(|n| (1e12..5e12).contains(&n)) => *value = "<ms>".into(),
        Value::String(text) => {
            let replaced = normalise_text(text);
            *text = replaced;
        }
        _ => {}
    }
}

/// The same for text.
#[must_use]
pub fn normalise_text(text: &str) -> String {
    const RULES: [(&str, &str); 6] = [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
        (r"\b[0-9a-f]{64}\b", "<sha256>"),
        (r"\b[0-9a-f]{32}\b", "<token>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
        (r"(/private)?(/[\w.-]+)*/gw-\w{6}", "<home>"),
    ];
    RULES.iter().fold(text.to_owned(), |text, (pattern, mark)| match Regex::new(pattern) {
        Ok(rule) => rule.replace_all(&text, *mark).into_owned(),
        Err(_) => text,
    })
}

fn difference(expected: &str, found: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let end = end.min(old.len() - same).min(new.len() - same);
    let mut text = format!("from line {}:\n", same + 1);
    for (mark, lines) in [('-', &old[same..old.len() - end]), ('+', &new[same..new.len() - end])] {
        for line in lines {
            text.push_str(&format!("{mark} {line}\n"));
        }
    }
    text
}
