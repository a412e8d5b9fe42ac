//! `--dev --reset`: moves configuration, credentials, sessions, store and workspace into a trash folder of the profile. The
//! plan is made and checked before anything is moved, on real paths, so that no link leads it astray.

use std::io;
use std::path::{Path, PathBuf};

use gateway_base::atomic_file;
use gateway_base::clock::{Clock, iso_utc};
use gateway_base::env::Env;
use gateway_base::lock_file::{self, Places};
use gateway_base::paths::Paths;
use gateway_config::write::record_path;

/// Why the reset was refused; nothing has been moved.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// A gateway uses the state.
    #[error("a gateway is running on {state} (pid {pid}); stop it before --reset")]
    Running {
        /// The state folder.
        state: String,
        /// The gateway.
        pid: u32,
    },
    /// The path is not one of the development profile.
    #[error("--reset would touch {0}, which does not belong to the development profile")]
    NotOurs(String),
}

/// What will be moved, and where to.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    paths: &'a Paths,
    targets: Vec<PathBuf>,
}

impl<'a> Plan<'a> {
    /// Finds what there is to move and checks that all of it may be moved.
    pub(super) fn new(paths: &'a Paths, env: &Env) -> Result<Self, Error> {
        let places = Places::new(env);
        let owner = [places.state(&paths.state), places.gateway(&paths.config)]
            .iter()
            .find_map(|at| lock_file::owner(at));
        if let Some(owner) = owner {
            return Err(Error::Running { state: paths.tilde(&paths.state), pid: owner.pid });
        }
        let workspace = paths.workspace();
        for folder in [&paths.state, &workspace] {
            check_folder(folder, paths)?;
        }
        let mut targets = vec![
            paths.config.clone(),
            paths.last_good_config(),
            record_path(paths),
            paths.state.join("credentials"),
        ];
        targets.extend(session_folders(&paths.state));
        targets.extend(store_files(paths));
        for target in &targets {
            check_inside(target, &paths.state, paths)?;
        }
        targets.push(workspace);
        Ok(Self { paths, targets })
    }

    /// Moves everything that exists. Returns a line for each.
    pub(super) fn run(&self, clock: &Clock) -> Vec<String> {
        let stamp = iso_utc(clock.now()).replace([':', '.'], "-");
        let trash = self.paths.state.join("trash").join(&stamp);
        let exists = |target: &&PathBuf| std::fs::symlink_metadata(target).is_ok();
        self.targets
            .iter()
            .filter(exists)
            .map(|target| match self.throw(target, &trash, &stamp) {
                Ok(()) => format!("Moved to Trash: {}", self.paths.tilde(target)),
                Err(_) => format!("Failed to move to Trash (manual delete): {}", self.paths.tilde(target)),
            })
            .collect()
    }

    /// A rename into the trash; where the trash is on another file system, a rename beside the old place.
    fn throw(&self, target: &Path, trash: &Path, stamp: &str) -> io::Result<()> {
        let name = target.strip_prefix(&self.paths.state).ok().or(target.file_name().map(Path::new));
        let there = trash.join(name.ok_or(io::ErrorKind::InvalidInput)?);
        if let Some(folder) = there.parent() {
            atomic_file::create_private_dir(folder)?;
        }
        std::fs::rename(target, there).or_else(|_| {
            let mut beside = target.as_os_str().to_owned();
            beside.push(format!(".bak-{stamp}"));
            std::fs::rename(target, beside)
        })
    }
}

/// The development folders are real folders below the home folder, and not those of the ordinary gateway.
fn check_folder(folder: &Path, paths: &Paths) -> Result<(), Error> {
    let refused = || Error::NotOurs(paths.tilde(folder));
    let Ok(real) = std::fs::canonicalize(folder) else { return Ok(()) };
    let home = std::fs::canonicalize(&paths.home).unwrap_or_else(|_| paths.home.clone());
    let ordinary = [home.join(".clawdbot"), home.join("clawd")];
    let ordinary = ordinary.map(|path| std::fs::canonicalize(&path).unwrap_or(path));
    let holds_others = home.starts_with(&real) || ordinary.iter().any(|path| path.starts_with(&real));
    let is_inside_others = ordinary.iter().any(|path| real.starts_with(path));
    let leads_out = std::fs::symlink_metadata(folder).is_ok_and(|meta| meta.is_symlink());
    if holds_others || is_inside_others || leads_out { Err(refused()) } else { Ok(()) }
}

/// The parent of `target` really is inside `folder`. The target itself is renamed, never followed.
fn check_inside(target: &Path, folder: &Path, paths: &Paths) -> Result<(), Error> {
    let (Some(parent), Ok(folder)) = (target.parent(), std::fs::canonicalize(folder)) else { return Ok(()) };
    match std::fs::canonicalize(parent) {
        Ok(parent) if !parent.starts_with(folder) => Err(Error::NotOurs(paths.tilde(target))),
        _ => Ok(()),
    }
}

/// The store, where this gateway keeps its sessions, with the parts that belong to it.
fn store_files(paths: &Paths) -> impl Iterator<Item = PathBuf> {
    let file = paths.store_file();
    ["", "-wal", "-shm"].into_iter().map(move |part| {
        let mut name = file.clone().into_os_string();
        name.push(part);
        PathBuf::from(name)
    })
}

/// `<state>/agents/*/sessions`, in order of their names.
fn session_folders(state: &Path) -> Vec<PathBuf> {
    let agents = std::fs::read_dir(state.join("agents")).into_iter().flatten().flatten();
    let mut found: Vec<_> = agents.map(|agent| agent.path().join("sessions")).collect();
    found.sort();
    found
}
