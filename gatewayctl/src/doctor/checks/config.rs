//! Whether the daemon would start with the file, what of it can be repaired without a choice to make, and what is
//! doubtful. The judgement is the daemon's own: the same code reads the file.

use gateway_config::Issue;

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Facts, quoted};
use crate::doctor::repair::Repair;

/// The check.
pub const CHECK: Check =
    Check { id: "config", group: Group::Configuration, title: "configuration file", judge };

fn judge(facts: &Facts) -> Judged {
    let snapshot = &facts.config.snapshot;
    let mut findings: Vec<Finding> = snapshot.issues.iter().map(|issue| broken(facts, issue)).collect();
    findings.extend(snapshot.warnings.iter().map(|issue| {
        let fix = match issue.path.as_str() {
            "" | "meta.lastTouchedVersion" => facts.command("config validate"),
            path => facts.command(&format!("config explain {path}")),
        };
        Finding::warning(issue.to_string(), "The gateway starts; this part of the file does nothing.", fix)
    }));
    Ok(findings)
}

fn broken(facts: &Facts, issue: &Issue) -> Finding {
    let finding = format!("{}: {issue}", facts.shown(&facts.config.snapshot.path));
    // There is a repair only when it leaves no issue, so it answers this one too.
    let repair = facts.config.repair.as_ref();
    let fix = repair.map_or_else(|| by_hand(facts, issue), |_| facts.fix());
    let found = Finding::error(finding, consequence(facts), fix);
    match repair {
        Some(repair) => found.repaired_by(Repair::Config(Box::new(repair.clone()))),
        None => found,
    }
}

fn consequence(facts: &Facts) -> &'static str {
    match (facts.answers(), &facts.config.last_good) {
        (Some(_), _) => {
            "The gateway keeps running on the last good configuration; edits of the file do nothing."
        }
        (None, Some(_)) => "The gateway starts on the last good configuration; edits of the file do nothing.",
        (None, None) => "The gateway does not start.",
    }
}

/// What to do about an issue that only a person can decide.
fn by_hand(facts: &Facts, issue: &Issue) -> String {
    let file = quoted(&facts.config.snapshot.path);
    if let Some(name) = missing_variable(&issue.message) {
        return format!(
            "Set {name} in the environment or in {}.",
            facts.shown(&facts.paths.state.join(".env"))
        );
    }
    if facts.config.snapshot.legacy_issues.contains(issue) {
        return format!("Move it as the line says, then: {}", facts.command("config validate"));
    }
    match (&facts.config.last_good, issue.path.as_str()) {
        (Some(good), "") => {
            format!("Correct the file, or go back to its last good copy: cp {} {file}", quoted(good))
        }
        (None, "") => format!("Correct the file, then: {}", facts.command("config validate")),
        (_, path) => {
            format!(
                "Correct it in the file; what it may be: {}",
                facts.command(&format!("config explain {path}"))
            )
        }
    }
}

fn missing_variable(message: &str) -> Option<&str> {
    message.strip_prefix("Missing env var \"")?.split('"').next()
}
