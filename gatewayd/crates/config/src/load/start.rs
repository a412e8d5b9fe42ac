//! What to run on: the file, else the last good copy of it (rule R8). The bad file is never touched.

use gateway_base::env::Env;
use gateway_base::paths::Paths;

use super::pipeline::load;
use super::snapshot::Snapshot;
use crate::last_good;

/// The outcome of a first reading.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one is made per start")]
pub enum Start {
    /// The file is valid, or there is none.
    Ok(Snapshot),
    /// The file is not valid, but an earlier good one is.
    Degraded {
        /// The file as it is.
        bad: Snapshot,
        /// The last good copy.
        good: Snapshot,
    },
    /// The file is not valid, and there is nothing to fall back on.
    Broken(Snapshot),
}

/// Loads the file, and the last good copy when the file is not valid.
#[must_use]
pub fn load_or_last_good(paths: &Paths, env: &Env) -> Start {
    let snapshot = load(paths, env);
    if snapshot.valid {
        return Start::Ok(snapshot);
    }
    match last_good::load(paths, env) {
        Some(good) => Start::Degraded { bad: snapshot, good },
        None => Start::Broken(snapshot),
    }
}
