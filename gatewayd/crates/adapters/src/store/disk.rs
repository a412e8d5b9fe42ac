//! Asks the disk itself why it refuses. SQLite hands on "disk full", but a disk that became read-only, a used-up quota
//! and a folder without permission all reach us as one error without a cause.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use gateway_base::atomic_file::owner_only;

use super::aside::sibling;

/// Writes a page beside the store at `path` and removes it again. The error says what the disk has against it.
pub(super) fn ask(path: &Path) -> io::Result<()> {
    let sample = sibling(path, ".check");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    owner_only(&mut options);
    let written = options.open(&sample).and_then(|mut file| file.write_all(&[0; 4096]));
    match fs::remove_file(&sample) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => written.and(Err(error)),
        _ => written,
    }
}
