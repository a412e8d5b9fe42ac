//! The commands that replace the whole file for good, and the one document that every command which changes the whole
//! file answers with.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gateway_base::brief::brief;
use gateway_config::write::{Drops, Writer};
use gateway_config::{diff, load};
use serde::Serialize;

use super::edit::{refused, restarts_itself};
use super::versions::{KEYS, Versions};
use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::text::{Style, Text};

/// What was done to the whole file.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    pub ok: bool,
    pub action: &'static str,
    pub path: PathBuf,
    /// The keys whose value in force is another one now.
    pub changed: Vec<String>,
    /// Whether only a restart brings all of it into force.
    pub restart_required: bool,
    /// Whether a running gateway does that by itself.
    #[serde(skip)]
    pub restarts_itself: bool,
    /// The copy of the file as it was.
    pub copy: Option<PathBuf>,
    /// How long the change waits to be confirmed; absent when it is for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm_within_ms: Option<u64>,
}

/// Replaces the file by another.
pub fn apply(app: &App, file: &Path) -> Result<Exit, Failure> {
    let changed = replace(app, "apply", &read(file)?)?;
    report(app, &changed, "The new config is in the file")
}

/// Puts a numbered copy back.
pub fn rollback(app: &App, number: usize) -> Result<Exit, Failure> {
    let copy = Versions::find(app).copy(app, number)?;
    let changed = replace(app, "rollback", &copy.text)?;
    report(app, &changed, &format!("Copy {number} is the config again"))
}

/// The text of a file, or of standard input.
pub fn read(file: &Path) -> Result<String, Failure> {
    let (read, name) = if file == Path::new("-") {
        (whole(std::io::stdin().lock()), "standard input".into())
    } else {
        (File::open(file).and_then(whole), file.to_string_lossy())
    };
    read.map_err(|error| Failure::failed(format!("cannot read {name}: {error}")))
}

fn whole(source: impl Read) -> io::Result<String> {
    let mut text = String::new();
    source.take(load::MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > load::MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {} MiB", load::MAX_BYTES / 1024 / 1024)));
    }
    Ok(text)
}

fn replace(app: &App, action: &'static str, text: &str) -> Result<Changed, Failure> {
    let before = load::load(&app.paths, &app.env);
    let writer = Writer::new(app.paths.clone(), app.env.clone());
    let hash = before.exists.then_some(before.hash.as_str());
    let written = writer.commit(text, hash, &Drops::All).map_err(|error| refused(app, error))?;
    let changed = diff::changed(&before.value, &written.snapshot.value);
    Ok(Changed {
        ok: true,
        action,
        path: written.path,
        restart_required: !diff::plan(&changed).restart.is_empty(),
        restarts_itself: restarts_itself(&written.snapshot),
        changed,
        copy: written.copy,
        confirm_within_ms: None,
    })
}

/// Prints the document, or says it in words.
pub fn report(app: &App, changed: &Changed, done: &str) -> Result<Exit, Failure> {
    if app.out.is_json() {
        app.out.json(changed)?;
    } else {
        app.out.print(&words(app, changed, done))?;
    }
    Ok(Exit::Ok)
}

fn words(app: &App, changed: &Changed, done: &str) -> Text {
    let mut text = Text::default();
    let keys = match changed.changed.as_slice() {
        [] => "no value differs".to_owned(),
        keys => brief(keys, KEYS),
    };
    text.styled(Style::Good, format!("{done} ({keys})."));
    if changed.restart_required && changed.restarts_itself {
        text.say("A running gateway restarts by itself to apply it.");
    } else if changed.restart_required {
        text.styled(
            Style::Warn,
            format!("Restart the gateway to apply: {}", app.suggest("shutdown --restart")),
        );
    }
    if let Some(ms) = changed.confirm_within_ms {
        text.say(format!("It is taken back in {} s unless you confirm it:", ms.div_ceil(1000)));
        text.say(format!("  {}", app.suggest("config confirm")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::config::edit::tests::app;
    use crate::cmds::testing::assert_schema;

    const OLD: &str = "// mine\n{gateway: {mode: 'local', port: 1}}\n";
    const NEW: &str = "{gateway: {mode: 'local', port: 2}, ui: {assistant: {name: 'Ada'}}}\n";

    #[test]
    fn a_file_is_replaced_and_a_copy_comes_back_byte_for_byte() {
        let (_home, app) = app(Some(OLD));
        let changed = replace(&app, "apply", NEW).expect("is valid");
        assert_eq!(changed.changed, ["gateway.port", "ui.assistant.name"]);
        assert!(changed.restart_required && changed.restarts_itself && changed.copy.is_some());
        assert_schema("config-change", &changed);
        let copy = Versions::find(&app).copy(&app, 1).expect("a copy");
        replace(&app, "rollback", &copy.text).expect("was valid");
        assert_eq!(std::fs::read_to_string(&app.paths.config).expect("is there"), OLD);
        let none = Versions::find(&app).copy(&app, 3).expect_err("there are two");
        assert!(none.to_string().contains("no copy 3"), "{none}");
    }

    #[test]
    fn what_is_not_valid_is_refused() {
        let (_home, app) = app(Some(OLD));
        for text in ["{", "{gateway: {port: 'x'}}"] {
            assert_eq!(replace(&app, "apply", text).expect_err(text).exit(), Exit::BadConfig);
        }
        assert!(read(Path::new("/no/such/file")).is_err());
    }

    #[test]
    fn the_words_name_the_next_command() {
        let (_home, app) = app(None);
        let changed = Changed {
            ok: true,
            action: "apply",
            path: app.paths.config.clone(),
            changed: vec!["gateway.bind".to_owned()],
            restart_required: true,
            restarts_itself: true,
            copy: None,
            confirm_within_ms: Some(59_500),
        };
        assert_schema("config-change", &changed);
        insta::assert_snapshot!(words(&app, &changed, "The new config is on trial").plain(), @r"
        The new config is on trial (gateway.bind).
        A running gateway restarts by itself to apply it.
        It is taken back in 60 s unless you confirm it:
          gatewayctl config confirm
        ");
    }

    #[test]
    fn a_source_without_an_end_is_given_up() {
        let error = whole(io::repeat(b'x')).expect_err("it never ends");
        assert_eq!(error.to_string(), "it is larger than 5 MiB");
        assert_eq!(whole(&b"{}"[..]).expect("is read"), "{}");
    }
}
