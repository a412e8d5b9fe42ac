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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cmds::testing::assert_schema;
    use crate::doctor::repair::{After, Before};

    /// A file with this content, and a change of it that was journalled with its copy.
    fn journalled(text: &str) -> (tempfile::TempDir, Journal, PathBuf) {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("a.json");
        fs::write(&path, text).expect("file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("mode");
        let mut journal = Journal::begin(&dir.path().join("doctor"), 1_780_000_000_000).expect("begun");
        let attributes = Attributes::of(&path).expect("is there");
        let (copy, sha256) = journal.copy(&path).expect("copied");
        let before = Before { attributes, copy: Some(copy), sha256: Some(sha256) };
        let after = After { mode: 0o600, sha256: Some(sha256_hex(b"new")) };
        journal
            .add(vec![Change { path: path.clone(), done: vec!["x".to_owned()], before, after }])
            .expect("written");
        (dir, journal, path)
    }

    fn back(journal: &Journal) -> Reverted {
        take_back(journal, &journal.changes()[0])
    }

    #[test]
    fn a_change_that_was_never_made_is_already_back() {
        let (_dir, journal, path) = journalled("old");
        assert_eq!(back(&journal).result, Outcome::AlreadyBack);
        fs::write(&path, "new").expect("file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        assert_eq!(back(&journal).result, Outcome::Restored);
        assert_eq!(fs::read_to_string(&path).expect("file"), "old");
        assert_eq!(Attributes::of(&path).expect("is there").mode, 0o640);
    }

    #[test]
    fn what_changed_since_and_what_cannot_be_read_is_left_alone() {
        let (dir, journal, path) = journalled("old");
        fs::write(&path, "newer").expect("file");
        let changed = back(&journal);
        assert_eq!(
            (changed.result, fs::read(&path).expect("file")),
            (Outcome::ChangedSince, b"newer".to_vec())
        );
        fs::write(&path, "new").expect("file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        let copy = changed.copy.clone().expect("the copy is named");
        fs::write(&copy, "tampered").expect("file");
        let failed = back(&journal);
        assert_eq!((failed.result, fs::read(&path).expect("file")), (Outcome::Failed, b"new".to_vec()));
        let run = Run { at: journal.at().to_owned(), folder: dir.path().to_path_buf() };
        assert_schema("doctor-undo", &Undone { ok: false, run: Some(run), changes: vec![changed, failed] });
        assert_schema("doctor-undo", &Undone { ok: true, run: None, changes: Vec::new() });
    }

    #[test]
    fn the_newest_run_is_taken_back_first_and_each_once() {
        let (dir, mut first, path) = journalled("old");
        let root = dir.path().join("doctor");
        let change = first.changes()[0].clone();
        let mut second = Journal::begin(&root, 1_780_000_000_001).expect("begun");
        second.add(vec![change]).expect("written");
        Journal::begin(&root, 1_780_000_000_002).expect("a run that changed nothing");
        let newest =
            || Journal::newest(&root).expect("readable").map(|journal| journal.folder().to_path_buf());
        assert_eq!(newest().as_deref(), Some(second.folder()));
        second.mark_undone(1).expect("written");
        assert_eq!(newest().as_deref(), Some(first.folder()));
        first.mark_undone(1).expect("written");
        assert_eq!((newest(), path.exists()), (None, true));
        fs::write(first.folder().join("journal.json"), "{").expect("file");
        assert!(Journal::newest(&root).is_err());
    }
}
