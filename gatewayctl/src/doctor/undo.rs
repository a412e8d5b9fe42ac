//! Takes back what the last `doctor --fix` did, newest change first. A file that somebody changed since is left as it
//! is, and the place of its copy is named.

use std::fs;
use std::path::{Path, PathBuf};

use gateway_base::atomic_file;
use gateway_base::error_chain::Chain;
use gateway_base::id::sha256_hex;
use serde::Serialize;

use super::repair::{Attributes, Change, Error, Journal};
use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::text::{Style, Text};

/// What was taken back.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Undone {
    ok: bool,
    /// The run that was taken back; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<Run>,
    changes: Vec<Reverted>,
}

#[derive(Debug, Serialize)]
struct Run {
    at: String,
    folder: PathBuf,
}

#[derive(Debug, Serialize)]
struct Reverted {
    path: PathBuf,
    was: Vec<String>,
    result: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Where the state before is kept, when it was not put back.
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Restored,
    AlreadyBack,
    ChangedSince,
    Failed,
}

/// Runs `doctor --undo`.
pub fn undo(app: &App, root: &Path, yes: bool) -> Result<Exit, Failure> {
    let newest = Journal::newest(root).map_err(|error| failed(&error))?;
    let Some(mut journal) = newest else {
        return print(app, &Undone { ok: true, run: None, changes: Vec::new() });
    };
    let question = format!("Take back the {} changes of {}?", journal.changes().len(), journal.at());
    if !yes && app.out.can_ask() && !app.out.ask(&question, true) {
        return Err(Failure::failed("Nothing was changed."));
    }
    let changes: Vec<Reverted> =
        journal.changes().iter().rev().map(|change| take_back(&journal, change)).collect();
    let ok = changes.iter().all(|change| matches!(change.result, Outcome::Restored | Outcome::AlreadyBack));
    // After a failure the next try takes up the rest; what is back already is then seen to be.
    if changes.iter().all(|change| change.result != Outcome::Failed) {
        journal.mark_undone(app.clock.now()).map_err(|error| failed(&error))?;
    }
    let run = Run { at: journal.at().to_owned(), folder: journal.folder().to_path_buf() };
    print(app, &Undone { ok, run: Some(run), changes })
}

fn failed(error: &Error) -> Failure {
    Failure::failed(Chain(error).to_string())
}

fn take_back(journal: &Journal, change: &Change) -> Reverted {
    let (result, why) = match revert(journal, change) {
        Ok(result) => (result, None),
        Err(error) => (Outcome::Failed, Some(Chain(&error).to_string())),
    };
    let is_back = matches!(result, Outcome::Restored | Outcome::AlreadyBack);
    let copy = change.before.copy.as_ref().filter(|_| !is_back).map(|name| journal.folder().join(name));
    Reverted { path: change.path.clone(), was: change.done.clone(), result, why, copy }
}

fn revert(journal: &Journal, change: &Change) -> Result<Outcome, Error> {
    let Change { path, before, after, .. } = change;
    let now = Attributes::of(path).map_err(Error::io("look at", path))?;
    let content = match &after.sha256 {
        Some(_) => Some(sha256_hex(&fs::read(path).map_err(Error::io("read", path))?)),
        None => None,
    };
    if content == before.sha256 && now == before.attributes {
        return Ok(Outcome::AlreadyBack);
    }
    if content != after.sha256 || now.mode != after.mode {
        return Ok(Outcome::ChangedSince);
    }
    if let Some(name) = &before.copy {
        let copy = journal.folder().join(name);
        let bytes = fs::read(&copy).map_err(Error::io("read", &copy))?;
        if Some(sha256_hex(&bytes)) != before.sha256 {
            let why = "it is not the copy that was made".to_owned();
            return Err(Error::Damaged { path: copy, why });
        }
        atomic_file::replace(path, &bytes).map_err(Error::io("write", path))?;
    }
    before.attributes.restore(path).map_err(Error::io("change the mode of", path))?;
    Ok(Outcome::Restored)
}

fn print(app: &App, undone: &Undone) -> Result<Exit, Failure> {
    if app.out.is_json() {
        app.out.json(undone)?;
    } else {
        app.out.print(&render(undone, |path| app.paths.tilde(path)))?;
    }
    Ok(if undone.ok { Exit::Ok } else { Exit::Failed })
}

fn render(undone: &Undone, shown: impl Fn(&Path) -> String) -> Text {
    let mut text = Text::default();
    let Some(run) = &undone.run else {
        text.say("There is nothing to take back: doctor has changed nothing since.");
        return text;
    };
    text.styled(Style::Strong, format!("Taking back the changes of {}", run.at));
    for change in &undone.changes {
        let path = shown(&change.path);
        match change.result {
            Outcome::Restored => text.styled(Style::Good, format!("✓ {path} is as it was")),
            Outcome::AlreadyBack => text.say(format!("- {path} was already as before")),
            Outcome::ChangedSince => {
                text.styled(Style::Warn, format!("! {path} was changed since, so it was left alone"));
            }
            Outcome::Failed => {
                let why = change.why.as_deref().unwrap_or("unknown");
                text.styled(Style::Bad, format!("✗ {path}: {why}"));
            }
        }
        for line in &change.was {
            text.say(format!("  had been done: {line}"));
        }
        if let Some(copy) = &change.copy {
            text.say(format!("  as it was before: {}", shown(copy)));
        }
    }
    text
}
