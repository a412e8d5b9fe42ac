//! What the service manager says, how the service's file differs from the one that would be installed, and whether it
//! outlives the log-out.

use std::fs;
use std::path::{Path, PathBuf};

use gateway_base::account::Account;
use gateway_base::env::Env;
use gateway_base::paths::Paths;

use crate::app::App;
use crate::cmds::service::program;
use crate::doctor::facts::ServiceFacts;
use crate::service::systemd::missing::{self, Commands, Surroundings};
use crate::service::systemd::{self, linger};
use crate::service::{self, Command, Control, Manager, Names, Parts, Scope, Service, Spec, System};

/// Asks the manager; `deep` looks for strangers among the machine's services too. `port` is the one that a gateway
/// started from here would take.
pub async fn gather(app: &App, port: u16, deep: bool) -> ServiceFacts {
    let names = Names::new(&app.env, &app.paths);
    let service = Control::native(names.scope(), &app.env).query(&names, &System).await;
    let command = service.command.as_ref();
    let text = command.and_then(|command| service::read_file(&command.source_path)).unwrap_or_default();
    let named = command.and_then(|command| command.program_arguments.first());
    let own = program::daemon(app.own.as_deref(), &app.env);
    let older = service::old::find(service.manager, &names, service.scope, app.paths.profile.as_ref());
    let wanted = command.and_then(Command::port);
    let mut rivals = service::old::siblings(service.manager, &names);
    rivals.retain(|rival| Some(rival.port) == wanted);
    let drift = match &own {
        Some(program) if can_compare(&service) => drift(app, &names, program, port, &text).await,
        _ => None,
    };
    let drop_ins = command.map(|command| systemd::drop_ins(&command.source_path));
    ServiceFacts {
        drop_ins: drop_ins.filter(|folder| folder.is_dir()),
        audit: service::audit(service.manager, command, &text, Path::exists),
        drift,
        rivals: rivals.iter().map(service::old::Old::extra).collect(),
        older: older.iter().map(service::old::Old::extra).collect(),
        extras: service::find_foreign(&names, deep),
        mend: mend(app, &service),
        place: command.and_then(|command| place(command, &app.paths.home)),
        program: named.map(|program| real(PathBuf::from(program))),
        own_program: own.map(real),
        lingers: lingers(&service).await,
        unit: names.unit,
        service,
    }
}

/// A service of the machine runs as a user who may be another one, so this shell does not know what it should be.
fn can_compare(service: &Service) -> bool {
    service.manager == Manager::Systemd && service.scope == Scope::User && service.command.is_some()
}

async fn drift(app: &App, names: &Names, program: &Path, port: u16, installed: &str) -> Option<Vec<String>> {
    let scope = Scope::User;
    let (paths, env) = (&app.paths, &app.env);
    let spec =
        Spec::new(Parts { manager: Manager::Systemd, scope, names, paths, env, program, port, user: None });
    let manager = systemd::Manager::new(scope, env);
    let text = systemd::unit_text(&manager, &spec, &System).await.ok()?;
    Some(service::difference(installed, &text))
}

fn mend(app: &App, service: &Service) -> Vec<String> {
    let systemd = service.manager == Manager::Systemd && service.command.is_some();
    let Some(said) = service.runtime.detail.as_deref().filter(|_| systemd) else {
        return Vec::new();
    };
    let commands = Commands {
        again: &app.suggest("status"),
        linger: Some(&app.suggest("install --linger")),
        system: &app.suggest("install --system"),
        supervise: &format!("{} --supervise", app.suggest_start()),
    };
    missing::mend(service.scope, said, &Surroundings::look(&app.env), commands)
}

fn real(path: PathBuf) -> PathBuf {
    fs::canonicalize(&path).unwrap_or(path)
}

/// A service begins with nothing but the home folder; this shell's variables are not its own.
fn place(command: &Command, home: &Path) -> Option<Paths> {
    let mut env = Env::from_pairs([("HOME", home.display().to_string())]);
    for (name, value) in &command.environment {
        env.set(name, value.clone());
    }
    super::profile_of(&command.program_arguments).and_then(|profile| Paths::resolve(&env, profile).ok())
}

/// Asked only when there is a service that it matters for.
async fn lingers(service: &Service) -> Option<bool> {
    if !can_compare(service) {
        return None;
    }
    linger::is_on(&Account::own()?.name, &System).await
}
