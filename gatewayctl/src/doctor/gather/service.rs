//! What the service manager says, and what this machine says about log-out.

use std::fs;
use std::path::{Path, PathBuf};

use gateway_base::env::Env;
use gateway_base::paths::Paths;

use crate::app::App;
use crate::become_daemon;
use crate::doctor::facts::ServiceFacts;
use crate::service::{self, Command, Manager, Names, Service, System};

/// Where systemd keeps a mark for every user whose services outlive the log-out.
const LINGER: &str = "/var/lib/systemd/linger";

/// Asks the manager; `deep` looks for strangers among the machine's services too.
pub async fn gather(app: &App, deep: bool) -> ServiceFacts {
    let names = Names::new(&app.env, &app.paths);
    let service = service::query(Manager::native(), &names, &app.env, &System).await;
    let command = service.command.as_ref();
    let text = command.and_then(|command| fs::read_to_string(&command.source_path).ok()).unwrap_or_default();
    let program = command.and_then(|command| command.program_arguments.first());
    ServiceFacts {
        audit: service::audit(command, &text, Path::exists),
        extras: service::find_foreign(&names, deep),
        place: command.and_then(|command| place(command, &app.paths.home)),
        program: program.map(|program| real(PathBuf::from(program))),
        own_program: become_daemon::sibling(app.own.as_deref()).map(real),
        lingers: lingers(&app.env, &service),
        unit: names.unit,
        service,
    }
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

fn lingers(env: &Env, service: &Service) -> Option<bool> {
    let has_systemd = service.manager == Manager::Systemd && Path::new("/run/systemd/system").is_dir();
    let user = env.get("USER").or_else(|| env.get("LOGNAME")).filter(|_| has_systemd)?;
    Some(Path::new(LINGER).join(user).exists())
}
