//! Whether files with secrets, and the folders they lie in, are for their owner alone, and whether they belong to the
//! user the gateway runs as: a command that was once run as root leaves files behind that the daemon cannot read.

use crate::doctor::check::{Check, Finding, Group, Judged, Level, Unknown};
use crate::doctor::facts::{Facts, FileFact, FileKind, quoted};
use crate::doctor::repair::Repair;

/// The check.
pub const CHECK: Check =
    Check { id: "permissions", group: Group::Files, title: "permissions of secret files", judge };

/// Any right of the group or of others.
const OTHERS: u32 = 0o077;

fn judge(facts: &Facts) -> Judged {
    let (Some(files), Some(uid)) = (&facts.files, facts.uid) else {
        return Err(Unknown("this system has no file modes".to_owned()));
    };
    // Root may look after somebody else's gateway; whose it is, the state folder tells.
    let state = files.iter().find(|file| file.path == facts.paths.state);
    let owner = state.map(|state| state.uid).filter(|_| uid == 0).unwrap_or(uid);
    let foreign = files.iter().filter(|file| file.uid != owner).map(|file| foreign(facts, file, owner));
    let open = files.iter().filter(|file| file.uid == owner && file.mode & OTHERS != 0);
    Ok(foreign.chain(open.map(|file| open_to_others(facts, file))).collect())
}

fn open_to_others(facts: &Facts, file: &FileFact) -> Finding {
    let mode = file.mode & !OTHERS;
    let (level, consequence) = match file.kind {
        FileKind::Secret => (Level::Error, "Other users of this machine can take the secrets in it."),
        FileKind::Private => (Level::Warning, "Other users of this machine can read what was said."),
        FileKind::Folder => (Level::Warning, "Other users of this machine can look into it."),
    };
    let finding = format!("{} is open to others (mode {:o})", facts.shown(&file.path), file.mode);
    Finding::new(level, finding, consequence, facts.fix())
        .repaired_by(Repair::Mode { path: file.path.clone(), mode })
}

fn foreign(facts: &Facts, file: &FileFact, owner: u32) -> Finding {
    Finding::error(
        format!(
            "{} belongs to user {}, and the gateway is of user {owner}",
            facts.shown(&file.path),
            file.uid
        ),
        "The gateway cannot use it, or somebody else can change it.",
        format!("sudo chown {owner} {}", quoted(&file.path)),
    )
}
