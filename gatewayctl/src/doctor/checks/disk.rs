//! Whether there is room to write. A full disk stops every acknowledgement.

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Disk, Facts, Unknown, quoted};

/// The check.
pub const CHECK: Check = Check { id: "disk", group: Group::Machine, title: "disk space", judge };

const MIB: u64 = 1024 * 1024;
/// Below this nothing larger than a message can be relied on.
const FULL: u64 = 100 * MIB;
/// Below this it is time to make room.
const LOW: u64 = 1024 * MIB;
const FEW_FILES: u64 = 1_000;

fn judge(facts: &Facts) -> Judged {
    let Some(disks) = &facts.machine.disks else {
        return Err(Unknown("this system does not tell".to_owned()));
    };
    Ok(disks.iter().filter_map(|disk| judge_disk(facts, disk)).collect())
}

fn judge_disk(facts: &Facts, disk: &Disk) -> Option<Finding> {
    let folder = facts.shown(&disk.folder);
    let free = disk.free / MIB;
    let fix = format!("Make room; what takes it: du -xh {} | sort -h | tail", quoted(&disk.folder));
    // A small volume is not low for being small.
    let low = LOW.min(disk.total / 20);
    if disk.free < FULL.min(disk.total / 50) {
        let finding = format!("{free} MiB are free for {folder}");
        return Some(Finding::error(
            finding,
            "The store soon takes nothing more, and clients get errors.",
            fix,
        ));
    }
    if disk.free < low {
        let finding = format!("{free} MiB are free for {folder}");
        return Some(Finding::warning(finding, "The store and the log grow; without room both stop.", fix));
    }
    let files = disk.files.filter(|files| *files < FEW_FILES)?;
    let finding = format!("only {files} more files can be made for {folder}");
    Some(Finding::warning(finding, "The store cannot make its files, although there is room.", fix))
}
