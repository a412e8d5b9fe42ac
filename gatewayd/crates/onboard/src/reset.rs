//! Throws an installation away to begin anew: into a trash folder beside the state, never for good. What would be moved
//! is found and checked first, on real paths, so that no link leads astray, and nothing is moved under a running gateway.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gateway_base::atomic_file;
use gateway_base::clock::{UnixMs, iso_utc};
use gateway_base::env::Env;
use gateway_base::lock_file::{self, Places};
use gateway_base::paths::Paths;
use gateway_config::write::record_path;

/// How much is thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The configuration.
    Config,
    /// That, credentials and sessions.
    Sessions,
    /// All of that and the workspace.
    Full,
}

/// Why nothing was moved, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A gateway uses the state.
    #[error("a gateway is running on {state} (pid {pid}); stop it before a reset")]
    Running {
        /// The state folder.
        state: String,
        /// The gateway.
        pid: u32,
    },
    /// The folder holds more than an installation.
    #[error("a reset would move {0}, which is not a folder of this gateway alone; move it by hand")]
    NotOurs(String),
    /// A move failed.
    #[error("cannot move {path} to the trash")]
    Move {
        /// What.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Moves everything in `scope` that exists. Returns what was moved.
pub fn reset(
    paths: &Paths,
    env: &Env,
    scope: Scope,
    workspace: &Path,
    now: UnixMs,
) -> Result<Vec<PathBuf>, Error> {
    let places = Places::new(env);
    let locks = [places.state(&paths.state), places.gateway(&paths.config)];
    if let Some(owner) = locks.iter().find_map(|at| lock_file::owner(at)) {
        return Err(Error::Running { state: paths.tilde(&paths.state), pid: owner.pid });
    }
    let targets = targets(paths, scope, workspace)?;
    let stamp = iso_utc(now).replace([':', '.'], "-");
    let trash = paths.state.join("trash").join(&stamp);
    let mut moved = Vec::new();
    for target in targets.into_iter().filter(|target| fs::symlink_metadata(target).is_ok()) {
        throw(&target, paths, &trash, &stamp)
            .map_err(|source| Error::Move { path: paths.tilde(&target), source })?;
        moved.push(target);
    }
    Ok(moved)
}

fn targets(paths: &Paths, scope: Scope, workspace: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut targets = vec![paths.config.clone(), paths.last_good_config(), record_path(paths)];
    if scope == Scope::Config {
        return Ok(targets);
    }
    let inside = ["credentials", ".env"].map(|name| paths.state.join(name));
    targets.extend(inside);
    targets.extend(agent_folders(&paths.state));
    targets.extend(["", "-wal", "-shm"].map(|part| {
        let mut name = paths.store_file().into_os_string();
        name.push(part);
        PathBuf::from(name)
    }));
    for target in &targets {
        stays_inside(target, paths)?;
    }
    if scope == Scope::Full {
        is_a_workspace(workspace, paths)?;
        targets.push(workspace.to_path_buf());
    }
    Ok(targets)
}

/// `<state>/agents/*/{agent,sessions}`, in order of their names.
fn agent_folders(state: &Path) -> Vec<PathBuf> {
    let agents = fs::read_dir(state.join("agents")).into_iter().flatten().flatten();
    let mut found: Vec<_> =
        agents.flat_map(|agent| ["agent", "sessions"].map(|name| agent.path().join(name))).collect();
    found.sort();
    found
}

/// The parent of `target` really is inside the state folder, or beside the configuration. The target itself is renamed,
/// never followed.
fn stays_inside(target: &Path, paths: &Paths) -> Result<(), Error> {
    let (Some(parent), Ok(state)) = (target.parent(), fs::canonicalize(&paths.state)) else { return Ok(()) };
    let beside_config = paths.config.parent() == Some(parent);
    match fs::canonicalize(parent) {
        Ok(parent) if !parent.starts_with(state) && !beside_config => {
            Err(Error::NotOurs(paths.tilde(target)))
        }
        _ => Ok(()),
    }
}

/// A workspace may be moved when it is a real folder that holds neither the home folder nor the state.
fn is_a_workspace(workspace: &Path, paths: &Paths) -> Result<(), Error> {
    let not_ours = || Err(Error::NotOurs(paths.tilde(workspace)));
    let Ok(about) = fs::symlink_metadata(workspace) else { return Ok(()) };
    if !about.is_dir() {
        return not_ours();
    }
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let (workspace, home, state) = (real(workspace), real(&paths.home), real(&paths.state));
    if home.starts_with(&workspace) || state.starts_with(&workspace) { not_ours() } else { Ok(()) }
}

/// A rename into the trash; where the trash is on another file system, a rename beside the old place.
fn throw(target: &Path, paths: &Paths, trash: &Path, stamp: &str) -> io::Result<()> {
    let name = target.strip_prefix(&paths.state).ok().or(target.file_name().map(Path::new));
    let there = trash.join(name.ok_or(io::ErrorKind::InvalidInput)?);
    if let Some(folder) = there.parent() {
        atomic_file::create_private_dir(folder)?;
    }
    fs::rename(target, there).or_else(|_| {
        let mut beside = target.as_os_str().to_owned();
        beside.push(format!(".bak-{stamp}"));
        fs::rename(target, beside)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Paths, Env) {
        let home = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([
            ("HOME", home.path().display().to_string()),
            ("TMPDIR", home.path().join("tmp").display().to_string()),
        ]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        for file in [
            "clawdbot.json",
            "clawdbot.json.last-good",
            ".env",
            "credentials/x.json",
            "agents/main/agent/auth-profiles.json",
            "agents/main/sessions/a.jsonl",
            "gateway.sqlite",
            "logs/gateway.log",
        ] {
            let path = paths.state.join(file);
            fs::create_dir_all(path.parent().expect("folder")).expect("folder");
            fs::write(path, file).expect("file");
        }
        fs::create_dir_all(paths.workspace()).expect("folder");
        fs::write(paths.workspace().join("SOUL.md"), "soul").expect("file");
        (home, paths, env)
    }

    #[test]
    fn each_scope_moves_what_it_says_and_keeps_all_of_it() {
        for (scope, gone, left) in [
            (Scope::Config, &["clawdbot.json"][..], &[".env", "gateway.sqlite"][..]),
            (
                Scope::Sessions,
                &["clawdbot.json", ".env", "gateway.sqlite", "credentials"],
                &["logs/gateway.log"],
            ),
            (Scope::Full, &["clawdbot.json", "agents/main/sessions"], &["logs/gateway.log"]),
        ] {
            let (_home, paths, env) = home();
            let moved = reset(&paths, &env, scope, &paths.workspace(), 0).expect("moved");
            assert!(gone.iter().all(|file| !paths.state.join(file).exists()), "{scope:?}: {moved:?}");
            assert!(left.iter().all(|file| paths.state.join(file).exists()), "{scope:?}: {moved:?}");
            assert_eq!(paths.workspace().exists(), scope != Scope::Full);
            let trash = paths.state.join("trash/1970-01-01T00-00-00-000Z");
            assert!(trash.join("clawdbot.json").exists(), "{scope:?}");
            assert_eq!(trash.join("clawd/SOUL.md").exists(), scope == Scope::Full);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_ours_alone_stays() {
        let (home, paths, env) = home();
        for workspace in [home.path().to_path_buf(), paths.state.clone(), PathBuf::from("/")] {
            let error = reset(&paths, &env, Scope::Full, &workspace, 0).expect_err("refused");
            assert!(matches!(error, Error::NotOurs(_)), "{error}");
        }
        let link = home.path().join("link");
        std::os::unix::fs::symlink(paths.workspace(), &link).expect("link");
        assert!(reset(&paths, &env, Scope::Full, &link, 0).is_err());
        assert!(paths.config.exists() && paths.workspace().exists(), "nothing was moved");
    }
}
