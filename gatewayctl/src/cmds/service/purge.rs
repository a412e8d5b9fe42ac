//! Removes the state folder. What is to go is checked before anything else is changed: a folder that does not look
//! like a gateway's, that holds the home folder, or that another gateway works in, stays.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gateway_base::env::Env;
use gateway_base::lock_file::{self, Places};
use gateway_base::paths::Paths;

/// A state folder that may be removed.
#[derive(Debug)]
pub struct Purge {
    paths: Paths,
}

/// Why it may not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not a folder that only a gateway uses.
    #[error("{0} does not look like the state of a gateway; remove it by hand if you mean it")]
    Foreign(PathBuf),
    /// A gateway that is not the service uses it.
    #[error("a gateway outside of the service (pid {0}) works in {1}; stop it first")]
    Running(u32, PathBuf),
    /// It could not be removed.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
}

/// Files and folders of which a gateway's state folder has at least one.
const SIGNS: [&str; 4] = ["clawdbot.json", "gateway.sqlite", "logs/gateway.log", "run"];

impl Purge {
    /// Checks the folder. `service` is the process that will have ended by then.
    pub fn new(paths: Paths, env: &Env, service: Option<u32>) -> Result<Self, Error> {
        let state = &paths.state;
        // A name may lead anywhere, such as `~/x/..`.
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let folder = real(state);
        let holds_home = real(&paths.home).starts_with(&folder) || folder.parent().is_none();
        let is_ours = SIGNS.iter().any(|sign| state.join(sign).exists());
        if state.exists() && (holds_home || !is_ours || state.is_symlink()) {
            return Err(Error::Foreign(state.clone()));
        }
        let places = Places::new(env);
        let owner = [places.state(state), places.gateway(&paths.config)];
        match owner.iter().find_map(|at| lock_file::owner(at)) {
            Some(owner) if Some(owner.pid) != service => Err(Error::Running(owner.pid, state.clone())),
            _ => Ok(Self { paths }),
        }
    }

    /// The folder.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.paths.state
    }

    /// Removes it.
    pub fn run(self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.paths.state) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::Io(self.paths.state, error)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(home: &Path, state: &Path) -> (Paths, Env) {
        let env = Env::from_pairs([
            ("HOME", home.display().to_string()),
            ("CLAWDBOT_STATE_DIR", state.display().to_string()),
            ("TMPDIR", home.display().to_string()),
        ]);
        (Paths::resolve(&env, None).expect("HOME is set"), env)
    }

    #[test]
    fn only_the_state_of_a_gateway_goes() {
        let dir = tempfile::tempdir().expect("folder");
        let home = dir.path().join("home");
        let state = home.join(".clawdbot");
        fs::create_dir_all(state.join("run")).expect("folder");
        fs::create_dir_all(home.join("photos")).expect("folder");
        for foreign in [&home, &home.join("photos"), Path::new("/"), dir.path()] {
            let (paths, env) = paths(&home, foreign);
            assert!(matches!(Purge::new(paths, &env, None), Err(Error::Foreign(_))), "{}", foreign.display());
        }
        // Something like a gateway's may lie in a home folder too.
        fs::write(home.join("clawdbot.json"), "{}").expect("file");
        for foreign in [home.clone(), home.join("photos/..")] {
            let (paths, env) = paths(&home, &foreign);
            assert!(matches!(Purge::new(paths, &env, None), Err(Error::Foreign(_))), "{}", foreign.display());
        }
        #[cfg(unix)]
        {
            let link = dir.path().join("link");
            std::os::unix::fs::symlink(&state, &link).expect("link");
            let (paths, env) = paths(&home, &link);
            assert!(matches!(Purge::new(paths, &env, None), Err(Error::Foreign(_))), "a link to it");
        }
        let (paths, env) = paths(&home, &state);
        Purge::new(paths.clone(), &env, None).expect("is ours").run().expect("goes");
        assert!(!state.exists() && home.join("photos").exists());
        Purge::new(paths, &env, None).expect("nothing is fine too").run().expect("nothing to do");
    }
}
