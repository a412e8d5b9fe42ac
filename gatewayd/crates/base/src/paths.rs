//! Every path rule in one place (operations 1.3, 1.4). Paths are resolved once, after the profile is known, and
//! passed along; nothing else reads `HOME` or a `CLAWDBOT_*_DIR`.

use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::profile::Profile;

/// Port when nothing says otherwise.
pub const DEFAULT_PORT: u16 = 18789;
/// Port of the root options `--dev` and `--profile dev`.
pub const DEV_PORT: u16 = 19001;

/// Where one gateway keeps its things. All paths are absolute.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The user's home folder.
    pub home: PathBuf,
    /// `~/.clawdbot`, `~/.clawdbot-<profile>` or `CLAWDBOT_STATE_DIR`.
    pub state: PathBuf,
    /// `<state>/clawdbot.json` or `CLAWDBOT_CONFIG_PATH`.
    pub config: PathBuf,
    /// The active profile, for command hints and the default workspace.
    pub profile: Option<Profile>,
}

/// Why no paths could be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `HOME` nor `USERPROFILE` is set.
    #[error("no home folder: set HOME (or CLAWDBOT_STATE_DIR) to an absolute path")]
    NoHome,
    /// The working directory is gone.
    #[error("the working directory cannot be read")]
    NoWorkingDirectory(#[source] std::io::Error),
}

impl Paths {
    /// Resolves all paths from the environment and the profile. An explicit `CLAWDBOT_STATE_DIR` or
    /// `CLAWDBOT_CONFIG_PATH` wins over the profile; relative ones count from the working directory.
    pub fn resolve(env: &Env, profile: Option<Profile>) -> Result<Self, Error> {
        let cwd = std::env::current_dir().map_err(Error::NoWorkingDirectory)?;
        let home = env
            .get("HOME")
            .or_else(|| env.get("USERPROFILE"))
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
            .or_else(|| env.get("CLAWDBOT_STATE_DIR").map(|_| cwd.clone()))
            .ok_or(Error::NoHome)?;
        let profile = profile.or_else(|| Profile::from_env(env));
        let state = env.get("CLAWDBOT_STATE_DIR").map_or_else(
            || home.join(format!(".clawdbot{}", profile.as_ref().map(Profile::suffix).unwrap_or_default())),
            |raw| absolute(&home, &cwd, raw),
        );
        let config = env
            .get("CLAWDBOT_CONFIG_PATH")
            .map_or_else(|| state.join("clawdbot.json"), |raw| absolute(&home, &cwd, raw));
        Ok(Self { home, state, config, profile })
    }

    /// `<state>/logs/gateway.log`, unless `logging.file` says otherwise.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.state.join("logs").join("gateway.log")
    }

    /// The store of acknowledged state; only the daemon opens it.
    #[must_use]
    pub fn store_file(&self) -> PathBuf {
        self.state.join("gateway.sqlite")
    }

    /// The last configuration that was valid when it was read, byte for byte (rule R8).
    #[must_use]
    pub fn last_good_config(&self) -> PathBuf {
        let mut name = self.config.file_name().unwrap_or_default().to_os_string();
        name.push(".last-good");
        self.config.with_file_name(name)
    }

    /// Default workspace: `~/clawd`, or `~/clawd-<profile>`.
    #[must_use]
    pub fn workspace(&self) -> PathBuf {
        self.home.join(format!("clawd{}", self.profile.as_ref().map(Profile::suffix).unwrap_or_default()))
    }

    /// `<state>/agents/<agent>/sessions/sessions.json`, the path the wire reports for a session store.
    #[must_use]
    pub fn session_store(&self, agent: &str) -> PathBuf {
        self.state.join("agents").join(agent).join("sessions").join("sessions.json")
    }

    /// `path` with the home folder shortened to `~`, for people.
    #[must_use]
    pub fn tilde(&self, path: &Path) -> String {
        match path.strip_prefix(&self.home) {
            Ok(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
            Ok(rest) => Path::new("~").join(rest).display().to_string(),
            Err(_) => path.display().to_string(),
        }
    }

    /// `raw` with a leading `~` expanded and made absolute against the working directory, or against the home
    /// folder when that is gone.
    #[must_use]
    pub fn expand(&self, raw: &str) -> PathBuf {
        let cwd = std::env::current_dir().unwrap_or_else(|_| self.home.clone());
        absolute(&self.home, &cwd, raw)
    }
}

fn absolute(home: &Path, cwd: &Path, raw: &str) -> PathBuf {
    let raw = raw.trim();
    if raw == "~" {
        return home.to_path_buf();
    }
    match raw.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => cwd.join(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn profile_moves_state_and_config_but_explicit_wins() {
        let p = Paths::resolve(&env(&[("HOME", "/h")]), Some(Profile::dev()));
        let p = p.expect("home is set");
        assert_eq!(p.config, Path::new("/h/.clawdbot-dev/clawdbot.json"));
        assert_eq!(p.workspace(), Path::new("/h/clawd-dev"));
        let p = Paths::resolve(&env(&[("HOME", "/h"), ("CLAWDBOT_STATE_DIR", "~/s")]), Some(Profile::dev()));
        assert_eq!(p.expect("home is set").state, Path::new("/h/s"));
    }

    #[test]
    fn the_environment_profile_moves_the_state_too() {
        let p =
            Paths::resolve(&env(&[("HOME", "/h"), ("CLAWDBOT_PROFILE", "work")]), None).expect("home is set");
        assert_eq!(p.state, Path::new("/h/.clawdbot-work"));
        assert_eq!(p.tilde(&p.config), "~/.clawdbot-work/clawdbot.json");
    }

    #[test]
    fn no_home_is_an_error() {
        assert!(matches!(Paths::resolve(&env(&[]), None), Err(Error::NoHome)));
    }
}
