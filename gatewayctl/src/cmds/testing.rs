//! Checks against committed files: every `--json` document has its schema, every layout its golden text. And a home
//! folder that is one on every system, for what is only computed from it.

use std::path::PathBuf;

use gateway_base::env::Env;
use serde::Serialize;
use serde_json::Value;

/// Fails unless `document` is valid under `schema/<name>.schema.json`.
pub fn assert_schema(name: &str, document: &impl Serialize) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema").join(format!("{name}.schema.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let value = serde_json::to_value(document).expect("the document is JSON");
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{value:#}");
}

/// Fails unless `text` is what is committed as `golden/<name>.snap`.
pub fn assert_golden(name: &str, text: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden");
    insta::with_settings!({snapshot_path => folder, prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

/// `path`, as Unix writes it, as an absolute path of this system: on Windows that has a drive.
pub fn place(path: &str) -> String {
    if cfg!(windows) { format!("C:{path}") } else { path.to_owned() }
}

/// The environment of somebody who lives in `place(home)`, with `more` variables.
pub fn env_at(home: &str, more: &[(&str, &str)]) -> Env {
    let mut env = Env::from_pairs(more.iter().copied());
    env.set("HOME", place(home));
    env
}

/// `text` with the paths of this system as Unix writes them.
pub fn as_on_unix(text: &str) -> String {
    if cfg!(unix) {
        return text.to_owned();
    }
    let word = |word: &str| match word.strip_prefix("C:") {
        Some(path) => path.replace('\\', "/"),
        None if word.starts_with('~') => word.replace('\\', "/"),
        None => word.to_owned(),
    };
    text.split_inclusive([' ', '\n', '"', '\'']).map(word).collect()
}
