//! Whether files with secrets, and the folders they lie in, are for their owner alone, and whether they belong to the
//! user the gateway runs as: a command that was once run as root leaves files behind that the daemon cannot read.

use crate::doctor::check::{Check, Finding, Group, Judged, Level};
use crate::doctor::facts::{Facts, FileFact, FileKind, Unknown, quoted};
use crate::doctor::repair::Repair;

/// The check.
pub const CHECK: Check =
    Check { id: "permissions", group: Group::Files, title: "permissions of secret files", judge };

/// Any right of the group or of others.
const OTHERS: u32 = 0o077;

/// More than so many of one kind are told together.
const MANY: usize = 3;

fn judge(facts: &Facts) -> Judged {
    let (Some(files), Some(uid)) = (&facts.files, facts.uid) else {
        return Err(Unknown("this system has no file modes".to_owned()));
    };
    // Root may look after somebody else's gateway; whose it is, the state folder tells.
    let state = files.iter().find(|file| file.path == facts.paths.state);
    let owner = state.map(|state| state.uid).filter(|_| uid == 0).unwrap_or(uid);
    let foreign = files.iter().filter(|file| file.uid != owner).map(|file| foreign(facts, file, owner));
    let is_open = |file: &&FileFact| file.uid == owner && file.mode & OTHERS != 0;
    let mut findings: Vec<Finding> = foreign.collect();
    for kind in [FileKind::Secret, FileKind::Private, FileKind::Folder] {
        let open: Vec<&FileFact> = files.iter().filter(is_open).filter(|file| file.kind == kind).collect();
        if open.len() > MANY && kind != FileKind::Secret {
            findings.extend(open.split_first().map(|(first, more)| closed(facts, first, more)));
        } else {
            findings.extend(open.into_iter().map(|file| closed(facts, file, &[])));
        }
    }
    Ok(findings)
}

/// Files of one kind that are open to others.
fn closed(facts: &Facts, first: &FileFact, more: &[&FileFact]) -> Finding {
    let (level, what, consequence) = match first.kind {
        FileKind::Secret => {
            (Level::Error, "files", "Other users of this machine can take the secrets in it.")
        }
        FileKind::Private => (Level::Warning, "files", "Other users of this machine can read what was said."),
        FileKind::Folder => (Level::Warning, "folders", "Other users of this machine can look into it."),
    };
    let name = facts.shown(&first.path);
    let finding = match more.len() {
        0 => format!("{name} is open to others (mode {:o})", first.mode),
        more => format!("{} {what} are open to others, {name} among them", more + 1),
    };
    let files =
        std::iter::once(&first).chain(more).map(|file| (file.path.clone(), file.mode & !OTHERS)).collect();
    Finding::new(level, finding, consequence, facts.fix()).repaired_by(Repair::Modes(files))
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
