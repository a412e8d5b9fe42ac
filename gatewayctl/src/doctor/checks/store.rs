//! Whether acknowledged state is whole. Only the daemon opens its store (rule R3): a running one is asked, and of a
//! stopped one only the outside of the file is looked at, which proves damage but never soundness.

use gateway_admin::v1::PartState;

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Answers, DaemonFacts, Facts, StoreFacts, Unknown, quoted};

/// The check.
pub const CHECK: Check = Check { id: "store", group: Group::Files, title: "integrity of the store", judge };

const MAGIC: &[u8] = b"SQLite format 3\0";
/// `GWST`, at its place in the header.
const APPLICATION_ID: (usize, [u8; 4]) = (68, *b"GWST");

fn judge(facts: &Facts) -> Judged {
    match &facts.daemon {
        DaemonFacts::Answered(answers) => Ok(answered(facts, answers)),
        DaemonFacts::NotRunning => stopped(facts, &facts.store),
        DaemonFacts::Refused(_) | DaemonFacts::Silent(_) => {
            Err(Unknown("the daemon that has it open cannot be asked".to_owned()))
        }
    }
}

fn answered(facts: &Facts, answers: &Answers) -> Vec<Finding> {
    let Some(store) = &answers.status.store else { return Vec::new() };
    let mut findings = Vec::new();
    // The part of health tells of records in a store that is whole otherwise.
    let part = answers.health.parts.iter().find(|part| part.name == "store");
    let reason = part.map(|part| part.reason.as_str()).unwrap_or_default();
    let devices = unreadable_devices(reason);
    for device in &devices {
        findings.push(Finding::warning(
            format!("the record of device {device} cannot be read"),
            "The device is refused, with its token and without.",
            // A role has to be named; with its record, all of them go.
            facts.command(&format!("devices revoke --device {device} --role operator")),
        ));
    }
    if reason.contains("settings/") {
        findings.push(Finding::error(
            reason,
            "No new device token can be made.",
            format!(
                "Keep a copy of {}, and look at {}",
                facts.shown(&facts.store.path),
                facts.command("logs")
            ),
        ));
    }
    if matches!(store.state(), PartState::Failed | PartState::Degraded) {
        findings.push(Finding::error(
            format!("the store does not work: {}", store.reason),
            "What clients send is not kept, and is answered with an error.",
            format!("{}, then look at {}", facts.command("health"), facts.command("logs --level error")),
        ));
    }
    if !store.moved_aside.is_empty() {
        findings.push(Finding::warning(
            format!("the store was damaged and was moved to {} at this start", store.moved_aside),
            "The gateway began with an empty store: pairings have to be made again.",
            format!(
                "Keep that file: what can be read of it may be recovered. Then pair again: {}",
                facts.command("devices list")
            ),
        ));
    }
    findings
}

/// The devices whose records the store's part names.
fn unreadable_devices(reason: &str) -> Vec<&str> {
    let words = reason.split([' ', ',']).filter_map(|word| word.strip_prefix("devices/"));
    words.filter(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')).collect()
}

fn stopped(facts: &Facts, store: &StoreFacts) -> Judged {
    let path = facts.shown(&store.path);
    let damaged = |why: &str| {
        let consequence = "The next start moves it aside and begins with an empty store.";
        let fix = format!("Copy it away first: cp -a {} ~/", quoted(&store.path));
        Ok(vec![Finding::error(format!("{path}: {why}"), consequence, fix)])
    };
    if let Some(why) = &store.unreadable {
        let fix = format!("ls -l {}", quoted(&store.path));
        let finding = format!("{path} cannot be read: {why}");
        return Ok(vec![Finding::error(finding, "The gateway does not start.", fix)]);
    }
    match store.size {
        None if store.has_log => damaged("the main file is missing, other parts of it are there"),
        None => Ok(Vec::new()),
        Some(0) => damaged("it is empty"),
        Some(_) if !store.header.starts_with(MAGIC) => damaged("it is not a database"),
        Some(_) if !is_ours(&store.header) => damaged("it is not a store of this program"),
        Some(size) if !store.has_log && is_cut(&store.header, size) => damaged("its last page is cut off"),
        Some(_) => {
            let why = "the gateway does not run: the outside of the file is in order, whether its content is whole \
                       only a start can tell";
            Err(Unknown(why.to_owned()))
        }
    }
}

fn is_ours(header: &[u8]) -> bool {
    let (at, id) = APPLICATION_ID;
    header.get(at..at + id.len()) == Some(&id)
}

/// The page size stands at 16 in two bytes, with 1 for 65,536.
fn is_cut(header: &[u8], size: u64) -> bool {
    let Some([high, low]) = header.get(16..18).and_then(|bytes| <[u8; 2]>::try_from(bytes).ok()) else {
        return true;
    };
    let page = match u16::from_be_bytes([high, low]) {
        1 => 65_536,
        page => u64::from(page),
    };
    page == 0 || !size.is_multiple_of(page)
}
