//! The copy of the last configuration that was valid when the daemon took it over. It is used only after it has
//! been checked again with the same code.

use std::io;

use gateway_base::atomic_file;
use gateway_base::env::Env;
use gateway_base::paths::Paths;

use crate::load::{self, Read, Snapshot};

/// Keeps the text of a valid `snapshot`, byte for byte; with includes, their merged content instead, so that the
/// copy does not depend on other files. Does nothing when there is no file, or when the copy is already the same.
pub fn save(paths: &Paths, snapshot: &Snapshot) -> io::Result<()> {
    let Some(raw) = snapshot.raw.as_deref().filter(|_| snapshot.valid) else { return Ok(()) };
    let text = if snapshot.files.len() > 1 {
        serde_json::to_string_pretty(&snapshot.merged)?
    } else {
        raw.to_owned()
    };
    let copy = paths.last_good_config();
    match load::read(&copy) {
        Read::Text(old) if old == text => Ok(()),
        _ => atomic_file::replace(&copy, text.as_bytes()),
    }
}

/// The last good copy, if there is one and it is still valid.
#[must_use]
pub fn load(paths: &Paths, env: &Env) -> Option<Snapshot> {
    let Read::Text(text) = load::read(&paths.last_good_config()) else { return None };
    let snapshot = load::parse_text(&text, paths, env);
    snapshot.valid.then_some(snapshot)
}
