//! Every check is silent where nothing is wrong, and speaks in at least one situation.

use std::path::PathBuf;

use gateway_admin::v1::{Config, PartHealth, PartState};

use super::ALL;
use crate::doctor::check::{Finding, Judged, Level};
use crate::doctor::facts::testing::healthy;
use crate::doctor::facts::{DaemonFacts, Facts};
use crate::doctor::repair::Repair;

/// A check, what is wrong, how bad that is, and words of the finding.
type Case = (&'static str, fn(&mut Facts), Level, &'static str);

const ERROR: Level = Level::Error;
const WARNING: Level = Level::Warning;

const CASES: &[Case] = &[
    ("config", |f| f.configured("{gateway: {mode: 'local', prot: 1}}"), ERROR, "did you mean"),
    ("config", |f| f.configured("{gateway: {token: 't'}}"), ERROR, "gateway.token is ignored"),
    ("config", |f| f.configured("{gateway: {port: 'door'}}"), ERROR, "gateway.port: Invalid input"),
    ("config", |f| f.configured("{gateway: {mode: 'local',"), ERROR, "JSON5 parse failed"),
    ("config", |f| f.configured("{session: {mainKey: 'x'}}"), WARNING, "session.mainKey is ignored"),
    ("mode", |f| stopped(f, "{}"), ERROR, "gateway.mode is not set"),
    ("mode", |f| stopped(f, "{gateway: {mode: 'remote'}}"), ERROR, "gateway.remote.url is not set"),
    ("permissions", |f| file(f, 1, 0o640, 1000), ERROR, "clawdbot.json is open to others (mode 640)"),
    ("permissions", |f| file(f, 0, 0o755, 1000), WARNING, "~/.clawdbot is open to others (mode 755)"),
    ("permissions", |f| file(f, 1, 0o600, 0), ERROR, "belongs to user 0"),
    ("store", |f| store_state(f, PartState::Failed, ""), ERROR, "the store does not work: why"),
    ("store", |f| store_state(f, PartState::Serving, "/s.bad"), WARNING, "was moved to /s.bad"),
    ("store", |f| store(f, 0, b""), ERROR, "it is empty"),
    ("store", |f| store(f, 9, b"nonsense"), ERROR, "it is not a database"),
    ("store", |f| store(f, 4096, &header(b"NOPE")), ERROR, "not a store of this program"),
    ("store", |f| store(f, 4097, &header(b"GWST")), ERROR, "its last page is cut off"),
    ("daemon", |f| f.daemon = DaemonFacts::Refused("not yours".to_owned()), ERROR, "not yours"),
    ("daemon", |f| f.daemon = DaemonFacts::Silent("late".to_owned()), ERROR, "does not answer: late"),
    ("daemon", |f| part(f, PartState::Failed), ERROR, "part log does not work: full"),
    ("daemon", |f| part(f, PartState::Degraded), WARNING, "part log works with limits: full"),
    ("daemon", |f| f.answers_mut().status.config = Some(degraded()), ERROR, "invalid config: x"),
];

fn judge(id: &str, facts: &Facts) -> Judged {
    let check = ALL.iter().find(|check| check.id == id).expect("there is such a check");
    (check.judge)(facts)
}

fn found(id: &str, facts: &Facts) -> Vec<Finding> {
    judge(id, facts).expect("can be judged")
}

#[test]
fn nothing_is_said_where_nothing_is_wrong() {
    let facts = healthy();
    for check in ALL {
        assert_eq!((check.judge)(&facts), Ok(Vec::new()), "{}", check.id);
    }
}

#[test]
fn every_check_speaks_and_says_what_to_do() {
    for (id, spoil, level, words) in CASES {
        let mut facts = healthy();
        spoil(&mut facts);
        let found = found(id, &facts);
        let one = found.iter().find(|one| one.finding.contains(words));
        let one = one.unwrap_or_else(|| panic!("{id}: {words}: {found:#?}"));
        assert_eq!(one.level, *level, "{id}: {words}");
        assert!(!one.consequence.is_empty() && !one.fix.is_empty(), "{one:?}");
    }
    for check in ALL {
        assert!(CASES.iter().any(|(id, ..)| *id == check.id), "{} has no case", check.id);
        assert_eq!(ALL.iter().filter(|other| other.id == check.id).count(), 1, "{} is there twice", check.id);
    }
}

#[test]
fn what_can_be_repaired_says_so() {
    let mut facts = healthy();
    facts.configured("{gateway: {mode: 'local', prot: 1}}");
    let one = found("config", &facts).remove(0);
    assert_eq!(one.fix, "gatewayctl doctor --fix");
    assert!(matches!(one.repair, Some(Repair::Config(_))));
    file(&mut facts, 0, 0o755, 1000);
    let one = found("permissions", &facts).remove(0);
    assert_eq!(one.repair, Some(Repair::Mode { path: PathBuf::from("/home/you/.clawdbot"), mode: 0o700 }));
    facts.configured("{gateway: {port: 'door'}}");
    let one = found("config", &facts).remove(0);
    assert_eq!((one.repair, one.fix.contains("config explain gateway.port")), (None, true));
}

#[test]
fn a_stopped_store_that_looks_sound_is_unknown_not_well() {
    let mut facts = healthy();
    store(&mut facts, 8192, &header(b"GWST"));
    assert!(judge("store", &facts).expect_err("only a start can tell").0.contains("only a start can tell"));
    facts.daemon = DaemonFacts::Silent("no answer".to_owned());
    assert!(judge("store", &facts).is_err());
}

fn stopped(facts: &mut Facts, config: &str) {
    facts.configured(config);
    facts.daemon = DaemonFacts::NotRunning;
}

fn file(facts: &mut Facts, index: usize, mode: u32, uid: u32) {
    let file = &mut facts.files.as_mut().expect("there are files")[index];
    (file.mode, file.uid) = (mode, uid);
}

fn store_state(facts: &mut Facts, state: PartState, moved_aside: &str) {
    let store = facts.answers_mut().status.store.as_mut().expect("there is a store");
    store.set_state(state);
    store.reason = "why".to_owned();
    store.moved_aside = moved_aside.to_owned();
}

fn part(facts: &mut Facts, state: PartState) {
    let part = PartHealth { name: "log".to_owned(), reason: "full".to_owned(), ..PartHealth::default() };
    facts.answers_mut().health.parts = vec![PartHealth { state: state.into(), ..part }];
}

fn degraded() -> Config {
    Config { degraded_reason: "invalid config: x".to_owned(), ..Config::default() }
}

fn store(facts: &mut Facts, size: u64, header: &[u8]) {
    facts.daemon = DaemonFacts::NotRunning;
    facts.store.size = Some(size);
    facts.store.header = header.to_vec();
}

fn header(application: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 100];
    header[..16].copy_from_slice(b"SQLite format 3\0");
    header[16..18].copy_from_slice(&4096_u16.to_be_bytes());
    header[68..72].copy_from_slice(application);
    header
}
