//! Whether the installed service is what would be installed, runs, and is the only one. What is compared with the file
//! that an install would write is in `differences`.

use std::path::Path;

use crate::doctor::check::{Check, Finding, Group, Judged, Level};
use crate::doctor::facts::{Facts, ServiceFacts, Unknown};
use crate::service::{self, Command, Installed, Manager, RuntimeState, Scope};

/// The check.
pub const CHECK: Check = Check { id: "service", group: Group::Service, title: "installed service", judge };

fn judge(facts: &Facts) -> Judged {
    let about = &facts.service;
    let strangers = about.extras.iter().map(|extra| {
        Finding::warning(
            format!("another service looks like a gateway: {} ({})", extra.label, extra.detail),
            "Two gateways take the port from each other at every start.",
            format!("If it is one: systemctl --user disable --now {}", extra.label),
        )
    });
    let older = about.older.iter().map(|extra| {
        Finding::warning(
            format!("an older service of this gateway is there: {} ({})", extra.label, extra.detail),
            "Two gateways take the port from each other at every start.",
            facts.command("install --replace-old"),
        )
    });
    let rivals = about.rivals.iter().map(|extra| {
        Finding::warning(
            format!("the service of another profile names the same port: {} ({})", extra.label, extra.detail),
            "Only one of the two starts, and which one is chance at every start of the machine.",
            facts.command("install --force --port N"),
        )
    });
    let mut findings: Vec<Finding> = strangers.chain(older).chain(rivals).collect();
    let Some(command) = &about.service.command else {
        return match about.service.manager {
            Manager::Systemd => Ok(findings),
            manager => Err(Unknown(format!("this release does not ask {}", manager.words().0))),
        };
    };
    findings.extend(about.audit.issues.iter().map(|issue| {
        let level = match issue.level {
            service::Level::Aggressive => Level::Error,
            service::Level::Recommended => Level::Warning,
        };
        let detail = issue.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        let consequence = match level {
            Level::Error => "The service does not start the gateway.",
            Level::Warning => "It may start too early, too often, or with the wrong programs.",
        };
        Finding::new(level, format!("{}{detail}", issue.message), consequence, rewrite(facts))
    }));
    findings.extend(differences(facts, command));
    findings.extend(state(facts, about));
    Ok(findings)
}

/// What the service's file says otherwise than this controller would.
fn differences(facts: &Facts, command: &Command) -> Vec<Finding> {
    let about = &facts.service;
    let mut findings = Vec::new();
    let mut differs = |finding: String, consequence: &str| {
        findings.push(Finding::warning(finding, consequence, rewrite(facts)));
    };
    if let Some((first, more)) = about.drift.as_deref().and_then(<[String]>::split_first) {
        let rest = if more.is_empty() { String::new() } else { format!(" and {} more lines", more.len()) };
        let finding = format!("the service's file is not the one that would be installed: {first}{rest}");
        differs(finding, "It lacks what newer releases do for the service.");
    }
    if let (Some(program), Some(own)) = (&about.program, &about.own_program)
        && program != own
    {
        let finding = format!("the service runs {}, not {}", program.display(), own.display());
        differs(finding, "After an update the old gateway keeps running.");
    }
    if let Some(place) = &about.place {
        let pairs: [(&str, &Path, &Path); 2] = [
            ("configuration file", &place.config, &facts.paths.config),
            ("state folder", &place.state, &facts.paths.state),
        ];
        for (what, theirs, ours) in pairs.into_iter().filter(|(_, theirs, ours)| theirs != ours) {
            let finding = format!(
                "the service's {what} is {}, this shell's is {}",
                facts.shown(theirs),
                facts.shown(ours)
            );
            differs(finding, "What is set from this shell does nothing for the service.");
        }
    }
    if let Some(port) = command.port().filter(|port| *port != facts.way.port.port) {
        let finding =
            format!("the service's file names port {port}, the configuration {}", facts.way.port.port);
        differs(finding, "Clients that read the configuration look at the wrong port.");
    }
    let in_environment = ["CLAWDBOT_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_PASSWORD"]
        .into_iter()
        .find(|name| command.environment.contains_key(*name));
    let in_arguments = ["--token", "--password"].into_iter().find(|name| argument(command, name).is_some());
    if let Some(name) = in_environment.or(in_arguments) {
        let finding = format!("the service's file holds a secret ({name})");
        differs(
            finding,
            "Backups and other users can read it there, and it outlives a change of the secret.",
        );
    }
    findings
}

fn state(facts: &Facts, about: &ServiceFacts) -> Vec<Finding> {
    let runtime = &about.service.runtime;
    let unit = &about.unit;
    if service::is_unavailable(runtime) {
        let why = runtime.detail.as_deref().unwrap_or("unknown");
        return vec![Finding::warning(
            format!("the service manager cannot be asked: {why}"),
            "Whether the service runs is not known, and it cannot be started from here.",
            about.mend.join(" "),
        )];
    }
    let mut findings = Vec::new();
    if about.service.installed == Installed::No {
        findings.push(Finding::warning(
            format!("{unit} is there and not enabled"),
            "The gateway does not come back after a restart of the machine.",
            rewrite(facts),
        ));
    }
    let failed = runtime.last_exit_status.filter(|status| *status != 0);
    if let Some(status) = failed.filter(|_| runtime.status == RuntimeState::Stopped) {
        findings.push(Finding::error(
            format!("the service is stopped; its last run ended with {status}"),
            "The gateway does not run.",
            format!(
                "{}; its log may say why: {}",
                facts.command("start"),
                facts.command("logs --level warn")
            ),
        ));
    }
    findings
}

/// How to make the file what it should be.
fn rewrite(facts: &Facts) -> String {
    let command = match facts.service.service.scope {
        Scope::User => facts.command("install --force"),
        Scope::System => format!("sudo {}", facts.command("install --system --force")),
    };
    match &facts.service.drop_ins {
        Some(folder) => {
            format!("{command} (what you wrote in {} stays and counts more)", facts.shown(folder))
        }
        None => command,
    }
}

/// The value of an option among the service's arguments.
fn argument<'a>(command: &'a Command, name: &str) -> Option<&'a str> {
    let words = &command.program_arguments;
    let glued = words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    glued.or_else(|| words.iter().skip_while(|word| *word != name).nth(1).map(String::as_str))
}
