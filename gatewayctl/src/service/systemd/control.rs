//! Asks the user's service manager. Over ssh the bus is often there and only its address is missing, so that is
//! tried before giving up.

use std::fs;

use gateway_base::env::Env;

use super::parse;
use crate::service::names::Names;
use crate::service::runner::{RunError, Runner};
use crate::service::status::{Installed, Manager, Runtime, RuntimeState, Service};

/// What is known about the unit.
pub async fn query(names: &Names, env: &Env, runner: &impl Runner) -> Service {
    let file = fs::read_to_string(&names.unit_file).ok();
    let command = file.as_deref().map(|text| parse::unit(text, &names.unit_file));
    let (installed, runtime) = match show(names, env, runner).await {
        Ok(text) => parse::show(&text),
        Err(detail) => {
            // A unit that has no file is not registered, whoever could be asked.
            let installed = if file.is_some() { Installed::Unknown } else { Installed::No };
            (installed, Runtime::unknown(detail))
        }
    };
    Service { manager: Manager::Systemd, installed, command, runtime }
}

async fn show(names: &Names, env: &Env, runner: &impl Runner) -> Result<String, String> {
    let arguments = ["--user", "show", &names.unit, "--no-pager", "--property", parse::PROPERTIES];
    let first = ask(runner, &arguments, &[]).await;
    if first.is_ok() || env.get("XDG_RUNTIME_DIR").is_some() {
        return first;
    }
    let Some(folder) = runtime_folder() else { return first };
    ask(runner, &arguments, &[("XDG_RUNTIME_DIR", &folder)]).await.or(first)
}

async fn ask(runner: &impl Runner, arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
    match runner.run("systemctl", arguments, variables).await {
        Ok(ran) if ran.success => Ok(ran.stdout),
        Ok(ran) => {
            let said = if ran.stderr.trim().is_empty() { ran.stdout } else { ran.stderr };
            let said = said.trim();
            Err(format!(
                "systemctl --user unavailable: {}",
                if said.is_empty() { "unknown error" } else { said }
            ))
        }
        Err(RunError::Missing(_)) => {
            Err("systemctl not available; systemd user services are required on Linux.".to_owned())
        }
        Err(error) => Err(format!("systemctl --user unavailable: {error}")),
    }
}

/// `/run/user/<uid>`, when there is one.
fn runtime_folder() -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let uid = fs::metadata("/proc/self").ok()?.uid();
        let folder = format!("/run/user/{uid}");
        fs::metadata(&folder).ok()?.is_dir().then_some(folder)
    }
    #[cfg(not(unix))]
    None
}

/// Whether a detail means that there is no user service manager at all.
#[must_use]
pub fn is_unavailable(runtime: &Runtime) -> bool {
    runtime.status == RuntimeState::Unknown
        && runtime.detail.as_deref().is_some_and(|detail| {
            let detail = detail.to_ascii_lowercase();
            [
                "systemctl --user unavailable",
                "systemctl not available",
                "not been booted with systemd",
                "failed to connect to bus",
                "systemd user services are required",
            ]
            .iter()
            .any(|known| detail.contains(known))
        })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use gateway_base::paths::Paths;

    use super::*;
    use crate::service::runner::Ran;

    struct Fake {
        answer: Result<Ran, RunError>,
        asked: RefCell<Vec<String>>,
    }

    impl Runner for Fake {
        async fn run(&self, program: &str, arguments: &[&str], _: &[(&str, &str)]) -> Result<Ran, RunError> {
            self.asked.borrow_mut().push(format!("{program} {}", arguments.join(" ")));
            self.answer.clone()
        }
    }

    fn set_up(unit: Option<&str>) -> (tempfile::TempDir, Names, Env) {
        let home = tempfile::tempdir().expect("temporary folder");
        let home_path = home.path().to_string_lossy().into_owned();
        let env = Env::from_pairs([("HOME", home_path.as_str()), ("XDG_RUNTIME_DIR", "/run/user/1")]);
        let names = Names::new(&env, &Paths::resolve(&env, None).expect("HOME is set"));
        if let Some(text) = unit {
            fs::create_dir_all(names.unit_file.parent().expect("has a folder")).expect("folder");
            fs::write(&names.unit_file, text).expect("unit file");
        }
        (home, names, env)
    }

    async fn query_with(unit: Option<&str>, answer: Result<Ran, RunError>) -> (Service, Vec<String>) {
        let (_home, names, env) = set_up(unit);
        let fake = Fake { answer, asked: RefCell::default() };
        let service = query(&names, &env, &fake).await;
        (service, fake.asked.into_inner())
    }

    #[tokio::test]
    async fn the_manager_is_asked_once_and_believed() {
        let answer = Ran {
            success: true,
            stdout: "UnitFileState=enabled\nActiveState=active\nMainPID=7\n".into(),
            ..Ran::default()
        };
        let (service, asked) = query_with(Some("ExecStart=/x gateway --port 1\n"), Ok(answer)).await;
        assert_eq!((service.installed_word(), service.runtime.pid), ("enabled", Some(7)));
        assert_eq!(asked.len(), 1);
        assert!(asked[0].starts_with("systemctl --user show clawdbot-gateway.service "), "{asked:?}");
    }

    #[tokio::test]
    async fn a_manager_that_cannot_be_asked_is_a_state_of_its_own() {
        let bus = Ran { stderr: "Failed to connect to bus: No medium found\n".into(), ..Ran::default() };
        let (service, _) = query_with(Some("ExecStart=/x\n"), Ok(bus)).await;
        assert_eq!((service.installed_word(), service.runtime.status), ("unknown", RuntimeState::Unknown));
        assert_eq!(
            service.runtime.detail.as_deref(),
            Some("systemctl --user unavailable: Failed to connect to bus: No medium found")
        );
        assert!(is_unavailable(&service.runtime));
        let (service, _) = query_with(None, Err(RunError::Missing("systemctl".into()))).await;
        assert_eq!((service.installed_word(), service.command), ("disabled", None));
        assert!(is_unavailable(&service.runtime));
    }
}
