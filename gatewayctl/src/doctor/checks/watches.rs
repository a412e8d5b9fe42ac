//! Whether files can be watched: the gateway takes over a changed configuration by itself only then at once.

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Facts, Unknown};

/// The check.
pub const CHECK: Check = Check { id: "watches", group: Group::Machine, title: "file watches", judge };

const ENOUGH: u64 = 8_192;

fn judge(facts: &Facts) -> Judged {
    let Some(watches) = &facts.machine.watches else {
        return Err(Unknown("this system does not tell".to_owned()));
    };
    if let Some(why) = &watches.refused {
        return Ok(vec![Finding::warning(
            format!("no more files can be watched: {why}"),
            "A changed configuration is noticed late, by looking again and again.",
            "sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288",
        )]);
    }
    let low = watches.limit.filter(|limit| *limit < ENOUGH);
    let found = low.map(|limit| {
        Finding::warning(
            format!("each user may watch {limit} files"),
            "Editors and other programs use them up, and then a changed configuration is noticed late.",
            "sudo sysctl fs.inotify.max_user_watches=524288",
        )
    });
    Ok(found.into_iter().collect())
}
