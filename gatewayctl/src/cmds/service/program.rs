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
    on_path(found.as_deref(), DAEMON, env).or(found)
}

/// The path of this program.
#[must_use]
pub fn controller(own: Option<&Path>, env: &Env) -> Option<PathBuf> {
    let own = own?;
    let name = own.file_name()?.to_str()?;
    on_path(Some(own), name, env).or_else(|| Some(own.to_path_buf()))
}

/// The same file as `found` under this name on the search path; any of this name when none was found.
fn on_path(found: Option<&Path>, name: &str, env: &Env) -> Option<PathBuf> {
    let real = found.and_then(|path| fs::canonicalize(path).ok());
    let folders = env.get("PATH").unwrap_or_default().split(':').filter(|folder| folder.starts_with('/'));
    folders
        .map(|folder| Path::new(folder).join(name))
        .filter(|path| path.is_file())
        .find(|path| real.is_none() || fs::canonicalize(path).ok() == real)
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
        assert_eq!(controller(None, &env), None);
        fs::write(&own, "").expect("file");
        assert_eq!(controller(Some(&own), &env), Some(own.clone()));
        std::os::unix::fs::symlink(&own, bin.join("gatewayctl")).expect("link");
        assert_eq!(controller(Some(&own), &env), Some(bin.join("gatewayctl")));
    }
}
