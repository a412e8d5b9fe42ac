//! The actions against a stand-in for launchd: one agent with a job that takes its time to end, requests that come
//! too early, and the error texts that are known from reports. None of it was seen on a Mac.

use super::*;
use crate::cmds::service::run::wrong_words;
use crate::service::launchd;

/// launchd as the stand-in plays it.
#[derive(Default)]
struct Launchd {
    loaded: bool,
    pid: u32,
    starts: u32,
    started: Duration,
    exit: Option<i32>,
    /// How many questions long a job stays after a bootout.
    slow: u32,
    dying: u32,
    /// How many bootstraps are refused, and with which words.
    refuses: u32,
    words: &'static str,
    /// What every call answers instead.
    broken: Option<&'static str>,
    /// How a start ends, instead of well.
    fails: Option<i32>,
    disabled: bool,
    /// How many times the gateway restarted in place, and whether it does not listen to such requests.
    renewals: u32,
    deaf: bool,
}

const GONE: &str = "Could not find service \"com.clawdbot.gateway\" in domain for user gui: 501";
const EARLY: &str =
    "Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.";

fn no(stderr: &str) -> Ran {
    Ran { stderr: format!("{stderr}\n"), ..Ran::default() }
}

impl Launchd {
    fn start(&mut self) {
        self.starts += 1;
        self.started = since_boot();
        self.pid = if self.fails.is_some() { 0 } else { 100 + self.starts };
        self.exit = self.fails;
    }

    fn print(&mut self) -> Ran {
        if self.dying > 0 {
            self.dying -= 1;
            if self.dying == 0 {
                (self.loaded, self.pid) = (false, 0);
            }
        }
        if !self.loaded {
            return no(GONE);
        }
        let state = if self.pid > 0 { "running" } else { "spawn scheduled" };
        let pid = if self.pid > 0 { format!("\tpid = {}\n", self.pid) } else { String::new() };
        let exit = self.exit.map_or("(never exited)".to_owned(), |code| code.to_string());
        yes(format!(
            "gui/501/com.clawdbot.gateway = {{\n\tstate = {state}\n\targuments = {{\n\t\tpid = 1\n\t}}\n{pid}\
             \tlast exit code = {exit}\n}}\n"
        ))
    }

    fn bootstrap(&mut self, file: &str) -> Ran {
        if self.refuses > 0 {
            self.refuses -= 1;
            return no(self.words);
        }
        if self.loaded || self.disabled || !Path::new(file).exists() {
            return no(EARLY);
        }
        self.loaded = true;
        self.exit = None;
        self.start();
        yes(String::new())
    }

    fn answer(&mut self, call: &Call) -> Ran {
        assert_eq!(call.program, "launchctl");
        if let Some(broken) = self.broken {
            return no(broken);
        }
        let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["print", "gui/501/com.clawdbot.gateway"] => self.print(),
            ["enable", _] => {
                self.disabled = false;
                yes(String::new())
            }
            ["print", _] => no(GONE),
            ["bootout", target] if !self.loaded || *target != "gui/501/com.clawdbot.gateway" => {
                no("Boot-out failed: 3: No such process")
            }
            ["bootout", _] => {
                self.dying = self.slow + 1;
                if self.slow > 0 {
                    no("Boot-out failed: 36: Operation now in progress")
                } else {
                    yes(String::new())
                }
            }
            ["bootstrap", "gui/501", file] => self.bootstrap(file),
            ["kickstart", _] if !self.loaded => no(GONE),
            ["kickstart", _] if self.pid > 0 => {
                no("Could not kickstart service: 37: Operation already in progress")
            }
            ["kickstart", _] | ["kickstart", "-k", _] => {
                self.start();
                yes(String::new())
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The gateway is well whenever its job runs.
struct Well(Rc<RefCell<Launchd>>);

impl Health for Well {
    async fn ask(&self, _: &Paths) -> Answer {
        match self.0.borrow().pid {
            0 => Answer::NotYet,
            pid => Answer::Serving { pid, started: self.0.borrow().started },
        }
    }

    async fn end(&self, _: &Paths) -> bool {
        panic!("launchd ends the gateway in order by itself");
    }

    async fn announce(&self, _: &Paths) {
        panic!("launchd is not asked for a restart of a gateway that answers");
    }

    async fn renew(&self, _: &Paths) -> bool {
        let mut launchd = self.0.borrow_mut();
        if launchd.deaf {
            return false;
        }
        launchd.renewals += 1;
        launchd.started = since_boot();
        true
    }
}

pub(super) struct Mac {
    machine: Machine,
    launchd: Rc<RefCell<Launchd>>,
    fake: Fake,
}

impl Stage for Mac {
    fn empty() -> Self {
        let launchd = Rc::new(RefCell::new(Launchd::default()));
        let shared = launchd.clone();
        let fake = Fake::answering(move |call| Ok(shared.borrow_mut().answer(call)));
        Self { machine: Machine::empty(), launchd, fake }
    }

    fn fake(&self) -> &Fake {
        &self.fake
    }

    fn file(&self) -> PathBuf {
        self.machine.home.path().join("Library/LaunchAgents/com.clawdbot.gateway.plist")
    }

    fn service(&self) -> (Kind, String) {
        (Kind::Launchd, "gui/501/com.clawdbot.gateway".to_owned())
    }

    /// A restart in place counts as one.
    fn starts(&self) -> u32 {
        self.launchd.borrow().starts + self.launchd.borrow().renewals
    }

    fn is_question(call: &str) -> bool {
        call.starts_with("launchctl print ")
    }

    fn look(&self, line: &str, _: &Outcome) {
        match line {
            "install" => {
                let logs = self.machine.home.path().join(".clawdbot/logs");
                assert!(logs.is_dir(), "launchd opens a file there");
            }
            "stop" | "uninstall" => assert!(!self.launchd.borrow().loaded, "{line}"),
            _ => {}
        }
    }

    async fn run_with(&self, line: &str, tools: &impl Runner) -> Result<Outcome, Failure> {
        let cli = Cli::parse_from(std::iter::once("gatewayctl").chain(line.split(' ')));
        let request = request(&cli);
        let health = Well(self.launchd.clone());
        let mut site = site(&self.machine.app, request, tools, &health);
        site.control = Control::Launchd(launchd::Manager::new(501));
        (site.around.sudo_user, site.around.uid) = (None, 501);
        site.around.user = "you".to_owned();
        // Others that run beside this one are asked for before the first one acts.
        tokio::task::yield_now().await;
        act(&mut site, request).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_answers_restarts_in_place_and_launchd_restarts_the_others() {
    let mac = Mac::empty();
    mac.done("install").await;
    let seen = || (mac.launchd.borrow().renewals, mac.launchd.borrow().starts);
    assert_eq!(mac.done("restart").await.done, Done::Restarted);
    assert_eq!(seen(), (1, 1));
    mac.launchd.borrow_mut().deaf = true;
    assert_eq!(mac.done("restart").await.done, Done::Restarted);
    assert_eq!(seen(), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn an_old_job_that_takes_its_time_is_waited_for() {
    let mac = Mac::empty();
    mac.done("install").await;
    mac.launchd.borrow_mut().slow = 120;
    mac.done("install --force").await;
    let calls = mac.fake.calls();
    let last = |word: &str| calls.iter().rposition(|call| call.starts_with(&format!("launchctl {word} ")));
    assert!(last("bootout") < last("bootstrap"), "{calls:?}");
    let bootstraps = calls.iter().filter(|call| call.contains(" bootstrap ")).count();
    assert_eq!(bootstraps, 2, "none came too early");
    mac.launchd.borrow_mut().slow = 100_000;
    let said = mac.failure("stop").await;
    assert!(said.contains("still there after 30 s"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_comes_too_early_is_tried_again_for_every_known_text() {
    for words in [
        EARLY,
        "Bootstrap failed: 37: Operation already in progress",
        "Bootstrap failed: 36: Operation now in progress",
        "Bootstrap failed: 17: File exists",
        "/x/y.plist: service already loaded",
        "Load failed: 5: Input/output error",
        "service already bootstrapped",
    ] {
        let mac = Mac::empty();
        (mac.launchd.borrow_mut().refuses, mac.launchd.borrow_mut().words) = (40, words);
        mac.done("install").await;
        assert!(mac.launchd.borrow().loaded, "{words}");
        (mac.launchd.borrow_mut().refuses, mac.launchd.borrow_mut().words) = (100_000, words);
        let said = mac.failure("install --force").await;
        assert!(said.starts_with("Gateway install failed: launchctl bootstrap failed: "), "{said}");
        assert!(said.contains("plutil -lint ") && said.ends_with("Then run: gatewayctl install"), "{said}");
        mac.launchd.borrow_mut().refuses = 0;
        mac.done("start").await;
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_else_may_load_it_first() {
    let mac = Mac::empty();
    mac.done("install").await;
    mac.done("stop").await;
    let shared = mac.launchd.clone();
    let fake = Fake::answering(move |call| {
        let mut launchd = shared.borrow_mut();
        if call.arguments[0] == "bootstrap" {
            launchd.bootstrap(&call.arguments[2]);
            return Ok(no(EARLY));
        }
        Ok(launchd.answer(call))
    });
    assert_eq!(mac.run_with("start", &fake).await.map(|outcome| outcome.done), Ok(Done::Started));
}

#[tokio::test(start_paused = true)]
async fn an_agent_of_an_older_name_leaves_with_consent() {
    let mac = Mac::empty();
    let old = mac.file().with_file_name("com.steipete.clawdbot.gateway.plist");
    fs::create_dir_all(old.parent().expect("folder")).expect("folder");
    fs::write(&old, "<plist><dict/></plist>").expect("file");
    let said = mac.failure("install").await;
    assert!(said.contains("already uses port 18789") && said.contains("install --replace-old"), "{said}");
    assert!(said.contains("launchctl bootout gui/501/com.steipete.clawdbot.gateway && rm "), "{said}");
    assert!(!mac.file().exists() && old.exists());
    mac.done("install --replace-old").await;
    assert!(mac.file().exists() && !old.exists());
}

#[tokio::test(start_paused = true)]
async fn a_disabled_agent_is_enabled() {
    let mac = Mac::empty();
    mac.launchd.borrow_mut().disabled = true;
    mac.done("install").await;
    mac.done("stop").await;
    mac.launchd.borrow_mut().disabled = true;
    mac.done("start").await;
}

#[tokio::test(start_paused = true)]
async fn without_a_desktop_session_nothing_is_written_and_the_way_out_is_named() {
    for text in [
        "Could not print domain: 125: Domain does not support specified action",
        "Bootstrap failed: 125: Domain does not support specified action",
        "Could not find domain for user gui: 501",
    ] {
        let mac = Mac::empty();
        mac.launchd.borrow_mut().broken = Some(text);
        for line in ["install", "start", "stop", "restart", "uninstall"] {
            let said = mac.failure(line).await;
            assert!(said.starts_with("Gateway service check failed: launchctl unavailable: "), "{said}");
            assert!(said.contains("Screen Sharing") && said.contains("--supervise"), "{said}");
        }
        assert!(!mac.file().exists());
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_ends_at_once_says_why() {
    let mac = Mac::empty();
    mac.launchd.borrow_mut().fails = Some(78);
    let logs = mac.machine.home.path().join(".clawdbot/logs");
    fs::create_dir_all(&logs).expect("folder");
    fs::write(
        logs.join("gateway.err.log"),
        "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.\n",
    )
    .expect("log");
    let said = mac.failure("install").await;
    assert!(said.starts_with("Gateway install failed: the configuration does not allow the start"), "{said}");
    assert!(
        said.contains("The service manager keeps trying.") && said.contains("\n  Gateway start"),
        "{said}"
    );
    assert!(said.ends_with("Run: gatewayctl config set gateway.mode local && gatewayctl start"), "{said}");
    mac.launchd.borrow_mut().fails = None;
    mac.done("start").await;
}

#[tokio::test(start_paused = true)]
async fn restarts_that_meet_become_one() {
    let mac = Mac::empty();
    mac.done("install").await;
    let all = futures_util::future::join_all((0..50).map(|_| mac.run("restart"))).await;
    assert!(all.iter().all(|done| done.as_ref().is_ok_and(|outcome| outcome.done == Done::Restarted)));
    assert_eq!(mac.launchd.borrow().renewals, 1);
    mac.done("restart").await;
    assert_eq!((mac.launchd.borrow().renewals, mac.launchd.borrow().starts), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_shown_without_the_secrets_of_an_older_list() {
    let mac = Mac::empty();
    mac.done("install --token canary-canary-canary").await;
    let new = fs::read_to_string(mac.file()).expect("is there");
    assert!(!new.contains("canary"));
    let old = "<plist><dict><key>ProgramArguments</key><array><string>node</string></array>\
        <key>EnvironmentVariables</key><dict><key>CLAWDBOT_GATEWAY_TOKEN</key><string>canary</string></dict>\
        </dict></plist>";
    fs::write(mac.file(), old).expect("file");
    let text = mac.done("install").await.render().plain();
    assert!(text.contains("- ProgramArguments = node") && text.contains("+ RunAtLoad = true"), "{text}");
    assert!(!text.contains("canary"), "{text}");
    assert!(mac.fake.calls().iter().all(|call| !call.contains("canary")));
}

#[test]
fn words_of_linux_are_refused_elsewhere() {
    let machine = Machine::empty();
    let names = crate::service::Names::new(&machine.app.env, &machine.app.paths);
    for manager in [Kind::Launchd, Kind::Schtasks] {
        for (line, refused) in [
            ("install", false),
            ("install --linger", true),
            ("install --system", true),
            ("stop --system", true),
        ] {
            let cli = Cli::parse_from(std::iter::once("gatewayctl").chain(line.split(' ')));
            assert_eq!(wrong_words(manager, &names, request(&cli)).is_some(), refused, "{line}");
        }
    }
}
