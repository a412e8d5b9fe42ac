//! `start`, `stop` and `restart` of a service that is installed.

use super::health::{Answer, Health};
use super::outcome::{Done, Outcome};
use super::site::Site;
use super::wait::{self, Since};
use crate::exit::Failure;
use crate::service::{Control, Installed, Runner, RuntimeState, Service};
use crate::text::{Line, Style};

/// Starts it, or finds that it serves.
pub async fn start<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Result<Outcome, Failure> {
    if site.dry_run {
        return Ok(Outcome::planned(site.control.start(&site.names, &site.service().await)));
    }
    site.available().await?;
    let _held = site.lock().await?;
    let before = site.service().await;
    if !is_there(&before) {
        return Ok(not_there(site, before).await);
    }
    site.take(&site.control.start(&site.names, &before)).await?;
    let service = wait::serving(site, Since::Ever).await?;
    let mut outcome = Outcome::new(Done::Started);
    registered(&mut outcome, &service, site);
    runtime(&mut outcome, &service);
    outcome.say(line("Started", site));
    outcome.service = Some(service);
    Ok(outcome)
}

/// Starts it anew. A restart that was asked for meanwhile by somebody else counts as this one.
pub async fn restart<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Result<Outcome, Failure> {
    if site.dry_run {
        let before = site.service().await;
        if renews_itself(site, &before).await {
            let mut outcome = Outcome::planned(Vec::new());
            outcome.say("ask the gateway to restart in place");
            return Ok(outcome);
        }
        return Ok(Outcome::planned(site.control.restart(&site.names, &before)));
    }
    site.available().await?;
    let _held = site.lock().await?;
    let before = site.service().await;
    if !is_there(&before) {
        return Ok(not_there(site, before).await);
    }
    let joined = before.runtime.status == RuntimeState::Running
        && wait::ready_at(site, &before).await.is_some_and(|at| at >= site.asked);
    let service = if joined { before } else { renew(site, &before).await? };
    let mut outcome = Outcome::new(Done::Restarted);
    runtime(&mut outcome, &service);
    outcome.say(line("Restarted", site));
    outcome.service = Some(service);
    Ok(outcome)
}

/// Puts a new process, or a new image of the same one, in the place of the old, with the listening sockets open all the
/// time. systemd keeps them itself. launchd does not, so there a gateway that answers restarts in place.
pub async fn renew<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    before: &Service,
) -> Result<Service, Failure> {
    if renews_itself(site, before).await && site.health.renew(&site.paths(before)).await {
        return wait::serving(site, Since::Renewed(site.asked)).await;
    }
    site.announce(before).await;
    site.ease_out(before).await;
    site.take(&site.control.restart(&site.names, before)).await?;
    wait::serving(site, Since::after(site.asked, before)).await
}

/// Whether the service's own process can be asked to restart in place.
async fn renews_itself<R: Runner, H: Health>(site: &Site<'_, R, H>, before: &Service) -> bool {
    matches!(site.control, Control::Launchd(_))
        && matches!(site.health.ask(&site.paths(before)).await,
            Answer::Serving { pid, .. } if before.runtime.pid == Some(pid))
}

/// Stops it, or finds that it is stopped.
pub async fn stop<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Result<Outcome, Failure> {
    if site.dry_run {
        return Ok(Outcome::planned(site.control.stop(&site.names, &site.service().await)));
    }
    site.available().await?;
    let _held = site.lock().await?;
    let before = site.service().await;
    if !can_end(&before) {
        let (_, _, word) = before.manager.words();
        let mut outcome = Outcome::new(Done::NotLoaded);
        outcome.say(format!("Gateway service {word}."));
        outcome.warnings.extend(site.outside(&site.paths(&before)).await);
        outcome.service = Some(before);
        return Ok(outcome);
    }
    let service = end(site, &before).await?;
    let mut outcome = Outcome::new(Done::Stopped);
    outcome.say(line("Stopped", site));
    runtime(&mut outcome, &service);
    outcome.warnings.extend(site.outside(&site.paths(&service)).await);
    outcome.service = Some(service);
    Ok(outcome)
}

/// `Stopped LaunchAgent: gui/501/com.clawdbot.gateway`.
fn line<R: Runner, H: Health>(did: &str, site: &Site<'_, R, H>) -> String {
    format!("{did} {}: {}", site.control.kind().noun(), site.control.name(&site.names))
}

/// Stops it and waits until its process is gone. What is left of a failure is cleared, so that it reads as stopped.
pub async fn end<R: Runner, H: Health>(site: &Site<'_, R, H>, before: &Service) -> Result<Service, Failure> {
    site.ease_out(before).await;
    site.take(&site.control.stop(&site.names, before)).await?;
    let service = wait::gone(site, before).await?;
    if service.runtime.state.as_deref() != Some("failed") {
        return Ok(service);
    }
    site.take(&site.control.clear(&site.names)).await?;
    Ok(site.service().await)
}

/// Whether there is such a service, registered or not.
pub fn is_there(service: &Service) -> bool {
    service.command.is_some() || (service.runtime.state.is_some() && !service.runtime.missing_unit)
}

/// Whether there is something to stop: such a service, or a process of one whose file somebody removed.
pub fn can_end(service: &Service) -> bool {
    let knows = service.runtime.status != RuntimeState::Unknown;
    is_there(service) || (knows && !service.runtime.is_at_rest())
}

async fn not_there<R: Runner, H: Health>(site: &Site<'_, R, H>, service: Service) -> Outcome {
    let (_, _, word) = service.manager.words();
    let mut outcome = Outcome::new(Done::NotLoaded);
    outcome.say(format!("Gateway service {word}."));
    let flag = site.scope_flag();
    outcome.hints = vec![
        format!("Start with: {}", site.app.suggest(&format!("install{flag}"))),
        format!("Start with: {}", site.app.suggest_start()),
    ];
    outcome.warnings.extend(site.outside(&site.paths(&service)).await);
    outcome.service = Some(service);
    outcome
}

/// The tutorial's first line: what the manager says of the registration.
pub fn registered<R: Runner, H: Health>(outcome: &mut Outcome, service: &Service, site: &Site<'_, R, H>) {
    let line = format!("{} {}", service.manager.noun(), service.installed_word());
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
    let state = service.runtime_word();
    let good = matches!(state, "active" | "inactive" | "running" | "stopped");
    let (style, tick) = if good { (Style::Good, "✓") } else { (Style::Bad, "✗") };
    mark(outcome, style, tick, &format!("service runtime: {state}"));
}

fn mark(outcome: &mut Outcome, style: Style, tick: &str, line: &str) {
    outcome.text.push(Line::default().with(style, tick).with(Style::Plain, format!(" {line}")));
}
