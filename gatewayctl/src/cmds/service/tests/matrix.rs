//! What every action would do in every state of the service, for every manager, as one reviewed table: the steps of
//! the dry run, and what the state is read as.

use std::fmt::Write;

use super::*;
use crate::service::{Names, RuntimeState, launchd, schtasks};

/// What a manager's tools answer in one state, and whether the service's file is there.
struct State {
    name: &'static str,
    file: bool,
    /// The answer to the question how the service is. Without one the manager cannot be asked.
    says: Option<&'static str>,
}

const fn state(name: &'static str, file: bool, says: &'static str) -> State {
    State { name, file, says: Some(says) }
}

const ABSENT: &str = "LoadState=not-found ActiveState=inactive SubState=dead";

const SYSTEMD: &[State] = &[
    state("absent", false, ABSENT),
    state("written, not loaded", true, ABSENT),
    state("disabled", true, "LoadState=loaded UnitFileState=disabled ActiveState=inactive SubState=dead"),
    state("stopped", true, "LoadState=loaded UnitFileState=enabled ActiveState=inactive SubState=dead"),
    state(
        "starting",
        true,
        "LoadState=loaded UnitFileState=enabled ActiveState=activating SubState=start MainPID=101 Job=7",
    ),
    state(
        "running",
        true,
        "LoadState=loaded UnitFileState=enabled ActiveState=active SubState=running MainPID=101",
    ),
    state(
        "stopping",
        true,
        "LoadState=loaded UnitFileState=enabled ActiveState=deactivating SubState=stop-sigterm MainPID=101 Job=8",
    ),
    state(
        "failed, tried again",
        true,
        "LoadState=loaded UnitFileState=enabled ActiveState=activating SubState=auto-restart Result=exit-code ExecMainStatus=1",
    ),
    state(
        "refused, latched",
        true,
        "LoadState=loaded UnitFileState=enabled ActiveState=failed SubState=failed Result=exit-code ExecMainStatus=78",
    ),
    state(
        "frozen, latched",
        true,
        "LoadState=loaded UnitFileState=enabled ActiveState=failed SubState=failed Result=watchdog ExecMainStatus=6",
    ),
    State { name: "cannot be asked", file: false, says: None },
    State { name: "cannot be asked, written", file: true, says: None },
];

const LAUNCHD: &[State] = &[
    state("absent", false, ""),
    state("stopped", true, ""),
    state("loaded, not running", true, "state = not running; last exit code = 0"),
    state("starting", true, "state = spawn scheduled; last exit code = (never exited)"),
    state("running", true, "state = running; pid = 101; last exit code = (never exited)"),
    state("running, list lost", false, "state = running; pid = 101; last exit code = 0"),
    state("failed, tried again", true, "state = spawn scheduled; last exit code = 1"),
    state("refused, tried again", true, "state = spawn scheduled; last exit code = 78: EX_CONFIG"),
    state("killed, tried again", true, "state = spawn scheduled; last terminating signal = Killed: 9"),
    State { name: "cannot be asked", file: false, says: None },
    State { name: "cannot be asked, written", file: true, says: None },
];

const SCHTASKS: &[State] = &[
    state("absent", false, ""),
    state("not registered, written", true, ""),
    state("never run", true, "Ready 267011"),
    state("stopped", true, "Ready 0"),
    state("disabled", true, "Disabled 0"),
    state("queued", true, "Queued 267045"),
    state("running", true, "Running 267009"),
    state("running, of another program", false, "Running 267009"),
    state("ended", true, "Ready 267014"),
    state("failed", true, "Ready 1"),
    state("refused", true, "Ready 78"),
    State { name: "cannot be asked", file: false, says: None },
    State { name: "cannot be asked, written", file: true, says: None },
];

/// One of the managers.
#[derive(Clone, Copy)]
struct Row {
    title: &'static str,
    kind: Kind,
    scope: Scope,
    states: &'static [State],
}

const ROWS: [Row; 4] = [
    Row { title: "systemd, of the user", kind: Kind::Systemd, scope: Scope::User, states: SYSTEMD },
    Row { title: "systemd, of the machine", kind: Kind::Systemd, scope: Scope::System, states: SYSTEMD },
    Row { title: "launchd", kind: Kind::Launchd, scope: Scope::User, states: LAUNCHD },
    Row { title: "Task Scheduler", kind: Kind::Schtasks, scope: Scope::User, states: SCHTASKS },
];

const ACTIONS: [&str; 8] = [
    "install",
    "install --force",
    "start",
    "stop",
    "restart",
    "uninstall",
    "uninstall --purge",
    "install --linger --force",
];

fn refuse(stderr: &str) -> Ran {
    Ran { stderr: stderr.to_owned(), ..Ran::default() }
}

/// What a tool answers. There is no watch beside the service.
fn answer(call: &Call, says: Option<&str>) -> Ran {
    let absent = if call.program == "systemctl" { ABSENT } else { "" };
    let is_about_the_watch = call.arguments.iter().any(|one| one.contains("watch"));
    let says = says.map(|says| if is_about_the_watch { absent } else { says });
    let has = |word: &str| call.arguments.iter().any(|one| one == word);
    match (call.program, says) {
        ("systemctl", None) => refuse("Failed to connect to bus: No medium found"),
        ("systemctl", _) if has("--version") => yes("systemd 252 (252.38)\n".to_owned()),
        ("systemctl", Some(says)) => yes(says.replace(' ', "\n")),
        ("launchctl", None) => {
            refuse("Could not print domain: 125: Domain does not support specified action")
        }
        ("launchctl", Some("")) => {
            refuse("Could not find service \"com.clawdbot.gateway\" in domain for user gui: 501")
        }
        ("launchctl", Some(says)) => yes(format!("x = {{\n\t{}\n}}\n", says.replace("; ", "\n\t"))),
        ("schtasks", None) => refuse("ERROR: The RPC server is unavailable."),
        ("schtasks", Some("")) => refuse("ERROR: The system cannot find the file specified."),
        ("schtasks", Some(_)) if has("/XML") => {
            yes("<Task><Actions><Exec><Command>C:\\x\\gatewayd.exe</Command></Exec></Actions></Task>"
                .to_owned())
        }
        ("schtasks", Some(says)) => {
            let (word, result) = says.split_once(' ').expect("two words");
            yes(format!(
                "\"DESK\",\"\\Clawdbot Gateway\",\"N/A\",\"{word}\",\"x\",\"x\",\"{result}\",\"x\"\r\n"
            ))
        }
        ("loginctl", _) => yes("Linger=no\n".to_owned()),
        (other, _) => panic!("{other}"),
    }
}

/// Nobody answers on the private socket.
struct Silent;

impl Health for Silent {
    async fn ask(&self, _: &Paths) -> Answer {
        Answer::NotYet
    }

    async fn end(&self, _: &Paths) -> bool {
        panic!("a dry run ends nothing");
    }

    async fn announce(&self, _: &Paths) {
        panic!("a dry run announces nothing");
    }

    async fn renew(&self, _: &Paths) -> bool {
        panic!("a dry run restarts nothing");
    }
}

fn control(row: Row, machine: &Machine) -> Control {
    match row.kind {
        Kind::Systemd => Control::Systemd(Manager::at(row.scope, machine.home.path())),
        Kind::Launchd => Control::Launchd(launchd::Manager::new(501)),
        Kind::Schtasks => {
            let env = Env::from_pairs([("USERNAME", "you"), ("USERDOMAIN", "DESK")]);
            Control::Schtasks(schtasks::Manager::new(&env))
        }
    }
}

/// A machine in this state. The file of a service of the machine is where the tests may not write; what an action
/// does without one is asked of the user's.
fn machine(row: Row, state: &State) -> (Machine, Fake) {
    let machine = Machine::empty();
    let names = Names::new(&machine.app.env, &machine.app.paths);
    if state.file && row.scope == Scope::User {
        let file = control(row, &machine).file(&names);
        fs::create_dir_all(file.parent().expect("folder")).expect("folder");
        fs::write(file, "ExecStart=/x/gatewayd gateway\n").expect("file");
    }
    let says = state.says;
    (machine, Fake::answering(move |call| Ok(answer(call, says))))
}

/// What a dry run prints. The text of the file has a table of its own.
async fn planned(row: Row, state: &State, action: &str) -> String {
    let (machine, fake) = machine(row, state);
    let scope = if row.scope == Scope::System { " --system" } else { "" };
    let whose =
        if row.scope == Scope::System && action.starts_with("install") { " --run-as root" } else { "" };
    let line = format!("gatewayctl {action}{scope}{whose} --dry-run");
    let cli = Cli::parse_from(line.split(' '));
    let request = request(&cli);
    let mut site = site(&machine.app, request, &fake, &Silent);
    site.control = control(row, &machine);
    site.names = Names::new(&machine.app.env, &machine.app.paths);
    (site.around.sudo_user, site.around.uid) = (None, 0);
    site.around.user = "you".to_owned();
    let text = match act(&mut site, request).await {
        Ok(outcome) => {
            assert!(fake.calls().iter().all(|call| is_question(row.kind, call)), "{:?}", fake.calls());
            outcome.render().plain()
        }
        Err(failure) => format!("{failure}\n"),
    };
    let home = machine.home.path().display().to_string();
    text.replace(&home, "~")
        .lines()
        .filter(|line| !line.starts_with("  ") && *line != "Nothing was changed.")
        .map(|line| format!("    {line}\n"))
        .collect()
}

fn is_question(kind: Kind, call: &str) -> bool {
    match kind {
        Kind::Systemd => Machine::is_question(call),
        Kind::Launchd => super::launchd::Mac::is_question(call),
        Kind::Schtasks => super::schtasks::Windows::is_question(call),
    }
}

/// What a state is read as.
async fn read(row: Row, state: &State) -> String {
    let (machine, fake) = machine(row, state);
    let names = Names::new(&machine.app.env, &machine.app.paths);
    let service = control(row, &machine).query(&names, &fake).await;
    let mut text = format!("{}, {}", service.installed_word(), service.runtime_word());
    let runtime = &service.runtime;
    if let Some(sub) = &runtime.sub_state {
        let _ = write!(text, " ({sub})");
    }
    if let Some(pid) = runtime.pid {
        let _ = write!(text, ", pid {pid}");
    }
    if let Some(code) = runtime.last_exit_status {
        let _ = write!(text, ", last exit {code}");
    }
    let rests = if runtime.is_at_rest() { ", at rest" } else { "" };
    let unknown = if runtime.status == RuntimeState::Unknown { ", not known" } else { "" };
    format!("    {text}{rests}{unknown}\n")
}

/// The outcomes of one action, each with the states that have it.
fn grouped(outcomes: Vec<(&str, String)>) -> String {
    let mut groups: Vec<(Vec<&str>, String)> = Vec::new();
    for (state, text) in outcomes {
        match groups.iter_mut().find(|(_, same)| *same == text) {
            Some((states, _)) => states.push(state),
            None => groups.push((vec![state], text)),
        }
    }
    groups.iter().map(|(states, text)| format!("  [{}]\n{text}", states.join("] ["))).collect()
}

#[tokio::test(start_paused = true)]
async fn every_action_in_every_state_is_reviewed() {
    let mut table = String::new();
    for row in ROWS {
        let _ = write!(table, "==== {}\n\nstatus\n", row.title);
        let mut seen = Vec::new();
        for state in row.states {
            seen.push((state.name, read(row, state).await));
        }
        table.push_str(&grouped(seen));
        for action in ACTIONS {
            if action.contains("linger") && (row.kind, row.scope) != (Kind::Systemd, Scope::User) {
                continue;
            }
            let mut seen = Vec::new();
            for state in row.states {
                seen.push((state.name, planned(row, state, action).await));
            }
            let _ = write!(table, "\n{action} --dry-run\n{}", grouped(seen));
        }
        table.push('\n');
    }
    crate::cmds::testing::assert_golden("managers", table.trim_end());
}
