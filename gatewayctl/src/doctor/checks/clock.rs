//! Whether the clock can be right: it is not before this program was built, not before the gateway's own files, and
//! the same as the daemon's.

use gateway_admin::time;
use gateway_base::clock::{UnixMs, iso_utc};

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::Facts;

/// The check.
pub const CHECK: Check = Check { id: "clock", group: Group::Machine, title: "clock", judge };

const DAY_MS: UnixMs = 86_400_000;
/// File systems and networks round; a minute is no fault.
const SLACK_MS: UnixMs = 60_000;

fn judge(facts: &Facts) -> Judged {
    let now = facts.now;
    let fix = "timedatectl set-ntp true";
    let mut findings = Vec::new();
    let wrong =
        "Signatures, certificates and timers go by it: clients are refused and jobs run at wrong times.";
    // The day of the build has no time zone, so the day before is well.
    if let Some(built) = facts.machine.built.filter(|built| now < built - DAY_MS) {
        let finding =
            format!("the clock says {}, before this program was built ({})", iso_utc(now), iso_utc(built));
        findings.push(Finding::error(finding, wrong, fix));
    } else if let Some((path, written)) = facts.machine.newest.as_ref().filter(|(_, at)| now < at - SLACK_MS)
    {
        let finding =
            format!("{} was written at {}, and it is {}", facts.shown(path), iso_utc(*written), iso_utc(now));
        findings.push(Finding::warning(
            finding,
            "The clock was set back; timers may wait or run twice.",
            fix,
        ));
    }
    let process = facts.answers().and_then(|answers| answers.status.process.as_ref());
    let started = process.and_then(|process| process.started_at.as_ref()).map(time::unix_ms);
    if let Some(started) = started.filter(|started| now < started - SLACK_MS) {
        let finding = format!("the daemon was started at {}, and it is {}", iso_utc(started), iso_utc(now));
        findings.push(Finding::warning(
            finding,
            "The clock was set back since; timers may wait or run twice.",
            fix,
        ));
    }
    Ok(findings)
}
