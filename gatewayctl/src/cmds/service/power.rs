//! `start`, `stop` and `restart` of a service that is installed.

use std::time::Duration;

use super::health::{Answer, Health};
use super::outcome::{Done, Outcome};
use super::site::Site;
use super::wait;
use crate::exit::Failure;
use crate::service::{Installed, Runner, Scope, Service, systemd};
use crate::text::{Line, Style};

/// Starts it, or finds that it serves.
pub async fn start<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Result<Outcome, Failure> {
    let steps = systemd::start(&site.manager, &site.names);
    if site.dry_run {
        return Ok(Outcome::planned(steps));
    }
    site.available().await?;
    let _held = site.lock().await?;
    let before = site.service().await;
    if !is_there(&before) {
        return Ok(not_there(site, before));
    }
    site.take(&steps).await?;
    let service = wait::serving(site, Duration::ZERO).await?;
    let mut outcome = Outcome::new(Done::Started);
    registered(&mut outcome, &service, site);
    runtime(&mut outcome, &service);
    outcome.say(format!("Started systemd service: {}", site.names.unit));
    outcome.service = Some(service);
    Ok(outcome)
}

/// Starts it anew. A restart that was asked for meanwhile by somebody else counts as this one.
pub async fn restart<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Result<Outcome, Failure> {
    let steps = systemd::restart(&site.manager, &site.names);
    if site.dry_run {
        return Ok(Outcome::planned(steps));
    }
    site.available().await?;
    let _held = site.lock().await?;
    let before = site.service().await;
    if !is_there(&before) {
        return Ok(not_there(site, before));
    }
    let joined = before.runtime.state.as_deref() == Some("active")
        && before.runtime.ready_at.is_some_and(|at| at >= site.asked);
    if !joined {
        site.take(&steps).await?;
    }
    let service = wait::serving(site, site.asked).await?;
    let mut outcome = Outcome::new(Done::Restarted);
    runtime(&mut outcome, &service);
    outcome.say(format!("Restarted systemd service: {}", site.names.unit));
    outcome.service = Some(service);
    Ok(outcome)
}

/// Stops it, or finds that it is stopped.
pub async fn stop<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Result<Outcome, Failure> {
    if site.dry_run {
        return Ok(Outcome::planned(systemd::stop(&site.manager, &site.names)));
    }
    site.available().await?;
    let _held = site.lock().await?;
    let before = site.service().await;
    if !is_there(&before) {
        let (_, _, word) = before.manager.words();
        let mut outcome = Outcome::new(Done::NotLoaded);
        outcome.say(format!("Gateway service {word}."));
        outside(site, &before, &mut outcome).await;
        outcome.service = Some(before);
        return Ok(outcome);
    }
    let service = end(site, &before).await?;
    let mut outcome = Outcome::new(Done::Stopped);
    outcome.say(format!("Stopped systemd service: {}", site.names.unit));
    runtime(&mut outcome, &service);
    outside(site, &service, &mut outcome).await;
    outcome.service = Some(service);
    Ok(outcome)
}

/// Stops it and waits until its process is gone. What is left of a failure is cleared, so that it reads as stopped.
pub async fn end<R: Runner, H: Health>(site: &Site<'_, R, H>, before: &Service) -> Result<Service, Failure> {
    site.take(&systemd::stop(&site.manager, &site.names)).await?;
    let service = wait::gone(site, before).await?;
    if service.runtime.state.as_deref() != Some("failed") {
        return Ok(service);
    }
    site.take(&[systemd::clear(&site.manager, &site.names)]).await?;
    Ok(site.service().await)
}

/// A gateway that somebody started by hand is none of the service's business, but it is worth knowing.
async fn outside<R: Runner, H: Health>(site: &Site<'_, R, H>, service: &Service, outcome: &mut Outcome) {
    if let Answer::Serving(pid) = site.health.ask(&site.paths(service)).await {
        let stop = site.app.suggest("shutdown");
        outcome
            .warnings
            .push(format!("A gateway outside of the service still runs (pid {pid}). Stop it with: {stop}"));
    }
}

/// Whether there is such a service, registered or not.
pub fn is_there(service: &Service) -> bool {
    service.command.is_some() || (service.runtime.state.is_some() && !service.runtime.missing_unit)
}

fn not_there<R: Runner, H: Health>(site: &Site<'_, R, H>, service: Service) -> Outcome {
    let (_, _, word) = service.manager.words();
    let mut outcome = Outcome::new(Done::NotLoaded);
    outcome.say(format!("Gateway service {word}."));
    let flag = if site.manager.scope == Scope::System { " --system" } else { "" };
    outcome.hints = vec![
        format!("Start with: {}", site.app.suggest(&format!("install{flag}"))),
        format!("Start with: {}", site.app.suggest_start()),
    ];
    outcome.service = Some(service);
    outcome
}

/// The tutorial's first line: what the manager says of the registration.
pub fn registered<R: Runner, H: Health>(outcome: &mut Outcome, service: &Service, site: &Site<'_, R, H>) {
    let label = service.manager.words().0;
    let line = format!("{label} service {}", service.installed_word());
    if service.installed == Installed::Yes {
        mark(outcome, Style::Good, "✓", &line);
    } else {
        mark(outcome, Style::Warn, "!", &line);
        let command = site.app.suggest("install --force");
        outcome.warnings.push(format!("The service does not start by itself. Mend it with: {command}"));
    }
}

/// The tutorial's second line: what the manager says of the process.
pub fn runtime(outcome: &mut Outcome, service: &Service) {
    let state = service.runtime.state.as_deref().unwrap_or("unknown");
    let good = matches!(state, "active" | "inactive");
    let (style, tick) = if good { (Style::Good, "✓") } else { (Style::Bad, "✗") };
    mark(outcome, style, tick, &format!("service runtime: {state}"));
}

fn mark(outcome: &mut Outcome, style: Style, tick: &str, line: &str) {
    outcome.text.push(Line::default().with(style, tick).with(Style::Plain, format!(" {line}")));
}
