//! One look: gathers the facts, and when something is wrong goes on looking until the silence has lasted as long as it
//! must to count. That time passes on the steady clock inside this process, so no jump of a clock and no sleep of the
//! machine between two looks can make an outage of nothing.

use std::time::Duration;

use gateway_admin::connect::{self, ConnectOptions, Error};
use gateway_admin::endpoint::Endpoint;
use gateway_admin::v1::admin_client::AdminClient;
use gateway_admin::v1::{HealthRequest, PartState, Phase, StatusRequest};
use gateway_base::lock_file::{self, Places};
use gateway_base::paths::Paths;
use tokio::time::{Instant, sleep, timeout};

use super::judge::{Asked, Facts, Lock, judge};
use super::record::{Look, Verdict};
use crate::admin;
use crate::app::App;
use crate::args::LevelArg;
use crate::logfile::{self, Record};
use crate::service::{Control, Names, RuntimeState, Service, System, restarts};
use crate::settings::Settings;

/// How long a gateway may take for one answer.
const LIMIT: Duration = Duration::from_secs(5);
/// The pause between two questions while something is wrong.
const AGAIN: Duration = Duration::from_millis(500);
/// How many of the last lines of a log tell how its gateway ended.
const LAST_LINES: usize = 8;

/// Looks once. `seen` tells whether the gateway was seen running before. The error says that the gateway is another
/// user's.
pub async fn look(app: &App, after: Duration, degraded: bool, seen: bool) -> Result<Look, String> {
    let names = Names::new(&app.env, &app.paths);
    let control = Control::native(names.scope(), &app.env);
    let end = Instant::now() + after;
    loop {
        let facts = gather(app, &control, &names, seen).await;
        if let Asked::Refused(why) = facts.asked {
            return Err(why);
        }
        let verdict = judge(&facts, degraded);
        let troubled = matches!(verdict, Verdict::Trouble(..));
        if troubled && Instant::now() < end {
            sleep(AGAIN.min(end - Instant::now())).await;
            continue;
        }
        let runtime = &facts.service.runtime;
        let restarts = match runtime.status {
            RuntimeState::Unknown => None,
            _ => restarts(&control, &names, runtime, &System).await,
        };
        let pid = match facts.asked {
            Asked::Serving { pid, kept: true, .. } => Some(pid),
            _ => None,
        };
        let last_error = troubled.then(|| last_error(app, &facts.service)).flatten();
        return Ok(Look { verdict, restarts, pid, last_error });
    }
}

async fn gather(app: &App, control: &Control, names: &Names, seen: bool) -> Facts {
    let service = control.query(names, &System).await;
    let (env, paths) = match &service.command {
        Some(command) => command.place(&app.env, &app.paths),
        None => (app.env.clone(), app.paths.clone()),
    };
    let lock = lock(&Places::new(&env), &paths);
    let asked = ask(&paths).await;
    let vanished = seen && asked == Asked::Nobody && lock == Lock::Free && ends_badly(app, &paths);
    Facts { asked, service, lock, vanished }
}

fn lock(places: &Places, paths: &Paths) -> Lock {
    let path = places.gateway(&paths.config);
    match lock_file::owner(&path) {
        Some(owner) => Lock::Held { pid: owner.pid, leaving: owner.stopping },
        None if path.exists() => Lock::LeftBehind,
        None => Lock::Free,
    }
}

async fn ask(paths: &Paths) -> Asked {
    let endpoint = Endpoint::find(&paths.state);
    let channel = match connect::connect(&endpoint, ConnectOptions { wait: Duration::ZERO }).await {
        Ok(channel) => channel,
        Err(Error::NotRunning { .. }) => return Asked::Nobody,
        Err(error @ (Error::Refused { .. } | Error::Foreign { .. })) => {
            return Asked::Refused(error.to_string());
        }
        Err(_) => return Asked::Silent,
    };
    let mut client = AdminClient::new(channel);
    let status = timeout(LIMIT, client.status(admin::within(StatusRequest {}, LIMIT))).await;
    let status = match status {
        Ok(Ok(status)) => status.into_inner(),
        Ok(Err(status)) if status.code() == tonic::Code::PermissionDenied => {
            return Asked::Refused(status.message().to_owned());
        }
        // It may have ended between the connection and the question; the next one tells.
        _ => return Asked::Silent,
    };
    let pid = status.process.as_ref().map_or(0, |process| process.pid);
    match status.phase() {
        Phase::Draining | Phase::Stopping => Asked::Leaving,
        Phase::Serving => {
            let health = timeout(LIMIT, client.health(admin::within(HealthRequest {}, LIMIT))).await;
            let Ok(Ok(health)) = health else { return Asked::Silent };
            let parts = health.into_inner().parts;
            let bad = parts.iter().find(|part| part.state() == PartState::Failed);
            let bad = bad.or_else(|| parts.iter().find(|part| part.state() == PartState::Degraded));
            let missing = bad.map(|part| {
                let word = if part.state() == PartState::Failed { "failed" } else { "degraded" };
                format!("its {} is {word}: {}", part.name, part.reason)
            });
            Asked::Serving { pid, kept: status.supervised, missing }
        }
        _ => Asked::Starting(pid),
    }
}

fn log_file(app: &App, paths: &Paths) -> std::path::PathBuf {
    Settings::load(paths, &app.env).log_file(paths)
}

/// Whether the last lines of the log hold an error: a gateway that ends in order has nothing to complain about.
fn ends_badly(app: &App, paths: &Paths) -> bool {
    let lines = logfile::tail(&log_file(app, paths), 64 * 1024).unwrap_or_default().lines;
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].iter().filter_map(|line| Record::parse(line));
    last.into_iter().any(|record| record.level.is_some() && record.is_at_least(Some(LevelArg::Error)))
}

fn last_error(app: &App, service: &Service) -> Option<String> {
    let paths = match &service.command {
        Some(command) => command.place(&app.env, &app.paths).1,
        None => app.paths.clone(),
    };
    let errors = paths.state.join("logs").join("gateway.err.log");
    logfile::last_error(&[errors.as_path(), log_file(app, &paths).as_path()])
}
