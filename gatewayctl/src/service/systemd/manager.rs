//! How the manager of a scope is reached. Over ssh, with `su` and under `sudo` the bus of the user is often there and
//! only its address is missing or another user's, so the address is made from the user's number when it is not good.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_base::env::Env;

use crate::service::runner::{Call, Ran, RunError, Runner};
use crate::service::scope::Scope;

/// The manager of one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manager {
    /// Whose services it manages.
    pub scope: Scope,
    /// Where the bus of this user is, when there is one.
    runtime: Option<PathBuf>,
}

impl Manager {
    /// The manager of `scope` for the user who runs this.
    #[must_use]
    pub fn new(scope: Scope, env: &Env) -> Self {
        Self { scope, runtime: runtime_folder(env) }
    }

    /// One with its bus in this folder, for tests.
    #[cfg(test)]
    pub(crate) fn at(scope: Scope, runtime: &Path) -> Self {
        Self { scope, runtime: Some(runtime.to_path_buf()) }
    }

    /// A call of `systemctl` for this scope.
    #[must_use]
    pub fn systemctl<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Call {
        let scope = match self.scope {
            Scope::User => "--user",
            Scope::System => "--system",
        };
        Call::new("systemctl", std::iter::once(scope).chain(arguments)).with(&self.variables())
    }

    /// Asks for what `systemctl` prints. The error says why it could not be asked.
    pub async fn ask<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
        runner: &impl Runner,
    ) -> Result<String, String> {
        let call = self.systemctl(arguments).within(Duration::from_secs(5));
        match runner.run(&call).await {
            Ok(ran) if ran.success => Ok(ran.stdout),
            Ok(ran) => Err(self.unavailable(&ran)),
            Err(RunError::Missing(_)) => {
                Err("systemctl not available; systemd user services are required on Linux.".to_owned())
            }
            Err(error) => Err(format!("{} unavailable: {error}", self.name())),
        }
    }

    /// Fails with the reason when nobody can be asked, or whoever answers is no systemd.
    pub async fn answers(&self, runner: &impl Runner) -> Result<(), String> {
        let said = self.ask(["show", "--property", "Version"], runner).await?;
        if said.starts_with("Version=") {
            return Ok(());
        }
        Err(format!("{} unavailable: it does not say its version", self.name()))
    }

    fn unavailable(&self, ran: &Ran) -> String {
        format!("{} unavailable: {}", self.name(), ran.said())
    }

    const fn name(&self) -> &'static str {
        match self.scope {
            Scope::User => "systemctl --user",
            Scope::System => "systemctl",
        }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        match (&self.runtime, self.scope) {
            (Some(folder), Scope::User) => {
                let folder = folder.display();
                vec![
                    ("XDG_RUNTIME_DIR", folder.to_string()),
                    ("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={folder}/bus")),
                ]
            }
            _ => Vec::new(),
        }
    }

    /// Where this scope's short-lived files belong.
    #[must_use]
    pub fn runtime(&self) -> Option<&Path> {
        match self.scope {
            Scope::User => self.runtime.as_deref(),
            Scope::System => Some(Path::new("/run")),
        }
    }
}

/// The folder with the user's bus: the one the environment names if it is this user's, else the usual one.
fn runtime_folder(env: &Env) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let uid = std::fs::metadata("/proc/self").ok()?.uid();
        let is_own = |folder: &PathBuf| {
            folder.is_absolute()
                && std::fs::metadata(folder).is_ok_and(|meta| meta.is_dir() && meta.uid() == uid)
        };
        let named = env.get("XDG_RUNTIME_DIR").map(PathBuf::from).filter(is_own);
        named.or_else(|| Some(PathBuf::from(format!("/run/user/{uid}"))).filter(is_own))
    }
    #[cfg(not(unix))]
    {
        let _ = env;
        None
    }
}
