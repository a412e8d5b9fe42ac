//! What the daemon says of itself: whether it answers at all, and which of its parts do not work. A gateway that does
//! not run is no finding here; whoever wants it to run has a service, and that is looked at elsewhere.

use gateway_admin::v1::{PartHealth, PartState};

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{DaemonFacts, Facts};

/// The check.
pub const CHECK: Check = Check { id: "daemon", group: Group::Gateway, title: "running daemon", judge };

/// The store and the configuration have checks of their own.
const ELSEWHERE: [&str; 2] = ["store", "config"];

fn judge(facts: &Facts) -> Judged {
    Ok(match &facts.daemon {
        DaemonFacts::NotRunning => Vec::new(),
        DaemonFacts::Refused(why) => vec![Finding::error(
            why,
            "It can be neither asked nor stopped from here, and no second gateway starts on its port.",
            "Run this command as the user of that gateway.",
        )],
        DaemonFacts::Silent(why) => vec![Finding::error(
            format!("the daemon does not answer: {why}"),
            "Clients hang, and it cannot be asked to stop.",
            format!("Its log may say why: {}", facts.command("logs --level warn")),
        )],
        DaemonFacts::Answered(answers) => {
            let parts = answers.health.parts.iter();
            let mut found: Vec<Finding> = parts.filter_map(|part| judge_part(facts, part)).collect();
            let degraded = answers.status.config.as_ref().map(|config| config.degraded_reason.as_str());
            // A file that is broken now is told of by its own check; this one was corrected and not yet read.
            if let Some(why) = degraded.filter(|why| !why.is_empty() && facts.config.snapshot.valid) {
                found.push(Finding::error(
                    format!("the gateway does not run on the configuration file: {why}"),
                    "Edits of the file are not in force.",
                    facts.command("reload"),
                ));
            }
            found
        }
    })
}

fn judge_part(facts: &Facts, part: &PartHealth) -> Option<Finding> {
    if ELSEWHERE.contains(&part.name.as_str()) {
        return None;
    }
    let fix = format!("Its log may say why: {}", facts.command("logs --level warn"));
    match part.state() {
        PartState::Failed => {
            let finding = format!("part {} does not work: {}", part.name, part.reason);
            Some(Finding::error(finding, "What depends on it is refused.", fix))
        }
        PartState::Degraded => {
            let finding = format!("part {} works with limits: {}", part.name, part.reason);
            Some(Finding::warning(finding, "Something is missing or slower than it should be.", fix))
        }
        _ => None,
    }
}
