//! What is asked of the Task Scheduler, and the steps of every action. It drops a request to run while an instance is
//! winding down, so the end of the old one is waited for (rule R12). Its errors come in the language of the machine:
//! where the text of one is not known, a list of all tasks tells whether it means that there is no such task.

use super::manager::Manager;
use super::parse;
use crate::service::names::Names;
use crate::service::runner::{Call, Ran, RunError, Runner};
use crate::service::scope::Scope;
use crate::service::status::{Installed, Manager as Kind, Runtime, RuntimeState, Service};
use crate::service::step::{self, Form, Sign, Step};

/// What `schtasks` says in English when it does not know a task.
const NO_TASK: &[&str] = &["cannot find the file", "cannot find the path", "does not exist"];
/// What the table holds while the task runs.
const RUNS: &[&str] = &[parse::RUNNING, "\"running\""];

/// What is known about the task.
pub async fn query(manager: &Manager, names: &Names, runner: &impl Runner) -> Service {
    let path = &names.task_file;
    let kept = || step::read(path).map(|text| parse::task(&text, path));
    let (installed, command, runtime) = match runner.run(&manager.schtasks(names, "/Query", &["/XML"])).await
    {
        Ok(ran) if ran.success && ran.stdout.contains("<Task") => {
            let command = parse::task(&ran.stdout, path);
            (Installed::Yes, Some(command), runtime(manager, names, runner).await)
        }
        Ok(ran) if !ran.success && is_unknown(&ran, names, runner).await => {
            let runtime = Runtime { status: RuntimeState::Stopped, missing_unit: true, ..Runtime::default() };
            (Installed::No, kept(), runtime)
        }
        other => {
            let runtime = Runtime::unknown(match other {
                Ok(ran) if ran.success => "schtasks unavailable: it gave no definition".to_owned(),
                Ok(ran) => format!("schtasks unavailable: {}", ran.said()),
                Err(error) => unavailable(&error),
            });
            let kept = kept();
            (if kept.is_some() { Installed::Unknown } else { Installed::No }, kept, runtime)
        }
    };
    Service { manager: Kind::Schtasks, scope: Scope::User, installed, command, runtime }
}

async fn runtime(manager: &Manager, names: &Names, runner: &impl Runner) -> Runtime {
    match runner.run(&table(manager, names)).await {
        Ok(ran) if ran.success => parse::table(&ran.stdout),
        Ok(ran) => Runtime::unknown(format!("schtasks unavailable: {}", ran.said())),
        Err(error) => Runtime::unknown(unavailable(&error)),
    }
}

fn unavailable(error: &RunError) -> String {
    match error {
        RunError::Missing(_) => "schtasks not available; it belongs to Windows.".to_owned(),
        error => format!("schtasks unavailable: {error}"),
    }
}

/// Whether a failure means that there is no such task.
async fn is_unknown(ran: &Ran, names: &Names, runner: &impl Runner) -> bool {
    if ran.says(NO_TASK) {
        return true;
    }
    let all = runner.run(&Call::new("schtasks", ["/Query", "/FO", "CSV", "/NH"])).await;
    let named = format!("\"\\{}\"", names.task);
    all.is_ok_and(|all| all.success && all.stdout.contains("\",\"") && !all.stdout.contains(&named))
}

fn table(manager: &Manager, names: &Names) -> Call {
    manager.schtasks(names, "/Query", &["/V", "/FO", "CSV", "/NH"])
}

/// Writes the definition, registers the task, and runs it as it is now defined.
#[must_use]
pub fn install(manager: &Manager, names: &Names, text: String) -> Vec<Step> {
    let mut steps =
        vec![Step::Write { path: names.task_file.clone(), text, form: Form::Wide }, create(manager, names)];
    steps.extend(end(manager, names));
    steps.push(run(manager, names));
    steps
}

/// Runs the task. One that runs is left alone; one that was lost is registered again as it was defined.
#[must_use]
pub fn start(manager: &Manager, names: &Names, before: &Service) -> Vec<Step> {
    match (before.installed, before.runtime.status) {
        (Installed::Yes, RuntimeState::Running) => Vec::new(),
        (Installed::Yes, _) => vec![run(manager, names)],
        _ => vec![create(manager, names), run(manager, names)],
    }
}

/// Ends the task and runs it again.
#[must_use]
pub fn restart(manager: &Manager, names: &Names, before: &Service) -> Vec<Step> {
    if before.installed != Installed::Yes {
        return start(manager, names, before);
    }
    let mut steps = end(manager, names);
    steps.push(run(manager, names));
    steps
}

/// Ends the task, if there is one.
#[must_use]
pub fn stop(manager: &Manager, names: &Names, before: &Service) -> Vec<Step> {
    if before.installed == Installed::No { Vec::new() } else { end(manager, names) }
}

/// That a task does not run is a failure for `schtasks`, so its answer is not what counts.
fn end(manager: &Manager, names: &Names) -> Vec<Step> {
    vec![
        Step::Try(manager.schtasks(names, "/End", &[])),
        Step::Gone { call: table(manager, names), sign: Sign::Lacks(RUNS) },
    ]
}

/// Forgets a task that has been ended.
#[must_use]
pub fn remove(manager: &Manager, names: &Names, before: &Service) -> Vec<Step> {
    let delete = Step::Run(manager.schtasks(names, "/Delete", &["/F"]));
    let registered = before.installed != Installed::No;
    registered.then_some(delete).into_iter().chain([Step::Remove(names.task_file.clone())]).collect()
}

fn create(manager: &Manager, names: &Names) -> Step {
    let file = names.task_file.display().to_string();
    Step::Run(manager.schtasks(names, "/Create", &["/F", "/XML", &file]))
}

fn run(manager: &Manager, names: &Names) -> Step {
    Step::Run(manager.schtasks(names, "/Run", &[]))
}
