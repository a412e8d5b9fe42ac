//! The assistant's folder: made when it is missing, filled with what is missing, and never written over.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::program::{self, Call, End, Variables};

/// The files that every workspace has.
const FILES: [(&str, &str); 6] = [
    ("AGENTS.md", include_str!("workspace/AGENTS.md")),
    ("SOUL.md", include_str!("workspace/SOUL.md")),
    ("TOOLS.md", include_str!("workspace/TOOLS.md")),
    ("IDENTITY.md", include_str!("workspace/IDENTITY.md")),
    ("USER.md", include_str!("workspace/USER.md")),
    ("HEARTBEAT.md", include_str!("workspace/HEARTBEAT.md")),
];

/// What only a new one has: the assistant reads it once and removes it.
const FIRST: (&str, &str) = ("BOOTSTRAP.md", include_str!("workspace/BOOTSTRAP.md"));

/// How long `git init` may take.
const GIT: Duration = Duration::from_secs(10);

/// Makes the folder and each file that is missing; without `files` only the folder.
pub fn make(folder: &Path, files: bool) -> io::Result<()> {
    let is_new = !FILES.iter().any(|(name, _)| folder.join(name).exists());
    fs::create_dir_all(folder)?;
    if !files {
        return Ok(());
    }
    // The beginning comes first: a folder that was left half made on a full disk is no new one the next time.
    is_new
        .then_some(FIRST)
        .into_iter()
        .chain(FILES)
        .try_for_each(|(name, text)| add(&folder.join(name), text))
}

/// Makes one file, unless there is one. It is whole or not there, so that the next attempt makes it.
fn add(path: &Path, text: &str) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    };
    file.write_all(text.as_bytes()).inspect_err(|_| drop(fs::remove_file(path)))
}

/// Puts the folder under git when that is installed and it is not yet. A workspace works without it, so nothing of
/// this is a failure.
pub async fn under_git(folder: &Path, env: &Env) -> bool {
    if folder.join(".git").exists() {
        return true;
    }
    let names = ["PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TEMP"];
    let passed = names.into_iter().filter_map(|name| Some((name, env.get(name)?)));
    let call = Call {
        variables: Variables::Whole(Env::from_pairs(passed)),
        folder: Some(folder.to_path_buf()),
        time: GIT,
        ..Call::new("git", ["init", "--quiet"])
    };
    program::run(&call).await.is_ok_and(|ran| ran.end == End::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over_and_only_a_new_one_has_a_beginning() {
        let home = tempfile::tempdir().expect("folder");
        let new = home.path().join("new");
        make(&new, true).expect("made");
        assert_eq!(fs::read_dir(&new).expect("folder").count(), 7);
        fs::remove_file(new.join("BOOTSTRAP.md")).expect("file");
        fs::write(new.join("SOUL.md"), "mine").expect("file");
        fs::remove_file(new.join("USER.md")).expect("file");
        make(&new, true).expect("made");
        assert_eq!(fs::read_to_string(new.join("SOUL.md")).expect("file"), "mine");
        assert!(new.join("USER.md").exists() && !new.join("BOOTSTRAP.md").exists());
        let bare = home.path().join("bare");
        make(&bare, false).expect("made");
        assert_eq!(fs::read_dir(&bare).expect("folder").count(), 0);
        fs::write(home.path().join("file"), "").expect("file");
        assert!(make(&home.path().join("file"), true).is_err());
    }

    #[test]
    fn the_heartbeat_begins_empty() {
        let text = include_str!("workspace/HEARTBEAT.md");
        let is_empty = |line: &str| line.trim().is_empty() || line.starts_with('#');
        assert!(
            text.lines().all(is_empty),
            "a heartbeat with something to do would cost money every half hour"
        );
    }
}
