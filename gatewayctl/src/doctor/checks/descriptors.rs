//! Whether the gateway can open enough files: each client takes one, and the default of many systems is too low
//! (rule R33).

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Facts, Unknown};

/// The check.
pub const CHECK: Check = Check { id: "descriptors", group: Group::Machine, title: "open files", judge };

const ENOUGH: u64 = 4_096;

fn judge(facts: &Facts) -> Judged {
    let process = facts.answers().and_then(|answers| answers.status.process.as_ref());
    let fix = "Raise the limit: LimitNOFILE=65536 in the service, or ulimit -n in the shell that starts it";
    let consequence = "New clients are refused, and files cannot be opened.";
    if let Some(process) = process.filter(|process| process.open_files_limit > 0) {
        let (open, limit) = (process.open_files, process.open_files_limit);
        if open >= limit / 10 * 9 {
            let finding = format!("the daemon has {open} files open, of {limit} it may have");
            return Ok(vec![Finding::error(finding, consequence, fix)]);
        }
        if limit < ENOUGH {
            let finding = format!("the daemon may have {limit} files open");
            return Ok(vec![Finding::warning(finding, "A few hundred clients use them up.", fix)]);
        }
        return Ok(Vec::new());
    }
    let Some(own) = facts.machine.descriptors else {
        return Err(Unknown("this system does not tell".to_owned()));
    };
    let low = own.hard.filter(|hard| *hard < ENOUGH);
    let found = low.map(|hard| {
        let finding = format!("a gateway started from here may have {hard} files open");
        Finding::warning(finding, "A few hundred clients use them up.", fix)
    });
    Ok(found.into_iter().collect())
}
