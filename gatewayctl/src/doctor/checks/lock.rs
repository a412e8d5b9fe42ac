//! Whether a start would get its locks. A lock is the kernel's, so a dead owner holds none; what can be in the way is
//! another gateway, or a lock folder that is not this user's alone.

use gateway_base::lock_file::Record;

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{DaemonFacts, Facts, quoted};

/// The check.
pub const CHECK: Check = Check { id: "lock", group: Group::Gateway, title: "locks", judge };

fn judge(facts: &Facts) -> Judged {
    let way = &facts.way;
    let mut findings = Vec::new();
    if let Some(why) = &way.locks_unsafe {
        findings.push(Finding::error(
            format!("the folder of the locks, {}, cannot be used: {why}", way.locks.display()),
            "The gateway does not start.",
            format!("Remove it or set TMPDIR: sudo rm -r {}", quoted(&way.locks)),
        ));
    }
    match &facts.daemon {
        DaemonFacts::NotRunning => {
            let owner = way.gateway_lock.as_ref().or(way.state_lock.as_ref()).filter(|owner| !owner.stopping);
            findings.extend(owner.map(|owner| held(facts, owner)));
        }
        DaemonFacts::Answered(answers) => {
            let own = answers.status.process.as_ref().map(|process| process.pid);
            let other = way.state_lock.as_ref().filter(|owner| own.is_some_and(|pid| pid != owner.pid));
            findings.extend(other.map(|owner| {
                Finding::warning(
                    format!("the state folder is held by pid {}, not by the daemon that answers", owner.pid),
                    "What this daemon is told is kept apart, and the other one does not know it.",
                    format!("Stop the one you do not need: kill {}", owner.pid),
                )
            }));
        }
        DaemonFacts::Refused(_) | DaemonFacts::Silent(_) => {}
    }
    Ok(findings)
}

fn held(facts: &Facts, owner: &Record) -> Finding {
    let port = owner.port.map(|port| format!(" on port {port}")).unwrap_or_default();
    Finding::error(
        format!(
            "another gateway, pid {}{port}, holds the lock of {}",
            owner.pid,
            facts.shown(&facts.paths.config)
        ),
        "A gateway started here ends at once with code 69. It is the original, or one that hangs.",
        format!("Stop it: kill {}", owner.pid),
    )
}
