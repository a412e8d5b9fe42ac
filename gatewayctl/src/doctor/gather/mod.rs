//! Finds out what the checks judge. Nothing here changes anything, and the store is never opened.

mod access;
mod config;
mod daemon;
mod files;
mod logs;
mod machine;
mod service;
mod store;
mod upgrade;
mod way;

use gateway_base::profile::Profile;

use super::facts::{DaemonFacts, Facts};
use crate::app::App;

/// Looks at everything; `deep` also at the services of the machine.
pub async fn gather(app: &App, deep: bool) -> Facts {
    let config = config::gather(app);
    let daemon = daemon::ask(app).await;
    let port = way::port(app, &config);
    let has_no_owner = matches!(daemon, DaemonFacts::NotRunning);
    let service = service::gather(app, port, deep).await;
    Facts {
        paths: app.paths.clone(),
        words: app.words,
        now: app.clock.now(),
        files: files::gather(&app.paths, &config),
        uid: files::own_user(),
        store: store::gather(&app.paths, has_no_owner),
        upgrade: upgrade::gather(&service, &daemon),
        service,
        way: way::gather(app, port),
        access: access::gather(&app.paths, &app.env, &app.clock),
        machine: machine::gather(&app.paths, &app.env, &config),
        logs: logs::gather(&app.paths, &config),
        config,
        daemon,
    }
}

/// The profile that these words of a command name; nothing when they name none that can be.
fn profile_of(words: &[String]) -> Option<Option<Profile>> {
    let glued = words.iter().find_map(|word| word.strip_prefix("--profile="));
    let next = || words.iter().skip_while(|word| *word != "--profile").nth(1).map(String::as_str);
    Profile::from_options(words.iter().any(|word| word == "--dev"), glued.or_else(next)).ok()
}
