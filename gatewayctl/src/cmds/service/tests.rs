//! The actions against stand-ins for the three managers. What must hold for each of them is in `scenes`, the plans
//! for every state are in `matrix`, and here is systemd: one unit with states, jobs and faults, which answers as the
//! real one does.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use clap::Parser;
use gateway_base::clock::{Clock, since_boot};
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use serde_json::Value;

use super::health::{Answer, Health};
use super::outcome::{Action, Document, Done, Outcome};
use super::run::{Request, act, site};
use crate::app::App;
use crate::args::{Cli, Command, WatchAction};
use crate::become_daemon::DAEMON;
use crate::cmds::testing::assert_schema;
use crate::exit::Failure;
use crate::output::Output;
use crate::service::systemd::Manager;
use crate::service::testing::Fake;
use crate::service::{Call, Control, Manager as Kind, Ran, RunError, Runner, Scope};
use crate::spelling::Words;

mod alarm;
mod launchd;
#[cfg(unix)]
mod left_behind;
mod matrix;
mod scenes;
mod schtasks;

/// A machine whose manager is a stand-in.
trait Stage: Sized {
    /// One on which nothing is installed.
    fn empty() -> Self;

    /// What its tools answer, and what they were asked.
    fn fake(&self) -> &Fake;

    /// The service file.
    fn file(&self) -> PathBuf;

    /// How the service is managed, and what it is called.
    fn service(&self) -> (Kind, String);

    /// How often the gateway was started.
    fn starts(&self) -> u32;

    /// Whether a call of a tool changes nothing.
    fn is_question(call: &str) -> bool;

    /// What is true only here after a command of a service's life.
    fn look(&self, _line: &str, _outcome: &Outcome) {}

    /// Takes a command line with these tools.
    async fn run_with(&self, line: &str, tools: &impl Runner) -> Result<Outcome, Failure>;

    async fn run(&self, line: &str) -> Result<Outcome, Failure> {
        self.run_with(line, self.fake()).await
    }

    async fn done(&self, line: &str) -> Outcome {
        self.run(line).await.unwrap_or_else(|failure| panic!("{line}: {failure}"))
    }

    async fn failure(&self, line: &str) -> String {
        match self.run(line).await {
            Err(Failure::Failed(reason)) => {
                format!("{}\n{}", reason.message, reason.hint.unwrap_or_default())
            }
            other => panic!("{line}: {other:?}"),
        }
    }
}

fn yes(stdout: String) -> Ran {
    Ran { success: true, stdout, ..Ran::default() }
}

/// A unit as the stand-in knows it.
#[derive(Default)]
struct Unit {
    enabled: bool,
    state: &'static str,
    sub: &'static str,
    result: &'static str,
    pid: u32,
    status: i32,
    ready_at: u128,
    starts: u32,
    announced: u32,
    /// How a start ends, instead of well.
    fails: Option<(&'static str, &'static str, i32)>,
    linger: bool,
    journal: &'static str,
}

impl Unit {
    fn start(&mut self) {
        self.starts += 1;
        self.pid = 100 + self.starts;
        (self.state, self.sub, self.result, self.status) = ("active", "running", "success", 0);
        self.ready_at = since_boot().as_micros();
        if let Some((state, sub, status)) = self.fails {
            (self.state, self.sub, self.status, self.pid) = (state, sub, status, 0);
            self.result = "exit-code";
        }
    }

    fn show(&self, there: bool) -> String {
        let Self { state, sub, result, pid, status, ready_at, .. } = self;
        let (load, file) = match (there, self.enabled) {
            (false, _) => ("not-found", ""),
            (true, true) => ("loaded", "enabled"),
            (true, false) => ("loaded", "disabled"),
        };
        let state = if state.is_empty() { "inactive" } else { state };
        format!(
            "LoadState={load}\nUnitFileState={file}\nActiveState={state}\nSubState={sub}\nResult={result}\nMainPID={pid}\n\
             ExecMainPID={}\nExecMainStatus={status}\nActiveEnterTimestampMonotonic={ready_at}\nJob=\n",
            100 + self.starts
        )
    }

    fn answer(&mut self, call: &Call, unit_file: &Path) -> Ran {
        let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        let mut stdout = String::new();
        let has = |word: &str| words.contains(&word);
        match call.program {
            "loginctl" if has("enable-linger") => self.linger = true,
            "loginctl" => stdout = format!("Linger={}\n", if self.linger { "yes" } else { "no" }),
            "journalctl" => stdout = self.journal.to_owned(),
            _ if has("--version") => stdout = "systemd 252 (252.38)\n".to_owned(),
            _ if has("Version") => stdout = "Version=252.38-1\n".to_owned(),
            _ if has("show") => stdout = self.show(unit_file.exists()),
            _ if has("enable") => self.enabled = true,
            _ if has("disable") => self.enabled = false,
            _ if has("restart") => self.start(),
            _ if has("start") && self.state != "active" => self.start(),
            _ if has("stop") => (self.state, self.pid) = ("inactive", 0),
            _ if has("reset-failed") && self.state == "failed" => self.state = "inactive",
            _ => {}
        }
        yes(stdout)
    }
}

/// The gateway is well whenever its unit is.
struct Well(Rc<RefCell<Unit>>);

impl Health for Well {
    async fn ask(&self, _: &Paths) -> Answer {
        match self.0.borrow().pid {
            0 => Answer::NotYet,
            pid => Answer::Serving { pid, started: Duration::ZERO },
        }
    }

    async fn end(&self, _: &Paths) -> bool {
        panic!("systemd ends the gateway in order by itself");
    }

    async fn announce(&self, _: &Paths) {
        self.0.borrow_mut().announced += 1;
    }

    async fn renew(&self, _: &Paths) -> bool {
        panic!("systemd keeps the sockets");
    }
}

fn request(cli: &Cli) -> Request<'_> {
    match &cli.command {
        Command::Install(args) => Request::Install(args),
        Command::Start(args) => Request::Start(args),
        Command::Stop(args) => Request::Stop(args),
        Command::Restart(args) => Request::Restart(args),
        Command::Uninstall(args) => Request::Uninstall(args),
        Command::Watch(args) => match &args.action {
            Some(WatchAction::Install(args)) => Request::WatchInstall(args),
            Some(WatchAction::Uninstall(args)) => Request::WatchUninstall(args),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

struct Machine {
    home: tempfile::TempDir,
    unit: Rc<RefCell<Unit>>,
    fake: Fake,
    app: App,
}

impl Machine {
    fn unit_file(&self) -> PathBuf {
        self.file()
    }
}

impl Stage for Machine {
    fn empty() -> Self {
        let home = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([("HOME", home.path().display().to_string())]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        fs::write(home.path().join(DAEMON), "").expect("file");
        let own = Some(home.path().join("gatewayctl"));
        let unit = Rc::new(RefCell::new(Unit::default()));
        let file = home.path().join(".config/systemd/user/clawdbot-gateway.service");
        let shared = unit.clone();
        let fake = Fake::answering(move |call| Ok(shared.borrow_mut().answer(call, &file)));
        let (out, words) = (Output::new(&env, true, true), Words::for_name(None));
        Self { home, unit, fake, app: App { env, paths, out, words, clock: Clock::system(), own } }
    }

    fn fake(&self) -> &Fake {
        &self.fake
    }

    fn file(&self) -> PathBuf {
        self.home.path().join(".config/systemd/user/clawdbot-gateway.service")
    }

    fn service(&self) -> (Kind, String) {
        (Kind::Systemd, "clawdbot-gateway.service".to_owned())
    }

    fn starts(&self) -> u32 {
        self.unit.borrow().starts
    }

    fn is_question(call: &str) -> bool {
        [" show ", " show-user ", " --version"].iter().any(|word| call.contains(word))
    }

    fn look(&self, line: &str, outcome: &Outcome) {
        if line == "install" && outcome.done == Done::Installed {
            let warning = &outcome.warnings[0];
            assert!(warning.contains("sudo loginctl enable-linger you"), "{warning}");
        }
        if outcome.done == Done::Restarted {
            assert_eq!(self.unit.borrow().announced, 1, "the gateway heard that it comes back");
        }
    }

    async fn run_with(&self, line: &str, tools: &impl Runner) -> Result<Outcome, Failure> {
        let cli = Cli::parse_from(std::iter::once("gatewayctl").chain(line.split(' ')));
        let request = request(&cli);
        let health = Well(self.unit.clone());
        let mut site = site(&self.app, request, tools, &health);
        site.control = Control::Systemd(Manager::at(Scope::User, self.home.path()));
        (site.around.sudo_user, site.around.uid, site.around.booted) = (None, 1000, true);
        site.around.session = false;
        site.around.user = "you".to_owned();
        act(&mut site, request).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_says_why() {
    let machine = Machine::empty();
    machine.unit.borrow_mut().fails = Some(("failed", "failed", 78));
    machine.unit.borrow_mut().journal =
        "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.\n";
    let said = machine.failure("install").await;
    assert!(said.starts_with("Gateway install failed: the configuration does not allow the start"), "{said}");
    assert!(said.contains("\n  Gateway start blocked"), "{said}");
    assert!(said.ends_with("Run: gatewayctl config set gateway.mode local && gatewayctl start"), "{said}");
    machine.unit.borrow_mut().fails = Some(("activating", "auto-restart", 1));
    let said = machine.failure("start").await;
    assert!(said.contains("exit code 1. The service manager keeps trying."), "{said}");
    machine.unit.borrow_mut().fails = None;
    machine.done("start").await;
}

#[tokio::test(start_paused = true)]
async fn a_latched_failure_is_cleared_and_a_stop_reads_as_one() {
    let machine = Machine::empty();
    machine.done("install").await;
    machine.unit.borrow_mut().state = "failed";
    machine.unit.borrow_mut().pid = 0;
    machine.done("start").await;
    let calls = machine.fake.calls();
    let at = |word: &str| calls.iter().rposition(|call| call.contains(word));
    assert!(at("reset-failed") < at("start --no-block"), "{calls:?}");
    machine.done("stop").await;
    assert_eq!(machine.unit.borrow().state, "inactive");
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_shown_and_only_force_rewrites() {
    let machine = Machine::empty();
    let file = machine.unit_file();
    fs::create_dir_all(file.parent().expect("folder")).expect("folder");
    let old = "[Service]\nExecStart=/usr/bin/node gateway --port 18789\nEnvironment=CLAWDBOT_GATEWAY_TOKEN=canary\n";
    fs::write(&file, old).expect("file");
    let seen = machine.done("install").await;
    assert_eq!(seen.done, Done::AlreadyInstalled);
    let text = seen.render().plain();
    assert!(text.contains("- ExecStart=/usr/bin/node") && text.contains("+ Type=notify"), "{text}");
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(fs::read_to_string(&file).expect("is there"), old);
    machine.done("install --force").await;
    let new = fs::read_to_string(&file).expect("is there");
    assert!(new.contains("gatewayd gateway --port 18789") && !new.contains("canary"), "{new}");
}

#[tokio::test(start_paused = true)]
async fn two_never_share_a_port() {
    let machine = Machine::empty();
    let old = machine.unit_file().with_file_name("moltbot-gateway.service");
    fs::create_dir_all(old.parent().expect("folder")).expect("folder");
    fs::write(&old, "ExecStart=/usr/bin/moltbot gateway --port 18789\n").expect("file");
    let said = machine.failure("install").await;
    assert!(said.contains("already uses port 18789") && said.contains("install --replace-old"), "{said}");
    assert!(said.contains("systemctl --user disable --now --quiet moltbot-gateway.service"), "{said}");
    assert!(!machine.unit_file().exists() && old.exists());
    machine.done("install --replace-old").await;
    assert!(machine.unit_file().exists() && !old.exists());
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_was_done_meanwhile_is_joined() {
    let machine = Machine::empty();
    machine.done("install").await;
    let cli = Cli::parse_from(["gatewayctl", "restart"]);
    let Command::Restart(args) = &cli.command else { panic!("restart") };
    let health = Well(machine.unit.clone());
    let mut late = site(&machine.app, Request::Restart(args), &machine.fake, &health);
    late.control = Control::Systemd(Manager::at(Scope::User, machine.home.path()));
    machine.done("restart").await;
    assert_eq!(machine.unit.borrow().starts, 2);
    act(&mut late, Request::Restart(args)).await.expect("joins");
    assert_eq!(machine.unit.borrow().starts, 2);
}

#[tokio::test(start_paused = true)]
async fn every_outcome_has_its_schema() {
    let machine = Machine::empty();
    for (action, line) in [
        (Action::Start, "start"),
        (Action::Install, "install --linger"),
        (Action::Install, "install --port 18790"),
        (Action::Restart, "restart"),
        (Action::Stop, "stop"),
        (Action::Uninstall, "uninstall"),
    ] {
        let outcome = machine.done(line).await;
        let document = Document::done(action, &outcome);
        assert_schema("service", &document);
        let value: Value = serde_json::to_value(&document).expect("is JSON");
        assert_eq!(value["ok"], true);
        assert!(value["service"]["label"] == "systemd" && value["result"].is_string(), "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_goes_into_the_configuration_and_nowhere_else() {
    let machine = Machine::empty();
    machine.done("install --token canary-canary-canary").await;
    let config = fs::read_to_string(machine.home.path().join(".clawdbot/clawdbot.json")).expect("is there");
    assert!(config.contains("canary"), "{config}");
    assert!(!fs::read_to_string(machine.unit_file()).expect("is there").contains("canary"));
    assert!(machine.fake.calls().iter().all(|call| !call.contains("canary")));
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_fails_is_quoted_with_the_next_command() {
    let machine = Machine::empty();
    for (said, next) in [
        ("Failed to enable unit: Unit file is masked.", "systemctl --user unmask clawdbot-gateway.service"),
        ("Failed to connect to bus: No medium found", "gatewayctl install --linger"),
        ("Something else", "Check: gatewayctl status"),
    ] {
        let unit = machine.unit.clone();
        let file = machine.unit_file();
        let fake = Fake::answering(move |call| {
            if call.arguments.iter().any(|word| word == "enable") {
                return Ok(Ran { stderr: said.to_owned(), ..Ran::default() });
            }
            Ok(unit.borrow_mut().answer(call, &file))
        });
        match machine.run_with("install --force", &fake).await {
            Err(Failure::Failed(reason)) => {
                assert_eq!(
                    reason.message,
                    format!("Gateway install failed: systemctl enable failed: {said}")
                );
                assert!(reason.hint.as_deref().is_some_and(|hint| hint.contains(next)), "{:?}", reason.hint);
            }
            other => panic!("{said}: {other:?}"),
        }
    }
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_masked_service_is_said_to_be_masked() {
    let machine = Machine::empty();
    let file = machine.unit_file();
    fs::create_dir_all(file.parent().expect("folder")).expect("folder");
    std::os::unix::fs::symlink("/dev/null", &file).expect("link");
    for line in ["install", "install --force"] {
        let said = machine.failure(line).await;
        assert!(
            said.contains("systemctl --user unmask clawdbot-gateway.service && gatewayctl install"),
            "{said}"
        );
    }
    assert!(file.is_symlink());
}

#[tokio::test(start_paused = true)]
async fn a_purge_takes_the_state_with_it() {
    let machine = Machine::empty();
    machine.done("install --token canary-canary-canary").await;
    let state = machine.home.path().join(".clawdbot");
    machine.done("uninstall").await;
    assert!(state.exists());
    machine.done("uninstall --purge").await;
    assert!(!state.exists());
}
