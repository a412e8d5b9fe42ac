//! Whether the port is free for a gateway that does not run, and whether a running one is where its clients look.

use gateway_base::paths::DEV_PORT;

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Answers, DaemonFacts, Facts};
use crate::ports::{PortReport, PortStatus};

/// The check.
pub const CHECK: Check = Check { id: "port", group: Group::Gateway, title: "port", judge };

fn judge(facts: &Facts) -> Judged {
    let report = &facts.way.port;
    let mut findings = Vec::new();
    match &facts.daemon {
        DaemonFacts::Answered(answers) => findings.extend(elsewhere(facts, answers, report.port)),
        DaemonFacts::NotRunning if report.status == PortStatus::Busy && !is_of_service(facts, report) => {
            findings.push(taken(facts, report));
        }
        DaemonFacts::NotRunning | DaemonFacts::Refused(_) | DaemonFacts::Silent(_) => {}
    }
    if report.port < 1024 && facts.uid.is_some_and(|uid| uid != 0) && facts.answers().is_none() {
        findings.push(Finding::warning(
            format!("port {} is below 1024", report.port),
            "Most systems keep such ports for root, and the gateway does not start.",
            facts.command("config set gateway.port 18789"),
        ));
    }
    Ok(findings)
}

/// Whether the installed service has it, which works in other places than this shell.
fn is_of_service(facts: &Facts, report: &PortReport) -> bool {
    let pid = facts.service.service.runtime.pid;
    let mut holders = report.listeners.iter().map(|listener| Some(listener.pid));
    pid.is_some() && holders.len() > 0 && holders.all(|holder| holder == pid)
}

fn taken(facts: &Facts, report: &PortReport) -> Finding {
    let port = report.port;
    let free = facts.command(&format!("config set gateway.port {}", port.checked_add(1).unwrap_or(18789)));
    let Some(holder) = report.listeners.first() else {
        let finding = format!("port {port} is taken by another user's process");
        return Finding::error(finding, "The gateway does not start.", format!("sudo ss -ltnp, or {free}"));
    };
    if holder.keeps {
        return Finding::error(
            format!(
                "port {port} is kept by {} (pid {}) for a service or a socket unit",
                holder.command, holder.pid
            ),
            "A gateway that is started by hand does not start; the service it is kept for does.",
            format!("systemctl list-sockets, systemctl --user list-sockets, or {free}"),
        );
    }
    let name = holder.command_line.as_deref().unwrap_or(&holder.command);
    Finding::error(
        format!("port {port} is taken by pid {} ({name})", holder.pid),
        "The gateway does not start.",
        format!("Stop it: kill {}, or {free}", holder.pid),
    )
}

fn elsewhere(facts: &Facts, answers: &Answers, wanted: u16) -> Option<Finding> {
    let port_of =
        |url: &str| url.rsplit_once(':').and_then(|(_, port)| port.trim_end_matches('/').parse::<u16>().ok());
    let ports: Vec<u16> =
        answers.status.listeners.iter().filter_map(|listener| port_of(&listener.url)).collect();
    let first = ports.first().filter(|_| !ports.contains(&wanted))?;
    let is_dev = facts.paths.profile.as_ref().is_some_and(|profile| profile.name() == "dev");
    let says = if is_dev && wanted == DEV_PORT { "the dev profile" } else { "the configuration" };
    let pid = answers.status.process.as_ref().map(|process| process.pid);
    let processes = facts.way.processes.iter().flatten();
    let words = processes.filter(|process| Some(process.pid) == pid).flat_map(|it| it.command.split(' '));
    let has = |flags: &[&str]| {
        words.clone().any(|word| flags.contains(&word.split('=').next().unwrap_or_default()))
    };
    // A restart in place takes the same words again.
    let fix = if has(&["--port"]) {
        format!("Start it without --port: {}, then start it again", facts.command("shutdown"))
    } else if is_dev && has(&["--dev"]) {
        // Only with the word behind it does --dev mean the port of the profile too.
        format!("{} && gatewayd --dev gateway", facts.command("shutdown"))
    } else {
        facts.command("shutdown --restart")
    };
    Some(Finding::warning(
        format!("the gateway listens on port {first}, and {says} says {wanted}"),
        "Clients that go by it do not find the gateway.",
        fix,
    ))
}
