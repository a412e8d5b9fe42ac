//! The service manager behind one face: what every action needs of it, whichever it is. Only the choice of the
//! manager depends on the operating system.

use std::path::{Path, PathBuf};

use gateway_base::account;
use gateway_base::env::Env;
use gateway_base::paths::Paths;

use super::launchd;
use super::names::Names;
use super::runner::Runner;
use super::schtasks;
use super::scope::Scope;
use super::spec::Spec;
use super::status::{Manager, RuntimeState, Service};
use super::step::Step;
use super::systemd;

/// A service manager that can be asked and told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// Linux.
    Systemd(systemd::Manager),
    /// macOS.
    Launchd(launchd::Manager),
    /// Windows.
    Schtasks(schtasks::Manager),
}

impl Control {
    /// The one of this system.
    #[must_use]
    pub fn native(scope: Scope, env: &Env) -> Self {
        match Manager::native() {
            Manager::Launchd => Self::Launchd(launchd::Manager::new(account::own_uid().unwrap_or(u32::MAX))),
            Manager::Schtasks => Self::Schtasks(schtasks::Manager::new(env)),
            Manager::Systemd => Self::Systemd(systemd::Manager::new(scope, env)),
        }
    }

    /// Which it is.
    #[must_use]
    pub const fn kind(&self) -> Manager {
        match self {
            Self::Systemd(_) => Manager::Systemd,
            Self::Launchd(_) => Manager::Launchd,
            Self::Schtasks(_) => Manager::Schtasks,
        }
    }

    /// Whose services it manages.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        match self {
            Self::Systemd(manager) => manager.scope,
            Self::Launchd(_) | Self::Schtasks(_) => Scope::User,
        }
    }

    /// What is known about the service.
    pub async fn query(&self, names: &Names, runner: &impl Runner) -> Service {
        match self {
            Self::Systemd(manager) => systemd::query(manager, names, runner).await,
            Self::Launchd(manager) => launchd::query(manager, names, runner).await,
            Self::Schtasks(manager) => schtasks::query(manager, names, runner).await,
        }
    }

    /// Fails with the reason when the manager cannot be asked.
    pub async fn check(&self, names: &Names, runner: &impl Runner) -> Result<(), String> {
        match self {
            Self::Systemd(manager) => manager.answers(runner).await,
            Self::Launchd(_) | Self::Schtasks(_) => match self.query(names, runner).await.runtime {
                runtime if runtime.status == RuntimeState::Unknown => Err(runtime.detail.unwrap_or_default()),
                _ => Ok(()),
            },
        }
    }

    /// The text of the service file. `log` is the log that the daemon writes.
    pub async fn text(
        &self,
        names: &Names,
        spec: &Spec,
        log: &Path,
        runner: &impl Runner,
    ) -> Result<String, String> {
        match self {
            Self::Systemd(manager) => {
                systemd::unit_text(manager, spec, runner).await.map_err(|error| error.to_string())
            }
            Self::Launchd(_) => {
                launchd::agent_text(&names.label, spec, log).map_err(|error| error.to_string())
            }
            Self::Schtasks(manager) => {
                manager.check_places(runner).await?;
                let user = manager.user.as_deref();
                schtasks::task_text(names, spec, user).map_err(|error| error.to_string())
            }
        }
    }

    /// The service file.
    #[must_use]
    pub fn file(&self, names: &Names) -> PathBuf {
        match self {
            Self::Systemd(manager) => names.unit_path(manager.scope),
            Self::Launchd(_) => names.agent_file.clone(),
            Self::Schtasks(_) => names.task_file.clone(),
        }
    }

    /// Whether something still starts a service that is gone itself.
    #[must_use]
    pub fn is_linked(&self, names: &Names) -> bool {
        match self {
            Self::Systemd(manager) => {
                let file = names.unit_path(manager.scope);
                systemd::link(manager.scope, &names.unit, &file).is_symlink()
            }
            Self::Launchd(_) | Self::Schtasks(_) => false,
        }
    }

    /// What the manager calls the service.
    #[must_use]
    pub fn name(&self, names: &Names) -> String {
        match self {
            Self::Systemd(_) => names.unit.clone(),
            Self::Launchd(manager) => manager.target(names),
            Self::Schtasks(_) => names.task.clone(),
        }
    }

    /// A service file as lines that can be compared and shown.
    #[must_use]
    pub fn lines(&self, text: &str) -> String {
        match self {
            Self::Systemd(_) | Self::Schtasks(_) => text.to_owned(),
            Self::Launchd(_) => launchd::lines(text),
        }
    }

    /// Writes the service file, makes the service start by itself, and starts it as it is now written.
    #[must_use]
    pub fn install(&self, names: &Names, text: String, log: &Path) -> Vec<Step> {
        match self {
            Self::Systemd(manager) => systemd::install(manager, names, text),
            Self::Launchd(manager) => launchd::install(manager, names, text, &launchd::error_log(log)),
            Self::Schtasks(manager) => schtasks::install(manager, names, text),
        }
    }

    /// Starts the service, whatever held it back. One that runs is left alone.
    #[must_use]
    pub fn start(&self, names: &Names, before: &Service) -> Vec<Step> {
        match self {
            Self::Systemd(manager) => systemd::start(manager, names),
            Self::Launchd(manager) => launchd::start(manager, names, before),
            Self::Schtasks(manager) => schtasks::start(manager, names, before),
        }
    }

    /// Starts the service anew.
    #[must_use]
    pub fn restart(&self, names: &Names, before: &Service) -> Vec<Step> {
        match self {
            Self::Systemd(manager) => systemd::restart(manager, names),
            Self::Launchd(manager) => launchd::restart(manager, names, before),
            Self::Schtasks(manager) => schtasks::restart(manager, names, before),
        }
    }

    /// Stops the service.
    #[must_use]
    pub fn stop(&self, names: &Names, before: &Service) -> Vec<Step> {
        match self {
            Self::Systemd(manager) => systemd::stop(manager, names),
            Self::Launchd(manager) => launchd::stop(manager, names),
            Self::Schtasks(manager) => schtasks::stop(manager, names, before),
        }
    }

    /// Clears what is left of a failure.
    #[must_use]
    pub fn clear(&self, names: &Names) -> Vec<Step> {
        match self {
            Self::Systemd(manager) => vec![systemd::clear(manager, names)],
            Self::Launchd(_) | Self::Schtasks(_) => Vec::new(),
        }
    }

    /// Forgets a service that has been stopped.
    #[must_use]
    pub fn remove(&self, names: &Names, before: &Service) -> Vec<Step> {
        match self {
            Self::Systemd(manager) => systemd::remove(manager, &names.unit, &names.unit_path(manager.scope)),
            Self::Launchd(_) => launchd::remove(names),
            Self::Schtasks(manager) => schtasks::remove(manager, names, before),
        }
    }

    /// The lock that lets one action at a time work on a service.
    #[must_use]
    pub fn lock_file(&self, names: &Names, env: &Env, paths: &Paths) -> Option<PathBuf> {
        let (folder, name) = match self {
            Self::Systemd(manager) => (manager.runtime()?.to_path_buf(), &names.unit),
            Self::Launchd(_) => (temporary(env, "TMPDIR", paths), &names.label),
            Self::Schtasks(_) => (temporary(env, "TEMP", paths), &names.task),
        };
        Some(folder.join(format!("{name}.lock")))
    }
}

/// The user's own folder for temporary files.
fn temporary(env: &Env, name: &str, paths: &Paths) -> PathBuf {
    let named = env.get(name).map(PathBuf::from).filter(|folder| folder.is_dir());
    named.unwrap_or_else(|| paths.home.clone())
}
