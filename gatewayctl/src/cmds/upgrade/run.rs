//! The order of an upgrade: find what runs, ask the new program, put it in place, restart, watch, and take it back
//! when it does not serve.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use gateway_base::clock::since_boot;
use tokio::time::timeout;

use super::candidate::{Candidate, is_same, version};
use super::place::{Mark, Place};
use super::target::Target;
use super::worker;
use crate::app::App;
use crate::args::UpgradeArgs;
use crate::cmds::service::{
    Action, Done, Health, Outcome, Site, Socket, late, renew, report, runtime, site_of,
};
use crate::exit::{Exit, Failure};
use crate::service::{Runner, System, lock::Held};

/// How long the version before may take to serve again.
const BACK: Duration = Duration::from_secs(60);

/// Upgrades, in a process of its own.
pub async fn run(app: &App, args: &UpgradeArgs) -> Result<Exit, Failure> {
    if cfg!(windows) {
        // A program that runs cannot be replaced there, and no socket is handed over.
        let why = "Gateway upgrade failed: a program that runs cannot be replaced on Windows";
        let (stop, start) = (app.suggest("stop"), app.suggest("start"));
        return Err(Failure::failed(why).hint(format!("Run: {stop}, replace gatewayd.exe, then: {start}")));
    }
    if !args.options.dry_run && !worker::is_one(app) {
        return worker::employ(app, args).await;
    }
    let mut site = site_of(app, Action::Upgrade, &args.options, &System, &Socket);
    let done = Box::pin(upgrade(&mut site, args)).await;
    report(app, Action::Upgrade, done)
}

async fn upgrade<R: Runner, H: Health>(
    site: &mut Site<'_, R, H>,
    args: &UpgradeArgs,
) -> Result<Outcome, Failure> {
    site.not_with_sudo()?;
    let target = Target::find(site).await?;
    let _held = lock(site, &target).await?;
    let program = target.program();
    let unusable = |error: io::Error| site.failed(&format!("{}: {error}", program.display()));
    let place = Place::new(&program).map_err(unusable)?;
    let binary = match &args.binary {
        Some(binary) => binary.clone(),
        None => kept(site, &place)?,
    };
    let start = target.start(site);
    let candidate = Candidate::new(&binary, &start).await?;
    let from = match target.version(site).await {
        Some(version) => version,
        None => version(&place.program, &start).await.unwrap_or_else(|_| "an unknown version".to_owned()),
    };
    let mark = Mark { from, to: candidate.version.clone() };
    let mut outcome = Outcome::new(Done::Upgraded);
    let is_there = is_same(&candidate.file, &place.program);
    let left = place.mark();
    if let Some(left) = &left {
        let was = format!("An upgrade from {} to {} was cut off before it ended.", left.from, left.to);
        outcome.warnings.push(was);
    }
    if is_there && left.is_none() && mark.from == mark.to {
        outcome.done = Done::AlreadyUpgraded;
        outcome.say(format!("The gateway runs this program already: {}. Nothing was changed.", mark.to));
        return Ok(outcome);
    }
    if args.options.dry_run {
        outcome.done = Done::Planned;
        plan(&mut outcome, &candidate, &place, &target);
        return Ok(outcome);
    }
    if !is_there {
        place
            .put(&candidate.file, &mark)
            .map_err(|error| cannot_replace(site, &candidate, &place, &error))?;
    }
    site.asked = since_boot();
    let done = if target.runs() { restart(site, &target, &mark.to, args.wait).await } else { Ok(()) };
    match done {
        Ok(()) => finish(site, outcome, &target, &place, &mark).await,
        Err(why) => Err(take_back(site, &target, &place, &mark, &why).await),
    }
}

/// One upgrade at a time, and none beside another action on the service.
async fn lock<R: Runner, H: Health>(site: &Site<'_, R, H>, target: &Target) -> Result<Option<Held>, Failure> {
    match target {
        _ if site.dry_run => Ok(None),
        Target::Service(_) => site.lock().await,
        Target::Alone(_) => {
            let held = Held::new(&site.app.paths.state.join("upgrade.lock")).await;
            held.map(Some).map_err(|error| site.failed(&error.to_string()))
        }
    }
}

/// The version that an upgrade kept.
fn kept<R: Runner, H: Health>(site: &Site<'_, R, H>, place: &Place) -> Result<PathBuf, Failure> {
    let previous = place.previous();
    if previous.exists() {
        return Ok(previous);
    }
    let why = format!("there is nothing to go back to: {} does not exist", previous.display());
    Err(site.failed(&why))
}

/// A program of the machine may be root's, while the service is a user's.
fn cannot_replace<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    candidate: &Candidate,
    place: &Place,
    error: &io::Error,
) -> Failure {
    let (new, program) = (candidate.file.display(), place.program.display());
    let failure =
        site.failed(&format!("{program} cannot be replaced: {error}\nThe gateway serves as before."));
    if error.kind() != io::ErrorKind::PermissionDenied {
        return failure;
    }
    let restart = site.app.suggest(&format!("restart{}", site.scope_flag()));
    failure.hint(format!("Run: sudo install -m 755 \"{new}\" \"{program}\" && {restart}"))
}

fn plan(outcome: &mut Outcome, candidate: &Candidate, place: &Place, target: &Target) {
    outcome.say(format!("{} would start: {}", candidate.version, candidate.says));
    outcome.text.say(format!("keep {} as {}", place.program.display(), place.previous().display()));
    outcome.text.say(format!("put {} in its place", candidate.file.display()));
    if target.runs() {
        outcome.text.say("restart the gateway, and take all of it back when it does not serve");
    }
    outcome.message = Some(outcome.text.plain().trim_end().to_owned());
}

/// Restarts and waits until the version that is to serve does. The error says why it does not.
async fn restart<R: Runner, H: Health>(
    site: &mut Site<'_, R, H>,
    target: &Target,
    expected: &str,
    limit: Duration,
) -> Result<(), String> {
    match target {
        Target::Alone(alone) => alone.renew(&site.app.paths, site.health, expected, limit).await,
        Target::Service(before) => {
            site.asked = since_boot();
            match timeout(limit, renew(site, before)).await {
                Ok(Ok(_)) => {}
                Ok(Err(failure)) => return Err(failure.to_string()),
                Err(_) => return Err(late(site, &site.service().await, limit).await.to_string()),
            }
            match target.version(site).await {
                Some(version) if version != expected => {
                    Err(format!("what serves after the restart is {version}"))
                }
                _ => Ok(()),
            }
        }
    }
}

async fn finish<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    mut outcome: Outcome,
    target: &Target,
    place: &Place,
    mark: &Mark,
) -> Result<Outcome, Failure> {
    if let Err(error) = place.done() {
        outcome.warnings.push(format!("the mark of the upgrade cannot be removed: {error}"));
    }
    let mut service = None;
    if let Target::Service(_) = target {
        let now = site.service().await;
        runtime(&mut outcome, &now);
        service = Some(now);
    }
    if target.runs() {
        outcome.say(format!("Upgraded from {} to {}.", mark.from, mark.to));
    } else {
        outcome.done = Done::Replaced;
        outcome.say(format!("Replaced {} by {}. The service is stopped and stays so.", mark.from, mark.to));
    }
    let back = site.app.suggest(&format!("upgrade --rollback{}", site.scope_flag()));
    outcome
        .text
        .say(format!("The version before is kept as {}. Go back with: {back}", place.previous().display()));
    outcome.service = service;
    Ok(outcome)
}

/// Puts the version before back and starts it. The failure says what became of both.
async fn take_back<R: Runner, H: Health>(
    site: &mut Site<'_, R, H>,
    target: &Target,
    place: &Place,
    mark: &Mark,
    why: &str,
) -> Failure {
    // A failure of the service's own has the words already.
    let why = why.strip_prefix("Gateway upgrade failed: ").unwrap_or(why);
    let text = format!("{} does not serve: {why}", mark.to);
    if let Err(error) = place.take_back() {
        let text = format!("{text}\nThe version before cannot be put back: {error}");
        return site.failed(&text).hint(format!("It is kept as {}.", place.previous().display()));
    }
    let revived = match target {
        Target::Service(_) => restart(site, target, &mark.from, BACK).await,
        Target::Alone(alone) => alone.revive(&site.app.paths, site.asked, BACK).await,
    };
    let check = format!("Check: {}", site.app.suggest("status"));
    match revived {
        Ok(()) => {
            // What is left of the mark says no more than that it was taken back.
            let _ = place.done();
            site.failed(&format!("{text}\n{} was put back and serves.", mark.from)).hint(check)
        }
        Err(other) => site.failed(&format!("{text}\n{} was put back, and: {other}", mark.from)).hint(check),
    }
}
