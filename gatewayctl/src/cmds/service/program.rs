//! Which program a service runs: the daemon beside this one, by the name that stays the same when a package manager
//! puts a newer version behind it.

use std::fs;
use std::path::{Path, PathBuf};

use gateway_base::env::Env;

use crate::become_daemon::{DAEMON, sibling};

/// The daemon's path; `None` when there is none.
#[must_use]
pub fn daemon(own: Option<&Path>, env: &Env) -> Option<PathBuf> {
    let found = sibling(own);
    let real = found.as_ref().and_then(|path| fs::canonicalize(path).ok());
    let folders = env.get("PATH").unwrap_or_default().split(':').filter(|folder| folder.starts_with('/'));
    let on_path = folders
        .map(|folder| Path::new(folder).join(DAEMON))
        .filter(|path| path.is_file())
        .find(|path| real.is_none() || fs::canonicalize(path).ok() == real);
    on_path.or(found)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_stays_is_preferred() {
        let dir = tempfile::tempdir().expect("folder");
        let dir = fs::canonicalize(dir.path()).expect("is there");
        let (versioned, bin, other) = (dir.join("gatewayd-1.2"), dir.join("bin"), dir.join("other"));
        for folder in [&versioned, &bin, &other] {
            fs::create_dir_all(folder).expect("folder");
        }
        let own = versioned.join("gatewayctl");
        let env = Env::from_pairs([("PATH", format!("{}:{}", other.display(), bin.display()))]);
        assert_eq!(daemon(Some(&own), &env), None);
        fs::write(versioned.join(DAEMON), "").expect("file");
        assert_eq!(daemon(Some(&own), &env), Some(versioned.join(DAEMON)));
        fs::write(other.join(DAEMON), "another one").expect("file");
        std::os::unix::fs::symlink(versioned.join(DAEMON), bin.join(DAEMON)).expect("link");
        assert_eq!(daemon(Some(&own), &env), Some(bin.join(DAEMON)));
        assert_eq!(daemon(None, &env), Some(other.join(DAEMON)));
    }
}
