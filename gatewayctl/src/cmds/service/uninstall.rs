//! `uninstall`: stops the service, removes what `install` wrote, and keeps the state unless it is asked to go too.

use std::path::Path;

use super::alarm;
use super::health::Health;
use super::outcome::{Done, Outcome};
use super::power::{can_end, end};
use super::purge;
use super::site::Site;
use super::wait;
use crate::args::UninstallArgs;
use crate::exit::Failure;
use crate::service::{Runner, RuntimeState, Service, systemd};

/// Uninstalls it.
pub async fn uninstall<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    args: &UninstallArgs,
) -> Result<Outcome, Failure> {
    let path = site.control.file(&site.names);
    let noun = site.control.kind().noun();
    if site.dry_run {
        return planned(site, args).await;
    }
    site.available().await?;
    let held = site.lock().await?;
    let before = site.service().await;
    let purge = purge_of(site, args, &before)?;
    let outcome = if can_end(&before) || site.control.is_linked(&site.names) {
        if can_end(&before) {
            end(site, &before).await?;
        }
        site.take(&site.control.remove(&site.names, &before)).await?;
        let service = wait::forgotten(site).await?;
        let mut outcome = Outcome::new(Done::Uninstalled);
        outcome.say(format!("Removed {noun}: {}", path.display()));
        outcome.service = Some(service);
        outcome
    } else {
        let mut outcome = Outcome::new(Done::NotLoaded);
        outcome.say(format!("{} not found at {}", capital(noun), path.display()));
        outcome.service = Some(before);
        outcome
    };
    let mut outcome = outcome;
    alarm::clear(site, &mut outcome).await?;
    let outcome = finish(site, purge, outcome, &systemd::drop_ins(&path))?;
    if let Some(held) = held {
        held.remove();
    }
    Ok(outcome)
}

fn finish<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    purge: Option<purge::Purge>,
    mut outcome: Outcome,
    drop_ins: &Path,
) -> Result<Outcome, Failure> {
    // What its owner wrote beside the service is not ours to remove.
    if drop_ins.exists() {
        outcome.warnings.push(format!("Your own settings for the service stay: {}", drop_ins.display()));
    }
    if let Some(purge) = purge {
        let state = purge.state().display().to_string();
        purge.run().map_err(|error| site.failed(&error.to_string()))?;
        outcome.say(format!("Removed state: {state}"));
    }
    Ok(outcome)
}

async fn planned<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    args: &UninstallArgs,
) -> Result<Outcome, Failure> {
    let before = site.service().await;
    let mut all = Vec::new();
    if !is_absent(&before) {
        all = site.control.stop(&site.names, &before);
    }
    if !is_absent(&before) || site.control.is_linked(&site.names) {
        all.extend(site.control.remove(&site.names, &before));
    }
    all.extend(alarm::removal(site).await);
    let mut outcome = Outcome::planned(all);
    if args.purge {
        let state = site.paths(&before).state;
        outcome.hints.push(format!("The state folder would be removed: {}", state.display()));
    }
    Ok(outcome)
}

/// Whether there is certainly no such service, so that nothing would be done about it. One that cannot be asked about
/// may be there.
pub fn is_absent(service: &Service) -> bool {
    service.runtime.status != RuntimeState::Unknown && !can_end(service)
}

fn purge_of<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    args: &UninstallArgs,
    before: &Service,
) -> Result<Option<purge::Purge>, Failure> {
    if !args.purge {
        return Ok(None);
    }
    let purge = purge::Purge::new(site.paths(before), &site.app.env, before.runtime.pid);
    purge.map(Some).map_err(|error| site.failed(&error.to_string()).hint("Nothing was changed."))
}

fn capital(noun: &str) -> String {
    let mut letters = noun.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
