//! Whether time zones can be looked up: a job with a zone needs its rules, and minimal images come without them.

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::Facts;

/// The check.
pub const CHECK: Check = Check { id: "time-zones", group: Group::Machine, title: "time zone data", judge };

fn judge(facts: &Facts) -> Judged {
    let machine = &facts.machine;
    if !machine.has_zones {
        return Ok(vec![Finding::warning(
            "this machine has no time zone data",
            "Times are shown in UTC, and jobs with a time zone cannot be planned.",
            "sudo apt-get install tzdata (or your system's package of that name)",
        )]);
    }
    let unknown = machine.zones.iter().filter(|zone| !zone.is_known);
    let found = unknown.map(|zone| {
        Finding::warning(
            format!("{} is {:?}, which is no time zone this machine knows", zone.of, zone.name),
            "UTC is used instead.",
            "Use a name from: timedatectl list-timezones",
        )
    });
    Ok(found.collect())
}
