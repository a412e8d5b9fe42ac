//! The commands that only look.

use gateway_base::paths::Paths;
use gateway_config::explain::{Explanation, explain as about};
use gateway_config::load::load;
use gateway_config::{Snapshot, path as config_path, schema as config_schema, write};
use serde_json::{Value, json};

use super::invalid::invalid;
use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::text::{Line, Style, Text, clean_json};

/// Prints the value in force of a key: resolved, defaults included, secrets in clear.
pub fn get(app: &App, path: &str) -> Result<Exit, Failure> {
    let segments = config_path::parse(path).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let snapshot = load(&app.paths, &app.env);
    if !snapshot.valid {
        return Err(invalid(app, &app.paths, &snapshot.issues));
    }
    let value = config_path::get(&snapshot.value, &segments)
        .ok_or_else(|| Failure::failed(format!("Config path not found: {path}")))?;
    if app.out.is_json() {
        app.out.json(value)?;
    } else {
        app.out.verbatim(&format!("{}\n", bare(value)))?;
    }
    Ok(Exit::Ok)
}

/// Strings, numbers and booleans as they are, everything else as indented JSON.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => {
            clean_json(&serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string()))
        }
        plain => plain.to_string(),
    }
}

/// Checks the file as the daemon would.
pub fn validate(app: &App) -> Result<Exit, Failure> {
    let snapshot = load(&app.paths, &app.env);
    if app.out.is_json() {
        app.out.json(&validation(&snapshot))?;
        return Ok(if snapshot.valid { Exit::Ok } else { Exit::BadConfig });
    }
    if !snapshot.valid {
        return Err(invalid(app, &app.paths, &snapshot.issues));
    }
    let mut text = Text::default();
    let shown = app.paths.tilde(&snapshot.path);
    let word = if snapshot.exists { "Config valid" } else { "No config file yet, which is valid" };
    text.push(Line::default().with(Style::Good, "✓").with(Style::Plain, format!(" {word}: {shown}")));
    for warning in &snapshot.warnings {
        text.push(Line::default().with(Style::Warn, "!").with(Style::Plain, format!(" {warning}")));
    }
    app.out.print(&text)?;
    Ok(Exit::Ok)
}

fn validation(snapshot: &Snapshot) -> Value {
    json!({
        "ok": snapshot.valid,
        "path": snapshot.path,
        "exists": snapshot.exists,
        "hash": snapshot.hash,
        "issues": snapshot.issues,
        "warnings": snapshot.warnings,
    })
}

/// Prints the JSON Schema of the file.
pub fn schema(app: &App) -> Result<Exit, Failure> {
    app.out.json(&config_schema::json_schema())?;
    Ok(Exit::Ok)
}

/// Prints what a key means.
pub fn explain(app: &App, path: &str) -> Result<Exit, Failure> {
    let found = about(path).map_err(|error| Failure::failed(error.to_string()))?;
    if app.out.is_json() {
        app.out.json(&found)?;
    } else {
        app.out.print(&explained(&found))?;
    }
    Ok(Exit::Ok)
}

fn explained(of: &Explanation) -> Text {
    let mut text = Text::default();
    text.styled(Style::Strong, &of.path);
    if let Some(doc) = &of.doc {
        text.push(format!("  {doc}").into());
    }
    let mut row = |name: &str, value: &str| text.push(format!("  {:<9} {value}", format!("{name}:")).into());
    row("type", &of.type_text);
    row("default", of.default.as_deref().unwrap_or("none"));
    if let Some(allowed) = &of.allowed {
        row("allowed", allowed);
    }
    if of.required {
        row("required", "yes, when the object around it is there");
    }
    row("reload", &of.reload);
    if of.sensitive {
        row("secret", "yes; it is masked wherever the configuration is shown");
    }
    if !of.children.is_empty() {
        text.say("  keys:");
        for (name, of) in &of.children {
            text.push(format!("    {name} ({of})").into());
        }
    }
    text
}

/// Prints where the file is.
pub fn file(app: &App) -> Result<Exit, Failure> {
    if app.out.is_json() {
        app.out.json(&whereabouts(&app.paths))?;
    } else {
        app.out.verbatim(&format!("{}\n", app.paths.config.display()))?;
    }
    Ok(Exit::Ok)
}

fn whereabouts(paths: &Paths) -> Value {
    let copies: Vec<_> = write::history(paths).into_iter().map(|copy| copy.path).collect();
    let last_good = Some(paths.last_good_config()).filter(|path| path.exists());
    json!({"path": paths.config, "exists": paths.config.exists(), "lastGood": last_good, "copies": copies})
}

#[cfg(test)]
mod tests {
    use gateway_base::env::Env;

    use super::*;
    use crate::cmds::testing::assert_schema;

    #[test]
    fn plain_values_are_bare() {
        assert_eq!(bare(&json!("two\nlines")), "two\nlines");
        assert_eq!([json!(1), json!(true), json!(null)].map(|v| bare(&v)), ["1", "true", "null"]);
        assert_eq!(bare(&json!({"a": [1]})), "{\n  \"a\": [\n    1\n  ]\n}");
    }

    #[test]
    fn a_key_is_explained_in_full() {
        let found = about("gateway.reload.mode").expect("is known");
        let text = explained(&found).plain();
        for part in ["gateway.reload.mode\n", "  type:     string\n", "  allowed:  \"off\"", "  reload:   "] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_schema("config-explain", &found);
        assert!(
            explained(&about("gateway.auth").expect("is known")).plain().contains("    token (string)\n")
        );
    }

    #[test]
    fn documents_have_their_schemas() {
        let home = tempfile::tempdir().expect("temporary folder");
        let env = Env::from_pairs([("HOME", home.path().to_string_lossy().into_owned())]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        assert_schema("config-validate", &validation(&load(&paths, &env)));
        assert_schema("config-file", &whereabouts(&paths));
        std::fs::create_dir_all(&paths.state).expect("folder");
        std::fs::write(&paths.config, "{gateway: {port: 'x'}}").expect("file");
        let broken = validation(&load(&paths, &env));
        assert_eq!(broken["ok"], false);
        assert_schema("config-validate", &broken);
    }
}
