//! Every check is silent where nothing is wrong, and speaks in at least one situation.

use gateway_admin::time;
use gateway_admin::v1::{Build, Config, Listener, PartHealth, PartState, Process};
use gateway_base::lock_file::Record;
use gateway_base::paths::Paths;
use gateway_base::secret::Secret;
use gateway_wire::types::devices::{DevicePairListResult, DevicePending, DeviceTokenSummary, PairedDevice};

use super::ALL;
use crate::cmds::testing::as_on_unix;
use crate::cmds::upgrade::Mark;
use crate::doctor::check::{Finding, Judged, Level};
use crate::doctor::facts::testing::{NOW, healthy};
use crate::doctor::facts::{
    CutOff, DaemonFacts, Descriptors, Disk, Facts, FileFact, FileKind, Process as Leftover, Watches, Zone,
};
use crate::doctor::repair::Repair;
use crate::ports::PortListener;
use crate::service::{self, Extra, Installed, Runtime, RuntimeState, Scope};

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
    (
        "permissions",
        |f| (f.uid, f.files) = (Some(0), Some(of_root(f))),
        ERROR,
        "user 0, and the gateway is of user 1000",
    ),
    (
        "permissions",
        |f| f.files.as_mut().expect("files").extend(transcripts()),
        WARNING,
        "9 files are open to others",
    ),
    ("store", |f| store_state(f, PartState::Failed, ""), ERROR, "the store does not work: why"),
    ("store", |f| store_state(f, PartState::Serving, "/s.bad"), WARNING, "was moved to /s.bad"),
    ("store", |f| unread(f, "devices/ab-1, devices/c"), WARNING, "the record of device ab-1 cannot be read"),
    ("store", |f| unread(f, "settings/device-token-key"), ERROR, "settings/device-token-key"),
    ("store", |f| store(f, 0, b""), ERROR, "it is empty"),
    ("store", |f| store(f, 9, b"nonsense"), ERROR, "it is not a database"),
    ("store", |f| store(f, 4096, &header(b"NOPE")), ERROR, "not a store of this program"),
    ("store", |f| store(f, 4097, &header(b"GWST")), ERROR, "its last page is cut off"),
    ("daemon", |f| f.daemon = DaemonFacts::Refused("not yours".to_owned()), ERROR, "not yours"),
    ("daemon", |f| f.daemon = DaemonFacts::Silent("late".to_owned()), ERROR, "does not answer: late"),
    ("daemon", |f| part(f, PartState::Failed), ERROR, "part log does not work: full"),
    ("daemon", |f| part(f, PartState::Degraded), WARNING, "part log works with limits: full"),
    ("daemon", |f| f.answers_mut().status.config = Some(degraded()), ERROR, "invalid config: x"),
    ("bind", |f| stopped(f, "{gateway: {bind: 'custom'}}"), ERROR, "customBindHost is no address"),
    ("bind", |f| stopped(f, "{gateway: {bind: '10.9.9.9'}}"), ERROR, "does not have"),
    ("bind", |f| f.configured("{gateway: {bind: 'tailnet'}}"), WARNING, "no tailnet address"),
    ("bind", |f| f.access.in_container = true, WARNING, "loopback inside a container"),
    ("token", |f| f.configured("{}"), WARNING, "there is no gateway token"),
    ("token", |f| f.configured("{gateway: {auth: {mode: 'token'}}}"), ERROR, "but no token is set"),
    ("token", |f| f.configured("{gateway: {auth: {token: 'changeme'}}}"), WARNING, "easy to guess"),
    ("token", |f| stopped(f, "{gateway: {bind: 'lan', auth: {token: 'x1'}}}"), ERROR, "easy to guess"),
    ("token", |f| stopped(f, "{gateway: {auth: {password: 'pw'}}}"), WARNING, "password is easy to guess"),
    ("token", |f| f.access.env_token = Some(Secret::new("x")), WARNING, "is not gateway.auth.token"),
    ("exposure", |f| listens(f, "ws://192.168.1.5:18789", "none"), ERROR, "takes everybody"),
    ("exposure", |f| listens(f, "ws://192.168.1.5:18789", "token"), WARNING, "is not encrypted"),
    ("exposure", |f| stopped(f, "{gateway: {bind: 'lan'}}"), ERROR, "there is no token or password"),
    ("exposure", |f| stopped(f, &lan("")), WARNING, "without encryption"),
    ("exposure", |f| stopped(f, &lan(OPEN_PAGE)), ERROR, "dangerouslyDisableDeviceAuth is on"),
    ("proxies", |f| f.configured("{gateway: {trustedProxies: ['0.0.0.0/0']}}"), ERROR, "everybody is"),
    ("proxies", |f| f.configured("{gateway: {trustedProxies: ['10.0.0.1']}}"), WARNING, "this machine only"),
    ("proxies", |f| stopped(f, &lan("trustedProxies: ['8.8.8.8'],")), WARNING, "a public address"),
    ("tailscale", |f| stopped(f, &tailscale("serve", "")), ERROR, "there is no tailscale program"),
    ("tailscale", |f| stopped(f, &tailscale("serve", "bind: 'lan',")), ERROR, "needs gateway.bind loopback"),
    ("tailscale", |f| stopped(f, &tailscale("funnel", "")), ERROR, "auth.mode is not password"),
    (
        "tailscale",
        |f| stopped(f, &lan("tailscale: {mode: 'off'},").replace("auth: {", "auth: {allowTailscale: true,")),
        WARNING,
        "allowTailscale is on",
    ),
    ("devices", |f| f.access.identity.damaged = Some("cut".to_owned()), ERROR, "device key is of no use"),
    (
        "devices",
        |f| (f.access.identity.id, f.access.identity.tokens_of) = (text("a"), text("b")),
        WARNING,
        "another device key",
    ),
    ("devices", |f| pending(f), WARNING, "Ada's phone asks to be let in"),
    ("devices", |f| paired(f, |d| d.tokens = Some(vec![revoked()])), WARNING, "all its tokens are revoked"),
    ("devices", |f| paired(f, |d| (d.role, d.roles) = (None, None)), WARNING, "approved for no role"),
    ("devices", |f| paired(f, |d| d.scopes = Some(Vec::new())), WARNING, "may do nothing"),
    (
        "nodes",
        |f| paired(f, |d| (d.role, d.platform) = (text("node"), text("iOS 19"))),
        WARNING,
        "on another machine",
    ),
    (
        "nodes",
        |f| f.configured("{gateway: {nodes: {allowCommands: ['a'], denyCommands: ['a']}}}"),
        WARNING,
        "node command a",
    ),
    ("disk", |f| disk(f, |d| d.free = 1 << 20), ERROR, "1 MiB are free"),
    ("disk", |f| disk(f, |d| d.free = 500 << 20), WARNING, "500 MiB are free"),
    ("disk", |f| disk(f, |d| d.files = Some(3)), WARNING, "only 3 more files"),
    ("clock", |f| f.now = 0, ERROR, "before this program was built"),
    ("clock", |f| f.machine.newest = Some(("/x".into(), NOW + 3_600_000)), WARNING, "/x was written at"),
    ("clock", |f| started(f, NOW + 3_600_000), WARNING, "the daemon was started at"),
    ("descriptors", |f| open_files(f, 1_000, 1_024), ERROR, "1000 files open, of 1024"),
    ("descriptors", |f| open_files(f, 10, 1_024), WARNING, "may have 1024 files open"),
    ("descriptors", |f| f.machine.descriptors = Some(Descriptors { hard: Some(256) }), WARNING, "256 files"),
    ("watches", |f| watches(f).refused = text("no space"), WARNING, "no more files can be watched"),
    ("watches", |f| watches(f).limit = Some(100), WARNING, "may watch 100 files"),
    ("time-zones", |f| f.machine.has_zones = false, WARNING, "no time zone data"),
    ("time-zones", |f| f.machine.zones = vec![zone()], WARNING, "Mars/Olympus"),
    ("log", |f| f.logs.push(("/var/gw.err.log".into(), 2 << 30)), ERROR, "/var/gw.err.log has 2048 MiB"),
    ("log", |f| f.logs = vec![("/l".into(), 100 << 20)], WARNING, "/l has 100 MiB"),
    ("log", |f| f.logs = vec![("/l".into(), 60 << 20); 5], WARNING, "300 MiB together"),
    ("service", |f| f.service.extras = vec![stranger()], WARNING, "my-bot.service"),
    ("service", |f| f.service.older = vec![stranger()], WARNING, "an older service"),
    ("service", |f| f.service.rivals = vec![stranger()], WARNING, "another profile names the same port"),
    (
        "service",
        |f| f.service.drift = Some(vec!["- A=1".into(), "+ A=2".into()]),
        WARNING,
        "- A=1 and 1 more",
    ),
    ("service", |f| f.service.audit.issues = vec![missing()], ERROR, "program does not exist"),
    ("service", |f| f.service.program = Some("/old/gatewayd".into()), WARNING, "runs /old/gatewayd"),
    ("service", |f| place(f).state = "/elsewhere".into(), WARNING, "state folder is /elsewhere"),
    ("service", |f| place(f).config = "/c.json".into(), WARNING, "configuration file is /c.json"),
    ("service", |f| unit(f).program_arguments.push("--port=19001".into()), WARNING, "names port 19001"),
    (
        "service",
        |f| unit(f).program_arguments.extend(["--token".into(), "t".into()]),
        WARNING,
        "a secret (--token)",
    ),
    ("service", |f| unit_env(f, "CLAWDBOT_GATEWAY_TOKEN"), WARNING, "a secret (CLAWDBOT_GATEWAY_TOKEN)"),
    ("service", |f| f.service.service.installed = Installed::No, WARNING, "not enabled"),
    ("service", |f| f.service.service.runtime = ended(78), ERROR, "ended with 78"),
    (
        "service",
        |f| f.service.service.runtime = Runtime::unknown("systemctl not available"),
        WARNING,
        "cannot be asked",
    ),
    ("linger", |f| f.service.lingers = Some(false), WARNING, "linger is off"),
    ("version", |f| f.answers_mut().status.protocol_version = 9, ERROR, "speaks protocol 9"),
    ("version", |f| f.answers_mut().status.build = Some(old()), WARNING, "the daemon is 0.0.1"),
    ("upgrade", |f| f.upgrade = Some(cut_off()), WARNING, "/usr/bin/gatewayd from 1 to 2 did not end"),
    ("port", |f| f.daemon = DaemonFacts::NotRunning, ERROR, "another user's process"),
    ("port", |f| taken(f), ERROR, "taken by pid 7 (node x.js)"),
    ("port", |f| f.way.port.port = 19001, WARNING, "listens on port 18789"),
    ("port", |f| low_port(f), WARNING, "below 1024"),
    ("lock", |f| f.way.locks_unsafe = text("it is no folder"), ERROR, "it is no folder"),
    (
        "lock",
        |f| (f.daemon, f.way.gateway_lock) = (DaemonFacts::NotRunning, Some(owner(7))),
        ERROR,
        "pid 7 on port 5",
    ),
    ("lock", |f| (process(f).pid, f.way.state_lock) = (1, Some(owner(7))), WARNING, "held by pid 7"),
    ("processes", |f| f.way.processes = Some(vec![leftover()]), WARNING, "pid 7 is a gateway"),
];

const OPEN_PAGE: &str = "controlUi: {dangerouslyDisableDeviceAuth: true},";

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
        let one = found.iter().find(|one| as_on_unix(&one.finding).contains(words));
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
    assert_eq!(one.repair, Some(Repair::Modes(vec![(facts.paths.state.clone(), 0o700)])));
    facts.configured("{gateway: {port: 'door'}}");
    let one = found("config", &facts).remove(0);
    assert_eq!((one.repair, one.fix.contains("config explain gateway.port")), (None, true));
}

#[test]
fn a_remedy_does_not_keep_the_gateway_from_starting() {
    let mut facts = healthy();
    facts.access.in_container = true;
    stopped(&mut facts, &tailscale("serve", ""));
    assert_eq!(found("bind", &facts), Vec::new(), "Tailscale takes loopback and nothing else");
}

#[test]
fn a_stopped_store_that_looks_sound_is_unknown_not_well() {
    let mut facts = healthy();
    store(&mut facts, 8192, &header(b"GWST"));
    assert!(judge("store", &facts).expect_err("only a start can tell").0.contains("only a start can tell"));
    facts.daemon = DaemonFacts::Silent("no answer".to_owned());
    assert!(judge("store", &facts).is_err());
}

#[test]
fn drop_ins_are_named_where_an_install_would_not_help() {
    let mut facts = healthy();
    place(&mut facts).state = "/srv/state".into();
    assert_eq!(found("service", &facts)[0].fix, "gatewayctl install --force");
    facts.service.drop_ins = Some(facts.paths.home.join("x.service.d"));
    assert!(as_on_unix(&found("service", &facts)[0].fix).contains("what you wrote in ~/x.service.d stays"));
}

#[test]
fn the_port_of_a_service_that_works_elsewhere_is_not_taken() {
    let mut facts = healthy();
    taken(&mut facts);
    facts.service.service.runtime.pid = Some(7);
    assert!(found("port", &facts).is_empty());
    facts.way.port.listeners[0].pid = 8;
    assert_eq!(found("port", &facts).len(), 1);
}

fn stopped(facts: &mut Facts, config: &str) {
    facts.configured(config);
    facts.daemon = DaemonFacts::NotRunning;
}

fn file(facts: &mut Facts, index: usize, mode: u32, uid: u32) {
    let file = &mut facts.files.as_mut().expect("there are files")[index];
    (file.mode, file.uid) = (mode, uid);
}

/// The files of somebody's gateway, one of which root made.
fn of_root(facts: &Facts) -> Vec<FileFact> {
    let mut files = facts.files.clone().expect("there are files");
    files[1].uid = 0;
    files
}

fn transcripts() -> Vec<FileFact> {
    let file =
        |n| FileFact { path: format!("/t/{n}").into(), kind: FileKind::Private, mode: 0o644, uid: 1000 };
    (0..9).map(file).collect()
}

fn store_state(facts: &mut Facts, state: PartState, moved_aside: &str) {
    let store = facts.answers_mut().status.store.as_mut().expect("there is a store");
    store.set_state(state);
    store.reason = "why".to_owned();
    store.moved_aside = moved_aside.to_owned();
}

fn unread(facts: &mut Facts, names: &str) {
    let reason = format!("stored records cannot be read and are left as they are: {names}");
    let part = PartHealth { name: "store".to_owned(), reason, ..PartHealth::default() };
    facts.answers_mut().health.parts = vec![PartHealth { state: PartState::Degraded.into(), ..part }];
}

fn lan(more: &str) -> String {
    format!("{{gateway: {{bind: 'lan', {more} auth: {{token: '8c1f02d97ae34b56a0d1c9e47b3f6258'}}}}}}")
}

fn tailscale(mode: &str, more: &str) -> String {
    format!(
        "{{gateway: {{{more} tailscale: {{mode: '{mode}'}}, auth: {{token: '8c1f02d97ae34b56a0d1c9e47b3f6258'}}}}}}"
    )
}

fn listens(facts: &mut Facts, url: &str, auth: &str) {
    let status = &mut facts.answers_mut().status;
    status.listeners = vec![Listener { url: url.to_owned(), ..Listener::default() }];
    status.auth_mode = auth.to_owned();
}

#[allow(clippy::unnecessary_wraps, reason = "the fields it is for are optional")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn pending(facts: &mut Facts) {
    let request = DevicePending { display_name: text("Ada's phone"), ..DevicePending::default() };
    facts.answers_mut().devices = Ok(DevicePairListResult { pending: vec![request], paired: Vec::new() });
}

/// One working device, spoiled.
fn paired(facts: &mut Facts, spoil: impl FnOnce(&mut PairedDevice)) {
    let value = serde_json::json!({
        "deviceId": "d", "publicKey": "k", "role": "operator", "roles": ["operator"], "scopes": ["operator.read"],
        "createdAtMs": 1, "approvedAtMs": 1,
    });
    let mut device: PairedDevice = serde_json::from_value(value).expect("is a device");
    spoil(&mut device);
    facts.answers_mut().devices = Ok(DevicePairListResult { pending: Vec::new(), paired: vec![device] });
}

fn revoked() -> DeviceTokenSummary {
    let (role, scopes) = ("operator".to_owned(), Vec::new());
    DeviceTokenSummary {
        role,
        scopes,
        created_at_ms: 1,
        rotated_at_ms: None,
        revoked_at_ms: Some(2),
        last_used_at_ms: None,
    }
}

fn disk(facts: &mut Facts, spoil: impl FnOnce(&mut Disk)) {
    spoil(&mut facts.machine.disks.as_mut().expect("there is a disk")[0]);
}

fn process(facts: &mut Facts) -> &mut Process {
    facts.answers_mut().status.process.get_or_insert_default()
}

fn started(facts: &mut Facts, at: i64) {
    process(facts).started_at = Some(time::timestamp(at));
}

fn open_files(facts: &mut Facts, open: u64, limit: u64) {
    let process = process(facts);
    (process.open_files, process.open_files_limit) = (open, limit);
}

fn watches(facts: &mut Facts) -> &mut Watches {
    facts.machine.watches.as_mut().expect("watches are known")
}

fn zone() -> Zone {
    Zone { of: "TZ", name: "Mars/Olympus".to_owned(), is_known: false }
}

fn stranger() -> Extra {
    let (label, detail) = ("my-bot.service".to_owned(), "unit: /x".to_owned());
    Extra { platform: "linux", label, detail, scope: Scope::User }
}

fn missing() -> service::Finding {
    let (code, message) = ("gateway-program-missing", "Service program does not exist.");
    service::Finding { code, message, detail: text("/x"), level: service::Level::Aggressive }
}

fn place(facts: &mut Facts) -> &mut Paths {
    facts.service.place.as_mut().expect("there is a place")
}

fn unit(facts: &mut Facts) -> &mut service::Command {
    facts.service.service.command.as_mut().expect("there is a unit")
}

fn unit_env(facts: &mut Facts, name: &str) {
    unit(facts).environment.insert(name.to_owned(), "t".to_owned());
}

fn ended(status: i32) -> Runtime {
    Runtime { status: RuntimeState::Stopped, last_exit_status: Some(status), ..Runtime::default() }
}

fn old() -> Build {
    Build { version: "0.0.1".to_owned(), ..Build::default() }
}

fn cut_off() -> CutOff {
    CutOff { program: "/usr/bin/gatewayd".into(), mark: Mark { from: "1".to_owned(), to: "2".to_owned() } }
}

fn taken(facts: &mut Facts) {
    let command_line = text("node x.js");
    facts.way.port.listeners = vec![PortListener { pid: 7, command_line, ..PortListener::default() }];
    facts.daemon = DaemonFacts::NotRunning;
}

fn low_port(facts: &mut Facts) {
    facts.way.port.port = 443;
    facts.daemon = DaemonFacts::NotRunning;
}

fn owner(pid: u32) -> Record {
    Record { pid, port: Some(5), ..Record::default() }
}

fn leftover() -> Leftover {
    Leftover { pid: 7, command: "gatewayd".to_owned(), age_seconds: Some(99) }
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
