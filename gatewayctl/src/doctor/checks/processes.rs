//! Gateways that were left behind: a process that uses this state folder and is neither the daemon that answers nor
//! the holder of a lock.

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Facts, Unknown};

/// The check.
pub const CHECK: Check = Check { id: "processes", group: Group::Gateway, title: "leftover processes", judge };

/// One that is just starting has no lock yet.
const STARTING_SECONDS: u64 = 30;

fn judge(facts: &Facts) -> Judged {
    let way = &facts.way;
    let Some(processes) = &way.processes else {
        return Err(Unknown("this system does not show what processes use".to_owned()));
    };
    let daemon =
        facts.answers().and_then(|answers| answers.status.process.as_ref()).map(|process| process.pid);
    let locks = way.gateway_lock.iter().chain(&way.state_lock).chain(&way.other_locks).map(|lock| lock.pid);
    let known: Vec<u32> = daemon.into_iter().chain(locks).collect();
    let left = processes.iter().filter(|process| {
        !known.contains(&process.pid) && process.age_seconds.is_none_or(|age| age >= STARTING_SECONDS)
    });
    let found = left.map(|process| {
        Finding::warning(
            format!(
                "pid {} is a gateway that holds no lock and does not answer: {}",
                process.pid, process.command
            ),
            "It may hold the port or files, and two gateways disagree about one state.",
            format!("If you do not know it: kill {}", process.pid),
        )
    });
    Ok(found.collect())
}
