//! What is asked of systemd: how a unit is, and the steps of every action. The steps begin jobs and do not wait for
//! them; whoever takes them then watches for the state that the action promises.

use std::fs;
use std::path::{Path, PathBuf};

use super::manager::Manager;
use super::{parse, render};
use crate::service::names::Names;
use crate::service::runner::Runner;
use crate::service::scope::Scope;
use crate::service::spec::Spec;
use crate::service::status::{Installed, Runtime, RuntimeState, Service};
use crate::service::step::{Form, Step};

/// What is known about the unit.
pub async fn query(manager: &Manager, names: &Names, runner: &impl Runner) -> Service {
    let path = names.unit_path(manager.scope);
    let file = read(&path);
    let command = file.as_deref().map(|text| parse::unit(text, &path));
    let arguments = ["show", &names.unit, "--no-pager", "--property", parse::PROPERTIES];
    let (installed, runtime) = match manager.ask(arguments, runner).await {
        Ok(text) => parse::show(&text),
        Err(detail) => {
            // A unit that has no file is not registered, whoever could be asked.
            let installed = if file.is_some() { Installed::Unknown } else { Installed::No };
            (installed, Runtime::unknown(detail))
        }
    };
    let kind = crate::service::status::Manager::Systemd;
    Service { manager: kind, scope: manager.scope, installed, command, runtime }
}

/// The text of a unit, and after it those of the drop-ins beside it, as systemd puts them together.
#[must_use]
pub fn read(file: &Path) -> Option<String> {
    let mut text = fs::read_to_string(file).ok()?;
    let entries = fs::read_dir(drop_ins(file)).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut parts: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "conf")).collect();
    parts.sort();
    for part in parts.iter().filter_map(|path| fs::read_to_string(path).ok()) {
        text.push_str("\n\n");
        text.push_str(&part);
    }
    Some(text)
}

/// Where the owner of a unit changes it.
#[must_use]
pub fn drop_ins(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".d");
    file.with_file_name(name)
}

/// The text of the unit for the systemd of this machine. One that does not say its version gets no setting that
/// only newer ones know.
pub async fn unit_text(
    manager: &Manager,
    spec: &Spec,
    runner: &impl Runner,
) -> Result<String, render::Error> {
    let said = manager.ask(["--version"], runner).await.unwrap_or_default();
    render::unit(spec, parse::version(&said).unwrap_or_default())
}

/// Writes the unit, makes it start by itself, and starts it as it is now written.
#[must_use]
pub fn install(manager: &Manager, names: &Names, text: String) -> Vec<Step> {
    let unit = names.unit.as_str();
    let form = if manager.scope == Scope::System { Form::Public } else { Form::Private };
    vec![
        Step::Write { path: names.unit_path(manager.scope), text, form },
        Step::Run(manager.systemctl(["daemon-reload"])),
        Step::Run(manager.systemctl(["enable", "--quiet", unit])),
        clear(manager, names),
        Step::Run(manager.systemctl(["restart", "--no-block", unit])),
    ]
}

/// Starts the unit, whatever held it back. One that runs is left alone.
#[must_use]
pub fn start(manager: &Manager, names: &Names) -> Vec<Step> {
    vec![clear(manager, names), Step::Run(manager.systemctl(["start", "--no-block", &names.unit]))]
}

/// Starts the unit anew in one call.
#[must_use]
pub fn restart(manager: &Manager, names: &Names) -> Vec<Step> {
    vec![clear(manager, names), Step::Run(manager.systemctl(["restart", "--no-block", &names.unit]))]
}

/// Stops the unit.
#[must_use]
pub fn stop(manager: &Manager, names: &Names) -> Vec<Step> {
    vec![Step::Run(manager.systemctl(["stop", "--no-block", &names.unit]))]
}

/// Clears what is left of a failure.
#[must_use]
pub fn clear(manager: &Manager, names: &Names) -> Step {
    Step::Try(manager.systemctl(["reset-failed", &names.unit]))
}

/// Forgets a unit that has been stopped. One that is masked, or whose file is gone, is not disabled by its manager, so
/// the link that starts it is removed as well.
#[must_use]
pub fn remove(manager: &Manager, unit: &str, file: &Path) -> Vec<Step> {
    vec![
        Step::Try(manager.systemctl(["disable", "--quiet", unit])),
        Step::Remove(file.to_path_buf()),
        Step::Remove(link(manager.scope, unit, file)),
        Step::Run(manager.systemctl(["daemon-reload"])),
        Step::Try(manager.systemctl(["reset-failed", unit])),
    ]
}

/// The link that starts the unit by itself.
#[must_use]
pub fn link(scope: Scope, unit: &str, file: &Path) -> PathBuf {
    file.with_file_name(format!("{}.wants", render::target(scope))).join(unit)
}

/// Whether a detail means that there is no service manager to ask at all.
#[must_use]
pub fn is_unavailable(runtime: &Runtime) -> bool {
    runtime.status == RuntimeState::Unknown
        && runtime.detail.as_deref().is_some_and(|detail| {
            let detail = detail.to_ascii_lowercase();
            [
                "systemctl --user unavailable",
                "systemctl unavailable",
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
    use gateway_base::env::Env;
    use gateway_base::paths::Paths;

    use super::*;
    use crate::service::runner::{Ran, RunError};
    use crate::service::testing::Fake;

    fn set_up(unit: Option<&str>) -> (tempfile::TempDir, Names, Manager) {
        let home = tempfile::tempdir().expect("temporary folder");
        let env = Env::from_pairs([("HOME", home.path().to_string_lossy())]);
        let names = Names::new(&env, &Paths::resolve(&env, None).expect("HOME is set"));
        if let Some(text) = unit {
            fs::create_dir_all(names.unit_file.parent().expect("has a folder")).expect("folder");
            fs::write(&names.unit_file, text).expect("unit file");
        }
        let manager = Manager::at(Scope::User, home.path());
        (home, names, manager)
    }

    async fn query_with(unit: Option<&str>, answer: Result<Ran, RunError>) -> (Service, Vec<String>) {
        let (_home, names, manager) = set_up(unit);
        let fake = Fake::answering(move |_| answer.clone());
        let service = query(&manager, &names, &fake).await;
        (service, fake.calls())
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

    #[tokio::test]
    async fn hostile_answers_are_no_state() {
        for said in ["", "\0\0\0", "ActiveState=\u{1b}[2J", "=\n=\n", &"MainPID=1\n".repeat(10_000)] {
            let answer = Ran { success: true, stdout: said.to_owned(), ..Ran::default() };
            let (service, _) = query_with(Some("ExecStart=/x\n"), Ok(answer)).await;
            assert_ne!(service.runtime.status, RuntimeState::Running, "{said:.20}");
            assert_eq!(service.installed, Installed::No, "{said:.20}");
        }
    }

    #[test]
    fn every_action_is_one_job() {
        let (_home, names, manager) = set_up(None);
        let jobs = |steps: &[Step]| {
            let calls = steps.iter().filter_map(|step| match step {
                Step::Run(call) => Some(call.to_string()),
                _ => None,
            });
            calls.filter(|call| call.contains("--no-block")).collect::<Vec<_>>()
        };
        let unit = "clawdbot-gateway.service";
        assert_eq!(jobs(&start(&manager, &names)), [format!("systemctl --user start --no-block {unit}")]);
        assert_eq!(jobs(&restart(&manager, &names)), [format!("systemctl --user restart --no-block {unit}")]);
        assert_eq!(jobs(&stop(&manager, &names)), [format!("systemctl --user stop --no-block {unit}")]);
        assert_eq!(
            jobs(&install(&manager, &names, String::new())),
            [format!("systemctl --user restart --no-block {unit}")]
        );
    }
}
