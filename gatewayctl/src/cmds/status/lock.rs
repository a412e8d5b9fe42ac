//! Who holds the locks of this configuration and state folder. A lock is the kernel's, so it names a gateway that is
//! there even when it answers nothing.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use gateway_base::clock::UnixMs;
use gateway_base::env::Env;
use gateway_base::lock_file::{self, Places};
use gateway_base::paths::Paths;

use super::facts::{Holder, Owner};

/// A gateway that has held its lock for no longer may still be starting.
const YOUNG_MS: UnixMs = 30_000;

/// Looks at both locks.
pub fn holder(env: &Env, paths: &Paths, now: UnixMs) -> Option<Holder> {
    let places = Places::new(env);
    [places.gateway(&paths.config), places.state(&paths.state)].iter().find_map(|lock| {
        let owner = lock_file::owner(lock)?;
        Some(Holder {
            pid: owner.pid,
            stopping: owner.stopping,
            young: written_at(lock).is_some_and(|at| now - at < YOUNG_MS) && !is_frozen(owner.pid),
        })
    })
}

/// Further gateways of the same configuration, on ports of their own.
pub fn others(env: &Env, paths: &Paths) -> Vec<Owner> {
    let first = Places::new(env).gateway(&paths.config);
    let entries = first.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let owners = entries.filter_map(|entry| lock_file::owner(&entry.path()));
    let same = owners.filter(|owner| Path::new(&owner.config_path) == paths.config);
    same.map(|owner| Owner { pid: owner.pid, port: owner.port }).collect()
}

fn written_at(lock: &Path) -> Option<UnixMs> {
    let at = fs::metadata(lock).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    UnixMs::try_from(at.as_millis()).ok()
}

/// Whether a signal or a debugger stopped the process. Linux alone tells.
fn is_frozen(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in front is in parentheses and may hold any character.
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    matches!(state, Some('T' | 't'))
}
