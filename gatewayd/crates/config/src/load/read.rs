//! Reads a text file with limits: only regular files, only up to a size, only UTF-8.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Largest file that is read, in bytes.
pub const MAX_BYTES: u64 = 5 * 1024 * 1024;

/// What was found at a path.
pub(crate) enum Read {
    /// Nothing.
    Missing,
    /// A text.
    Text(String),
    /// Something that cannot be used, and why.
    Unusable(String),
}

/// Reads the text at `path`.
pub(crate) fn read(path: &Path) -> Read {
    match read_bytes(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Read::Text(text),
            Err(error) => Read::Unusable(not_utf8(error.as_bytes(), error.utf8_error().valid_up_to())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Read::Missing,
        Err(error) => Read::Unusable(error.to_string()),
    }
}

fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe or device would block or never end.
    let kind = std::fs::metadata(path)?;
    if !kind.is_file() {
        return Err(io::Error::other(if kind.is_dir() {
            "it is a folder, not a file"
        } else {
            "it is not a regular file"
        }));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {} MiB", MAX_BYTES / 1024 / 1024)));
    }
    Ok(bytes)
}

fn not_utf8(bytes: &[u8], valid: usize) -> String {
    let before = String::from_utf8_lossy(&bytes[..valid]);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let column = before[line_start..].chars().count() + 1;
    format!("it is not UTF-8 text (bad byte at {}:{column})", before.matches('\n').count() + 1)
}
