//! Environment variables from files and from the `env` section. Everything here takes an environment and returns a
//! new one; a value that is already there and not blank always stays.

use std::path::Path;

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use serde_json::Value;

use crate::load::{Read, read};

/// Adds `.env` of the working folder, then `<state>/.env`. Files that cannot be read are skipped.
#[must_use]
pub fn with_files(env: &Env, working_folder: &Path, paths: &Paths) -> Env {
    let mut out = env.clone();
    for file in [working_folder.join(".env"), paths.state.join(".env")] {
        if let Read::Text(text) = read(&file) {
            for (name, value) in parse_dotenv(&text) {
                out.set_if_absent(&name, value);
            }
        }
    }
    copy_zai(&mut out);
    out
}

/// Adds `env.vars.*` and every other text directly under `env` of a configuration.
#[must_use]
pub fn with_section(env: &Env, config: &Value) -> Env {
    let mut out = env.clone();
    let Some(section) = config.get("env").and_then(Value::as_object) else { return out };
    let vars = section.get("vars").and_then(Value::as_object);
    for (name, value) in vars.into_iter().flatten().chain(section) {
        if let Some(text) = value.as_str().filter(|text| !text.trim().is_empty()) {
            out.set_if_absent(name, text);
        }
    }
    copy_zai(&mut out);
    out
}

fn copy_zai(env: &mut Env) {
    if let Some(key) = env.get("Z_AI_API_KEY").map(str::to_owned) {
        env.set_if_absent("ZAI_API_KEY", key);
    }
}

/// The pairs of a `.env` file: `NAME=value`, `export` in front, quotes around, `#` comments.
#[must_use]
pub fn parse_dotenv(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim();
        let valid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if name.is_empty() || !name.bytes().all(valid) {
            continue;
        }
        pairs.push((name.to_owned(), dotenv_value(value.trim(), &mut lines)));
    }
    pairs
}

/// A value, continued over further lines while its quote is open.
fn dotenv_value(first: &str, lines: &mut std::str::Lines<'_>) -> String {
    let Some(quote) = first.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) else {
        return first.split_once('#').map_or(first, |(value, _)| value).trim().to_owned();
    };
    let mut text = first[1..].to_owned();
    let mut rest = lines.clone();
    loop {
        if let Some(end) = text.find(quote) {
            *lines = rest;
            text.truncate(end);
            return if quote == '"' { text.replace("\\n", "\n").replace("\\r", "\r") } else { text };
        }
        match rest.next() {
            Some(line) => {
                text.push('\n');
                text.push_str(line);
            }
            // The quote is never closed: it is part of the value, and later lines stand for themselves.
            None => return first.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dotenv_forms() {
        let text = "# note\nA=1\nexport B = two words # note\nC=\"a # b\\nc\"\nD='x\ny'\nbad line\nE=\nF=\"open\nG=7\n2-x.y=z";
        let pairs = parse_dotenv(text);
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("A", "1"),
                ("B", "two words"),
                ("C", "a # b\nc"),
                ("D", "x\ny"),
                ("E", ""),
                ("F", "\"open"),
                ("G", "7"),
                ("2-x.y", "z")
            ]
        );
    }

    #[test]
    fn the_section_never_replaces() {
        let env = Env::from_pairs([("A", "old"), ("B", " ")]);
        let config = json!({"env": {"vars": {"A": "x", "B": "y"}, "C": "z", "B": "late", "shellEnv": {"enabled": true}}});
        let env = with_section(&env, &config);
        assert_eq!((env.get("A"), env.get("B"), env.get("C")), (Some("old"), Some("y"), Some("z")));
    }

    #[test]
    fn files_in_order_and_the_copied_name() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let env = Env::from_pairs([("HOME", dir.path().to_str().expect("UTF-8 path"))]);
        let paths = Paths::resolve(&env, None).expect("home is set");
        std::fs::create_dir_all(&paths.state).expect("state folder");
        std::fs::write(dir.path().join(".env"), "A=work").expect("write");
        std::fs::write(paths.state.join(".env"), "A=state\nZ_AI_API_KEY=k").expect("write");
        let env = with_files(&env, dir.path(), &paths);
        assert_eq!((env.get("A"), env.get("ZAI_API_KEY")), (Some("work"), Some("k")));
    }
}
