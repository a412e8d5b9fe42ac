//! Where the admin socket is. The daemon chooses the place from its state directory; a client that knows the state
//! directory finds it again without asking anyone. Paths come in as arguments: nothing here reads the environment.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The longest path a Unix socket can have, without its closing zero byte.
pub const MAX_PATH_BYTES: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

const SOCKET_NAME: &str = "admin.sock";

/// A place where the admin service listens: the path of a Unix socket, or the name of a Windows pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    path: PathBuf,
}

/// Folders that may hold the socket when the state directory's path is too long.
#[derive(Clone, Debug)]
pub struct Fallback {
    /// `XDG_RUNTIME_DIR`, if it is set. It belongs to the user already.
    pub runtime_dir: Option<PathBuf>,
    /// The folder for temporary files, which others can write to.
    pub temp_dir: PathBuf,
    /// The user's number, to keep users apart in `temp_dir`.
    pub uid: u32,
}

/// Why there is no place for the socket.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Every candidate is longer than the system allows.
    #[error(
        "no path for the admin socket is short enough: {path} has {length} bytes, the limit is {MAX_PATH_BYTES}; \
         set XDG_RUNTIME_DIR or TMPDIR to a shorter path"
    )]
    TooLong {
        /// The shortest candidate.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
    },
}

impl Endpoint {
    /// Exactly this socket path or pipe name.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where a client finds the daemon of `state_dir`, running or not.
    #[must_use]
    pub fn find(state_dir: &Path) -> Self {
        if cfg!(windows) {
            return Self::at(pipe_name(state_dir));
        }
        let moved = std::fs::read_to_string(pointer_file(state_dir)).ok();
        let moved =
            moved.map(|text| PathBuf::from(text.trim_end_matches('\n'))).filter(|path| path.is_absolute());
        Self::at(moved.unwrap_or_else(|| default_socket(state_dir)))
    }

    /// Where the daemon of `state_dir` is to listen. When that is not the default place, the daemon writes it to
    /// [`pointer_file`] once it listens.
    pub fn choose(state_dir: &Path, fallback: &Fallback) -> Result<Self, Error> {
        if cfg!(windows) {
            return Ok(Self::at(pipe_name(state_dir)));
        }
        let own = format!("gatewayd-{}", short_hash(state_dir));
        let shared = fallback.temp_dir.join(format!("gatewayd-{}-{}", fallback.uid, short_hash(state_dir)));
        let runtime = fallback.runtime_dir.as_ref().filter(|dir| dir.is_absolute()).map(|dir| dir.join(own));
        let candidates = [Some(default_socket(state_dir)), runtime.map(|dir| dir.join(SOCKET_NAME))];
        let last = shared.join(SOCKET_NAME);
        let fit = candidates
            .into_iter()
            .flatten()
            .chain([last.clone()])
            .find(|path| length(path) <= MAX_PATH_BYTES);
        fit.map(Self::at).ok_or_else(|| Error::TooLong { length: length(&last), path: last })
    }

    /// The socket path or pipe name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The socket's usual place, `<state>/run/admin.sock`.
#[must_use]
pub fn default_socket(state_dir: &Path) -> PathBuf {
    state_dir.join("run").join(SOCKET_NAME)
}

/// The file that names the socket when it is not at its usual place, `<state>/run/admin.path`.
#[must_use]
pub fn pointer_file(state_dir: &Path) -> PathBuf {
    state_dir.join("run").join("admin.path")
}

fn pipe_name(state_dir: &Path) -> PathBuf {
    PathBuf::from(format!(r"\\.\pipe\gatewayd-{}", short_hash(state_dir)))
}

fn length(path: &Path) -> usize {
    path.as_os_str().as_encoded_bytes().len()
}

fn short_hash(path: &Path) -> String {
    // Windows does not tell cases apart, so two spellings of one folder must give one name there.
    let bytes = path.as_os_str().as_encoded_bytes();
    let bytes = if cfg!(windows) { bytes.to_ascii_lowercase() } else { bytes.to_vec() };
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn fallback(runtime: Option<&str>, temp: &str) -> Fallback {
        Fallback { runtime_dir: runtime.map(PathBuf::from), temp_dir: PathBuf::from(temp), uid: 1000 }
    }

    #[test]
    fn a_short_state_directory_holds_the_socket() {
        let place =
            Endpoint::choose(Path::new("/home/you/.clawdbot"), &fallback(Some("/run/user/1000"), "/tmp"));
        assert_eq!(place.expect("it fits").path(), Path::new("/home/you/.clawdbot/run/admin.sock"));
    }

    #[test]
    fn the_limit_is_exact() {
        let fits = MAX_PATH_BYTES - "/run/admin.sock".len();
        let state = format!("/{}", "x".repeat(fits - 1));
        let place = Endpoint::choose(Path::new(&state), &fallback(None, "/tmp")).expect("it fits");
        assert_eq!(place.path(), default_socket(Path::new(&state)));
        let place =
            Endpoint::choose(Path::new(&format!("{state}x")), &fallback(None, "/tmp")).expect("it fits");
        assert!(place.path().starts_with("/tmp"), "{place:?}");
    }

    #[test]
    fn a_long_one_moves_it_and_two_states_stay_apart() {
        let long = |end: &str| PathBuf::from(format!("/{}/{end}", "x".repeat(200)));
        let choose =
            |state: &Path, runtime| Endpoint::choose(state, &fallback(runtime, "/tmp")).expect("it fits");
        let a = choose(&long("a"), Some("/run/user/1000"));
        assert!(a.path().starts_with("/run/user/1000"), "{a:?}");
        assert_ne!(a, choose(&long("b"), Some("/run/user/1000")));
        let c = choose(&long("a"), None);
        assert!(c.path().to_string_lossy().starts_with("/tmp/gatewayd-1000-"), "{c:?}");
        let d = choose(&long("a"), Some(&format!("/{}", "r".repeat(150))));
        assert_eq!(c, d);
    }

    #[test]
    fn nowhere_is_an_error_that_says_what_to_do() {
        let long = "/".to_owned() + &"x".repeat(200);
        let error = Endpoint::choose(Path::new(&long), &fallback(None, &long)).expect_err("nothing fits");
        assert!(error.to_string().contains("set XDG_RUNTIME_DIR or TMPDIR"), "{error}");
    }

    #[test]
    fn a_client_follows_the_pointer_and_ignores_nonsense_in_it() {
        let state = tempfile::tempdir().expect("temporary folder");
        assert_eq!(Endpoint::find(state.path()).path(), default_socket(state.path()));
        std::fs::create_dir(state.path().join("run")).expect("run folder");
        std::fs::write(pointer_file(state.path()), "/run/user/1/x/admin.sock\n").expect("pointer");
        assert_eq!(Endpoint::find(state.path()).path(), Path::new("/run/user/1/x/admin.sock"));
        std::fs::write(pointer_file(state.path()), "relative").expect("pointer");
        assert_eq!(Endpoint::find(state.path()).path(), default_socket(state.path()));
    }
}
