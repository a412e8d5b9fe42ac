//! The commands that edit. The file's text is changed only where the value is, checked with the code the daemon
//! starts with, and replaced as a whole.

use std::path::PathBuf;

use gateway_config::path::Segment;
use gateway_config::sections::ReloadMode;
use gateway_config::write::{Drops, Error, Writer};
use gateway_config::{Snapshot, diff, json5, load, path as config_path};
use serde::Serialize;
use serde_json::Value;

use super::invalid::invalid;
use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::text::{Style, Text};

/// What an edit did.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edited {
    ok: bool,
    action: &'static str,
    key: String,
    path: PathBuf,
    /// Whether the value in force is another one now.
    changed: bool,
    /// Whether only a restart brings it into force.
    restart_required: bool,
    /// Whether a running gateway does that by itself.
    #[serde(skip)]
    restarts_itself: bool,
    /// The copy of the file as it was.
    copy: Option<PathBuf>,
}

/// Sets a key.
pub fn set(app: &App, path: &str, value: &str) -> Result<Exit, Failure> {
    let value = parse_value(value, app.out.is_json())?;
    let edited = commit(app, "set", path, |document, segments| {
        document.set(segments, &value).map(|()| true).map_err(|error| Failure::failed(error.to_string()))
    })?;
    report(app, &edited)
}

/// Sets a key to a text as part of another command, which says so itself.
pub fn store(app: &App, path: &str, text: &str) -> Result<(), Failure> {
    let value = Value::String(text.to_owned());
    let edited = commit(app, "set", path, |document, segments| {
        document.set(segments, &value).map(|()| true).map_err(|error| Failure::failed(error.to_string()))
    });
    edited.map(drop)
}

/// Removes a key.
pub fn unset(app: &App, path: &str) -> Result<Exit, Failure> {
    let edited = commit(app, "unset", path, |document, segments| {
        document.unset(segments).map_err(|error| Failure::failed(error.to_string()))
    })?;
    report(app, &edited)
}

/// JSON5 if it parses, else the text itself; with `--json` it must parse.
fn parse_value(text: &str, strict: bool) -> Result<Value, Failure> {
    match json5::parse(text) {
        Ok(node) => Ok(node.to_value()),
        Err(error) if strict => {
            Err(Failure::new(Exit::Usage, format!("Failed to parse JSON5 value: {error}")))
        }
        Err(_) => Ok(Value::String(text.to_owned())),
    }
}

fn commit(
    app: &App,
    action: &'static str,
    path: &str,
    edit: impl FnOnce(&mut gateway_config::edit::Document, &[Segment]) -> Result<bool, Failure>,
) -> Result<Edited, Failure> {
    let segments = config_path::parse(path).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let before = load::load(&app.paths, &app.env);
    let writer = Writer::new(app.paths.clone(), app.env.clone());
    let (mut document, hash) = writer.open().map_err(|error| refused(app, error))?;
    if !edit(&mut document, &segments)? {
        return Err(Failure::failed(format!("Config path not found: {path}")));
    }
    // What the value itself held may go with it; nothing else may.
    let drops = Drops::Paths(vec![dotted(&segments)]);
    let written =
        writer.commit(&document.to_string(), hash.as_deref(), &drops).map_err(|error| refused(app, error))?;
    let changed = diff::changed(&before.value, &written.snapshot.value);
    Ok(Edited {
        ok: true,
        action,
        key: path.to_owned(),
        path: written.path,
        changed: !changed.is_empty(),
        restart_required: !diff::plan(&changed).restart.is_empty(),
        restarts_itself: restarts_itself(&written.snapshot),
        copy: written.copy,
    })
}

/// Whether a running gateway with this configuration restarts by itself when it has to.
pub fn restarts_itself(snapshot: &Snapshot) -> bool {
    matches!(snapshot.config.gateway.reload.mode, ReloadMode::Hybrid | ReloadMode::Restart)
}

/// The path as the writer compares it: names and positions joined by dots.
fn dotted(segments: &[Segment]) -> String {
    let words: Vec<String> = segments
        .iter()
        .map(|segment| match segment {
            Segment::Key(key) => key.clone(),
            Segment::Index(index) => index.to_string(),
        })
        .collect();
    words.join(".")
}

/// Why the writer did not write.
pub fn refused(app: &App, error: Error) -> Failure {
    match error {
        Error::Invalid { issues } if issues.len() > 1 => {
            let listed: Vec<String> = issues.iter().map(|issue| format!("- {issue}")).collect();
            let message = format!("Config validation failed; nothing was written:\n{}", listed.join("\n"));
            Failure::new(Exit::BadConfig, message)
        }
        Error::Invalid { .. } => {
            Failure::new(Exit::BadConfig, error.to_string()).hint("Nothing was written.")
        }
        Error::Syntax(why) => invalid(app, &app.paths, &[gateway_config::Issue::root(why)]),
        Error::Changed | Error::BaseHashRequired => {
            Failure::failed("The config file changed in the meantime; nothing was written.")
                .hint("Run the command again.")
        }
        Error::OnTrial => Failure::failed("A config change waits to be confirmed; nothing was written.")
            .hint(format!(
                "Keep it: {}\nTake it back: {}",
                app.suggest("config confirm"),
                app.suggest("config rollback")
            )),
        Error::BaseHashUnavailable => {
            Failure::failed("The present config file cannot be read; move it out of the way first.")
        }
        Error::Io { what, path, source } => {
            Failure::failed(format!("cannot {what} {}: {source}", path.display()))
        }
        other => Failure::failed(other.to_string()),
    }
}

fn report(app: &App, edited: &Edited) -> Result<Exit, Failure> {
    if app.out.is_json() {
        app.out.json(edited)?;
        return Ok(Exit::Ok);
    }
    let word = if edited.action == "set" { "Updated" } else { "Removed" };
    let mut text = Text::default();
    text.push(format!("{word} {}.", edited.key).into());
    if edited.restart_required && edited.restarts_itself {
        text.say("A running gateway restarts by itself to apply it.");
    } else if edited.restart_required {
        text.styled(
            Style::Warn,
            format!("Restart the gateway to apply: {}", app.suggest("shutdown --restart")),
        );
    }
    app.out.print(&text)?;
    Ok(Exit::Ok)
}

#[cfg(test)]
pub(super) mod tests {
    use gateway_base::clock::Clock;
    use gateway_base::env::Env;
    use gateway_base::paths::Paths;
    use serde_json::json;

    use super::*;
    use crate::cmds::testing::assert_schema;
    use crate::output::Output;
    use crate::spelling::Words;

    pub fn app(text: Option<&str>) -> (tempfile::TempDir, App) {
        let home = tempfile::tempdir().expect("temporary folder");
        let env = Env::from_pairs([("HOME", home.path().to_string_lossy().into_owned())]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        if let Some(text) = text {
            std::fs::create_dir_all(&paths.state).expect("folder");
            std::fs::write(&paths.config, text).expect("file");
        }
        let out = Output::new(&env, true, false);
        let app = App { env, paths, out, words: Words::for_name(None), clock: Clock::manual(0), own: None };
        (home, app)
    }

    fn put(app: &App, path: &str, value: &str) -> Result<Edited, Failure> {
        let value = parse_value(value, false)?;
        commit(app, "set", path, |document, segments| {
            document.set(segments, &value).map(|()| true).map_err(|e| Failure::failed(e.to_string()))
        })
    }

    const TEXT: &str = "// mine\n{\n  gateway: { port: 18789, /* why */ mode: 'local', auth: { token: \"${TOKEN}\" } },\n}\n";

    #[test]
    fn an_edit_keeps_everything_around_it() {
        let (_home, mut app) = app(Some(TEXT));
        app.env.set("TOKEN", "t");
        let edited = put(&app, "gateway.port", "18790").expect("is valid");
        assert!(edited.changed && edited.restart_required && edited.copy.is_some());
        let text = std::fs::read_to_string(&app.paths.config).expect("is there");
        assert_eq!(text, TEXT.replace("18789", "18790"));
        assert_schema("config-edit", &edited);
        let edited = put(&app, "gateway.auth", "{mode: 'token'}").expect("what was asked for may go");
        assert!(!edited.restart_required);
    }

    #[test]
    fn a_bad_value_changes_nothing() {
        let (_home, app) = app(Some("{gateway: {mode: 'local'}}\n"));
        for (path, value, exit) in [
            ("gateway.port", "nonsense", Exit::BadConfig),
            ("gateway.prot", "1", Exit::BadConfig),
            ("", "1", Exit::Usage),
            ("gateway[", "1", Exit::Usage),
            ("gateway.mode.deeper", "1", Exit::Failed),
        ] {
            assert_eq!(put(&app, path, value).expect_err(path).exit(), exit, "{path}");
        }
        let text = std::fs::read_to_string(&app.paths.config).expect("is there");
        assert_eq!(text, "{gateway: {mode: 'local'}}\n");
    }

    #[test]
    fn the_first_edit_makes_the_file_and_a_missing_key_cannot_be_removed() {
        let (_home, app) = app(None);
        let edited = put(&app, "gateway.mode", "local").expect("is valid");
        assert_eq!((edited.copy, edited.changed), (None, true));
        let gone = commit(&app, "unset", "gateway.port", |document, segments| {
            document.unset(segments).map_err(|e| Failure::failed(e.to_string()))
        });
        assert_eq!(gone, Err(Failure::failed("Config path not found: gateway.port")));
    }

    #[test]
    fn values_are_json5_or_text() {
        assert_eq!(parse_value("18790", false).ok(), Some(json!(18790)));
        assert_eq!(parse_value("{a: 'x',}", false).ok(), Some(json!({"a": "x"})));
        assert_eq!(parse_value("lan", false).ok(), Some(json!("lan")));
        assert_eq!(parse_value("lan", true).map_err(|f| f.exit()), Err(Exit::Usage));
    }
}
