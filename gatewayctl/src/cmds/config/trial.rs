//! The commands on a change that waits to be confirmed. The daemon watches over it, because the terminal that made the
//! change may be what it cuts off. Only taking it back also works without a daemon.

use std::path::Path;
use std::time::Duration;

use gateway_admin::connect::Error as SocketError;
use gateway_admin::details::Reason;
use gateway_admin::time;
use gateway_admin::v1::{ApplyConfigRequest, ConfigTrial, ConfirmConfigRequest, RevertConfigRequest};
use gateway_config::write::{self, Writer};
use tonic::Status;

use super::change::{self, Changed, report};
use super::edit::refused;
use crate::admin;
use crate::app::App;
use crate::exit::{Exit, Failure};

/// How long the daemon may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

/// Puts a file in force until it is confirmed or its time is up.
pub async fn apply(app: &App, file: &Path, within: Duration) -> Result<Exit, Failure> {
    let text = change::read(file)?;
    let mut client = match admin::connect(app).await {
        Ok(client) => client,
        Err(SocketError::NotRunning { .. }) => return Err(nobody_to_watch(app)),
        Err(error) => return Err(admin::connect_failure(app, &error)),
    };
    let request = ApplyConfigRequest { text, confirm_within: Some(time::duration(within)) };
    let answer = app.out.during("applying the config", client.apply_config(admin::within(request, ANSWER)));
    let answer = answer.await.map_err(|status| failure(app, &status))?.into_inner();
    let trial = answer.trial.unwrap_or_default();
    let changed = Changed {
        restart_required: answer.restart_scheduled,
        confirm_within_ms: Some(left_ms(&trial)),
        ..changed(app, "apply", trial)
    };
    report(app, &changed, "The new config is on trial")
}

/// Keeps the change.
pub async fn confirm(app: &App) -> Result<Exit, Failure> {
    let mut client = admin::require(app).await.map_err(|failure| match write::trial(&app.paths) {
        Ok(Some(_)) => failure.hint("When it starts, it takes the unconfirmed config change back."),
        Ok(None) | Err(_) => failure,
    })?;
    let answer = client.confirm_config(admin::within(ConfirmConfigRequest {}, ANSWER)).await;
    let answer = answer.map_err(|status| failure(app, &status))?.into_inner();
    report(app, &changed(app, "confirm", answer.trial.unwrap_or_default()), "The config change is kept")
}

/// Takes the change back that waits to be confirmed; without one, goes back to the newest copy.
pub async fn rollback(app: &App) -> Result<Exit, Failure> {
    if write::trial(&app.paths).ok().flatten().is_none() {
        return change::rollback(app, 1);
    }
    match admin::connect(app).await {
        Ok(mut client) => {
            let answer = client.revert_config(admin::within(RevertConfigRequest {}, ANSWER)).await;
            let answer = answer.map_err(|status| failure(app, &status))?.into_inner();
            let changed = Changed {
                restart_required: answer.restart_scheduled,
                ..changed(app, "rollback", answer.trial.unwrap_or_default())
            };
            report(app, &changed, "The config change is taken back")
        }
        Err(SocketError::NotRunning { .. }) => {
            let writer = Writer::new(app.paths.clone(), app.env.clone());
            let done = writer.take_back().map_err(|error| refused(app, error))?;
            let keys = done.as_ref().map(|done| done.trial.changed.clone()).unwrap_or_default();
            let trial = ConfigTrial { changed: keys, ..ConfigTrial::default() };
            let copy = done.and_then(|done| done.copy);
            let changed = Changed { copy, ..changed(app, "rollback", trial) };
            report(app, &changed, "The config change is taken back")
        }
        Err(error) => Err(admin::connect_failure(app, &error)),
    }
}

fn changed(app: &App, action: &'static str, trial: ConfigTrial) -> Changed {
    Changed {
        ok: true,
        action,
        path: app.paths.config.clone(),
        changed: trial.changed,
        restart_required: false,
        restarts_itself: true,
        copy: None,
        confirm_within_ms: None,
    }
}

fn left_ms(trial: &ConfigTrial) -> u64 {
    let left = trial.left.as_ref().and_then(time::length).unwrap_or_default();
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
}

fn nobody_to_watch(app: &App) -> Failure {
    let message = "The gateway is not running, so nothing would take the change back. Nothing was written.";
    let start = app.suggest_start();
    Failure::new(Exit::NotRunning, message)
        .hint(format!("Start it first: {start}\nOr apply for good, without --confirm-within."))
}

fn failure(app: &App, status: &Status) -> Failure {
    let failure = admin::call_failure(app, status);
    match Reason::of(status) {
        Some(Reason::ConfigTrial) => {
            failure.hint(format!("What became of the last change: {}", app.suggest("logs --level warn")))
        }
        Some(Reason::ConfigInvalid) => failure.hint("The config in force is the one from before."),
        _ => failure,
    }
}
