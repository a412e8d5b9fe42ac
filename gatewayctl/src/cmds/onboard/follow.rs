//! Brings the new settings into force: through the service, or in a gateway that runs already; and waits until one
//! serves.

use std::time::Duration;

use gateway_admin::v1::ReloadRequest;
use gateway_onboard::answers::Wish;
use tokio::time::{Instant, sleep};

use crate::admin;
use crate::app::App;
use crate::args::{ControlArgs, InstallArgs, ServiceOptions};
use crate::cmds::service::{Answer, Done, Health, Outcome, Request, Socket, perform};
use crate::exit::Failure;

/// How often is asked.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a gateway may take to come back with new settings.
const COME_BACK: Duration = Duration::from_secs(60);
/// How long reading the configuration again may take.
const RELOAD: Duration = Duration::from_secs(30);

/// The gateway of this state folder, as it is now.
pub async fn look(app: &App) -> Answer {
    Socket.ask(&app.paths).await
}

/// Does what is wished with the service, and tells what; nothing when it is left alone. `before` is the gateway as it
/// was before the configuration was written.
pub async fn follow(
    app: &App,
    wish: Wish,
    changed: bool,
    before: Answer,
) -> Result<Option<Outcome>, Failure> {
    let done = match wish {
        Wish::Leave => {
            take_over(app, changed, before).await;
            return Ok(None);
        }
        Wish::Restart => perform(app, Request::Restart(&control())).await,
        Wish::Reinstall => perform(app, Request::Install(&install(true))).await,
        Wish::Install => installed(app, changed, before).await,
    };
    done.map(Some)
}

/// Installs what is not installed, writes again what differs, starts what does not run.
async fn installed(app: &App, changed: bool, before: Answer) -> Result<Outcome, Failure> {
    let outcome = perform(app, Request::Install(&install(false))).await?;
    if outcome.done != Done::AlreadyInstalled {
        return Ok(outcome);
    }
    if !outcome.difference.is_empty() {
        return perform(app, Request::Install(&install(true))).await;
    }
    if look(app).await == Answer::NotYet {
        return perform(app, Request::Start(&control())).await;
    }
    take_over(app, changed, before).await;
    Ok(outcome)
}

/// Lets a gateway that runs take the new settings over, and waits for it when that takes a restart. A gateway that does
/// not answer is not one to wait for; it finds the new file by itself.
async fn take_over(app: &App, changed: bool, before: Answer) {
    let Answer::Serving { started, .. } = before else { return };
    if !changed {
        return;
    }
    let Ok(mut client) = admin::connect(app).await else { return };
    let asked = client.reload(admin::within(ReloadRequest { dry_run: false }, RELOAD)).await;
    if !asked.is_ok_and(|answer| answer.into_inner().restart_scheduled) {
        return;
    }
    let anew = |answer: Answer| matches!(answer, Answer::Serving { started: now, .. } if now > started);
    let wait = until(app, COME_BACK, anew);
    app.out.during("waiting for the gateway to restart with the new settings", wait).await;
}

/// Waits until a gateway serves. Returns whether one does.
pub async fn healthy(app: &App, limit: Duration) -> bool {
    let serves = |answer| matches!(answer, Answer::Serving { .. } | Answer::NotAllowed);
    app.out.during("waiting for the gateway to serve", until(app, limit, serves)).await
}

async fn until(app: &App, limit: Duration, enough: impl Fn(Answer) -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if enough(look(app).await) {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        sleep(AGAIN).await;
    }
}

const fn options() -> ServiceOptions {
    ServiceOptions { system: false, dry_run: false, json: false }
}

const fn control() -> ControlArgs {
    ControlArgs { options: options() }
}

const fn install(force: bool) -> InstallArgs {
    InstallArgs {
        port: None,
        runtime: None,
        token: None,
        force,
        linger: false,
        run_as: None,
        replace_old: false,
        options: options(),
    }
}
