//! Whether the log stays small. The gateway rotates its own file; what grows beyond that is written by somebody else,
//! such as a service that sends its errors to a file.

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Facts, quoted};

/// The check.
pub const CHECK: Check = Check { id: "log", group: Group::Files, title: "size of the log", judge };

const MIB: u64 = 1024 * 1024;
/// The gateway begins a new file at 10 MiB.
const LARGE: u64 = 64 * MIB;
const HUGE: u64 = 1024 * MIB;
/// All of them together: eight of the gateway's, and as much again.
const ALL: u64 = 256 * MIB;

fn judge(facts: &Facts) -> Judged {
    let mut findings = Vec::new();
    for (path, size) in facts.logs.iter().filter(|(_, size)| *size > LARGE) {
        let finding = format!("{} has {} MiB", facts.shown(path), size / MIB);
        let fix = format!("truncate -s 0 {}", quoted(path));
        let consequence = "Nothing rotates it; it grows until the disk is full.";
        findings.push(if *size > HUGE {
            Finding::error(finding, consequence, fix)
        } else {
            Finding::warning(finding, consequence, fix)
        });
    }
    let total: u64 = facts.logs.iter().map(|(_, size)| size).sum();
    if findings.is_empty() && total > ALL {
        let folder = facts.paths.state.join("logs");
        findings.push(Finding::warning(
            format!("the log files have {} MiB together", total / MIB),
            "Old ones are not removed; they grow until the disk is full.",
            format!("Remove old ones: ls -lS {}", quoted(&folder)),
        ));
    }
    Ok(findings)
}
