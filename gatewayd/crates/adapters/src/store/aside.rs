//! Moves a damaged store out of the way. All parts go together and keep belonging together by name, so that a
//! leftover log can never be replayed into the fresh file and somebody can still open and rescue the old one.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gateway_base::atomic_file::sync_dir;
use gateway_base::clock::UnixMs;

/// What SQLite appends to the name of the main file for its other parts.
pub(super) const PARTS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// `path` with `suffix` appended to its file name.
pub(super) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(suffix);
    path.with_file_name(name)
}

/// Whether something is there, also a link that leads nowhere.
pub(super) fn exists(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Renames the main file and every part of it to `<name>.damaged-<UTC time>` and returns the new name of the main
/// file. Nothing is overwritten. The main file goes first: a crash half-way leaves parts without one, which the next
/// open also moves aside.
pub(super) fn move_aside(path: &Path, now: UnixMs) -> io::Result<PathBuf> {
    let target = free_name(path, now)?;
    for suffix in std::iter::once("").chain(PARTS) {
        match fs::rename(sibling(path, suffix), sibling(&target, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    sync_dir(path.parent().unwrap_or(Path::new(".")))?;
    Ok(target)
}

fn free_name(path: &Path, now: UnixMs) -> io::Result<PathBuf> {
    let mut stamp = gateway_base::clock::iso_utc(now);
    stamp.retain(|c| c.is_ascii_alphanumeric());
    for n in 1..1000 {
        let again = if n == 1 { String::new() } else { format!("-{n}") };
        let target = sibling(path, &format!(".damaged-{stamp}{again}"));
        let mut taken = false;
        for suffix in std::iter::once("").chain(PARTS) {
            taken |= exists(&sibling(&target, suffix))?;
        }
        if !taken {
            return Ok(target);
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "every name to move it to is taken"))
}
