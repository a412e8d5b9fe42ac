//! The actions against a stand-in for the Task Scheduler: one task with an instance that takes its time to end,
//! requests that are dropped meanwhile, refusals, and a machine that speaks German. None of it was seen on Windows.

use super::*;
use crate::service::{read_file, schtasks};

/// The scheduler as the stand-in plays it.
#[derive(Default)]
pub(super) struct Scheduler {
    definition: Option<String>,
    pid: u32,
    starts: u32,
    result: i64,
    /// How many questions long an instance stays after it was ended.
    slow: u32,
    dying: u32,
    pub(super) german: bool,
    /// How a start ends, instead of well.
    fails: Option<i64>,
    /// What a verb answers instead.
    broken: Option<(&'static str, &'static str)>,
    /// How often the gateway was asked to end in order.
    asked: u32,
    /// Whether it does so when it is asked.
    orderly: bool,
    /// What the registry holds for `CLAWDBOT_STATE_DIR`.
    registry: Option<&'static str>,
}

fn no(stderr: &str) -> Ran {
    Ran { stderr: format!("{stderr}\r\n"), ..Ran::default() }
}

impl Scheduler {
    fn word(&self, english: &'static str, german: &'static str) -> &'static str {
        if self.german { german } else { english }
    }

    fn missing(&self) -> Ran {
        no(self.word(
            "ERROR: The system cannot find the file specified.",
            "FEHLER: Das System kann die angegebene Datei nicht finden.",
        ))
    }

    fn table(&mut self) -> Ran {
        if self.dying > 0 {
            self.dying -= 1;
            if self.dying == 0 {
                (self.pid, self.result) = (0, if self.orderly { 0 } else { 267_014 });
            }
        }
        let (state, result) = if self.pid > 0 {
            (self.word("Running", "Wird ausgef\u{fffd}hrt"), 267_009)
        } else {
            (self.word("Ready", "Bereit"), self.result)
        };
        yes(format!(
            "\r\n\"DESK\",\"\\Clawdbot Gateway\",\"N/A\",\"{state}\",\"Interactive only\",\"N/A\",\"{result}\",\"N/A\"\r\n"
        ))
    }

    fn run(&mut self) -> Ran {
        // While an instance is there, a request is taken and dropped.
        if self.pid == 0 {
            self.starts += 1;
            self.pid = if self.fails.is_some() { 0 } else { 100 + self.starts };
            self.result = self.fails.unwrap_or_default();
        }
        yes("SUCCESS: Attempted to run the scheduled task \"Clawdbot Gateway\".\r\n".to_owned())
    }

    fn answer(&mut self, call: &Call) -> Ran {
        let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        if call.program == "reg" {
            assert_eq!(words[..3], ["query", "HKCU\\Environment", "/v"]);
            let line = |value| {
                format!("\r\nHKEY_CURRENT_USER\\Environment\r\n    {}    REG_SZ    {value}\r\n", words[3])
            };
            return self.registry.map_or_else(|| no("ERROR: not found"), |value| yes(line(value)));
        }
        assert_eq!(call.program, "schtasks");
        if let Some((verb, text)) = self.broken
            && (verb == words[0] || verb == "*")
        {
            return no(text);
        }
        if words == ["/Query", "/FO", "CSV", "/NH"] {
            let own =
                if self.definition.is_some() { "\"\\Clawdbot Gateway\",\"N/A\",\"Bereit\"\r\n" } else { "" };
            return yes(format!("\"\\Other\",\"N/A\",\"Bereit\"\r\n{own}"));
        }
        if words[1..3] == ["/TN", "Clawdbot Gateway watch"] {
            return self.missing();
        }
        assert_eq!(words[1..3], ["/TN", "Clawdbot Gateway"]);
        if words[0] == "/Create" {
            assert_eq!(words[3..5], ["/F", "/XML"]);
            self.definition = read_file(Path::new(words[5]));
            self.result = 267_011;
            return yes("SUCCESS".to_owned());
        }
        let Some(definition) = self.definition.clone() else { return self.missing() };
        match (words[0], &words[3..]) {
            ("/Query", ["/XML"]) => yes(definition),
            ("/Query", _) => self.table(),
            ("/Run", []) => self.run(),
            ("/End", []) if self.pid == 0 => no("ERROR: There is no running instance of the task."),
            ("/End", []) => {
                assert!(!self.orderly, "it is ended in its last moment");
                self.dying = self.slow + 1;
                yes("SUCCESS".to_owned())
            }
            ("/Delete", ["/F"]) => {
                self.definition = None;
                yes("SUCCESS".to_owned())
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The gateway is well whenever its task runs.
struct Well(Rc<RefCell<Scheduler>>);

impl Health for Well {
    async fn ask(&self, _: &Paths) -> Answer {
        match self.0.borrow().pid {
            0 => Answer::NotYet,
            pid => Answer::Serving { pid, started: Duration::ZERO },
        }
    }

    async fn end(&self, _: &Paths) -> bool {
        let mut scheduler = self.0.borrow_mut();
        scheduler.asked += 1;
        if scheduler.orderly {
            scheduler.dying = scheduler.slow + 1;
        }
        scheduler.orderly
    }

    async fn announce(&self, _: &Paths) {
        panic!("the gateway is asked to end instead");
    }

    async fn renew(&self, _: &Paths) -> bool {
        panic!("no socket is handed over here");
    }
}

pub(super) struct Windows {
    machine: Machine,
    pub(super) scheduler: Rc<RefCell<Scheduler>>,
    fake: Fake,
    env: Env,
}

impl Stage for Windows {
    fn empty() -> Self {
        let scheduler = Rc::new(RefCell::new(Scheduler::default()));
        let shared = scheduler.clone();
        let fake = Fake::answering(move |call| Ok(shared.borrow_mut().answer(call)));
        let env = Env::from_pairs([("USERNAME", "you"), ("USERDOMAIN", "DESK")]);
        Self { machine: Machine::empty(), scheduler, fake, env }
    }

    fn fake(&self) -> &Fake {
        &self.fake
    }

    fn file(&self) -> PathBuf {
        self.machine.home.path().join(".clawdbot/gateway-task.xml")
    }

    fn service(&self) -> (Kind, String) {
        (Kind::Schtasks, "Clawdbot Gateway".to_owned())
    }

    fn starts(&self) -> u32 {
        self.scheduler.borrow().starts
    }

    fn is_question(call: &str) -> bool {
        call.starts_with("schtasks /Query ")
    }

    fn look(&self, line: &str, outcome: &Outcome) {
        let asked = self.scheduler.borrow().asked;
        match (line, outcome.done) {
            ("install", Done::Installed) => {
                assert!(fs::read(self.file()).expect("is there").starts_with(&[0xFF, 0xFE]));
                assert_eq!(outcome.service.as_ref().and_then(|service| service.runtime.pid), Some(101));
            }
            ("restart", Done::Restarted) => assert_eq!(asked, 1, "it could end in order"),
            ("stop", Done::Stopped) => assert_eq!(asked, 2, "it could end in order"),
            ("uninstall", _) => assert!(self.scheduler.borrow().definition.is_none()),
            _ => {}
        }
    }

    async fn run_with(&self, line: &str, tools: &impl Runner) -> Result<Outcome, Failure> {
        let cli = Cli::parse_from(std::iter::once("gatewayctl").chain(line.split(' ')));
        let request = request(&cli);
        let health = Well(self.scheduler.clone());
        let mut site = site(&self.machine.app, request, tools, &health);
        site.control = Control::Schtasks(schtasks::Manager::new(&self.env));
        site.around.sudo_user = None;
        act(&mut site, request).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_ends_in_order_is_left_its_last_moment() {
    let windows = Windows::empty();
    windows.done("install").await;
    (windows.scheduler.borrow_mut().orderly, windows.scheduler.borrow_mut().slow) = (true, 5);
    for line in ["restart", "stop", "start", "uninstall"] {
        windows.done(line).await;
    }
    assert_eq!((windows.scheduler.borrow().asked, windows.scheduler.borrow().result), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_takes_its_time_does_not_eat_the_next_run() {
    let windows = Windows::empty();
    windows.done("install").await;
    windows.scheduler.borrow_mut().slow = 120;
    windows.done("restart").await;
    windows.done("install --force").await;
    assert_eq!(windows.scheduler.borrow().starts, 3, "no request was dropped");
    windows.scheduler.borrow_mut().slow = 100_000;
    let said = windows.failure("stop").await;
    assert!(said.contains("still there after 30 s") && said.contains("tasklist"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn every_refusal_has_a_way_on() {
    for (verb, text, way) in [
        ("/Create", "ERROR: Access is denied.", "Run as administrator"),
        ("/Create", "FEHLER: Zugriff verweigert", "Run as administrator"),
        ("/Create", "ERROR: The stub received bad data.", "Import Task"),
        ("/Create", "ERROR: The task XML is malformed.", "Import Task"),
        ("/Run", "ERROR: The RPC server is unavailable.", "net start Schedule"),
        ("/Run", "ERROR: The user account is not logged on.", "schtasks /Query /TN \"Clawdbot Gateway\""),
    ] {
        let windows = Windows::empty();
        windows.scheduler.borrow_mut().broken = Some((verb, text));
        let said = windows.failure("install").await;
        let verb = verb.trim_start_matches('/').to_ascii_lowercase();
        assert!(
            said.starts_with(&format!("Gateway install failed: schtasks {verb} failed: {text}")),
            "{said}"
        );
        assert!(said.contains(way), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_at_once_says_why() {
    let windows = Windows::empty();
    windows.scheduler.borrow_mut().fails = Some(69);
    let said = windows.failure("install").await;
    assert!(said.contains("another gateway or program has its port or its lock (exit code 69)"), "{said}");
    windows.scheduler.borrow_mut().fails = Some(2_147_942_402);
    let said = windows.failure("start").await;
    assert!(said.contains("the program of the task is not there"), "{said}");
    assert!(said.contains("gatewayctl install --force"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_was_lost_is_registered_again() {
    let windows = Windows::empty();
    windows.done("install").await;
    (windows.scheduler.borrow_mut().definition, windows.scheduler.borrow_mut().pid) = (None, 0);
    windows.done("start").await;
    assert!(windows.scheduler.borrow().definition.is_some());
    (windows.scheduler.borrow_mut().definition, windows.scheduler.borrow_mut().pid) = (None, 0);
    windows.done("stop").await;
    windows.done("uninstall").await;
    assert!(!windows.file().exists());
}

#[tokio::test(start_paused = true)]
async fn places_of_this_shell_alone_are_refused() {
    let mut windows = Windows::empty();
    windows.env.set("CLAWDBOT_STATE_DIR", "D:\\state");
    for held in [None, Some("D:\\other")] {
        windows.scheduler.borrow_mut().registry = held;
        let said = windows.failure("install").await;
        assert!(said.contains("setx CLAWDBOT_STATE_DIR \"D:\\state\""), "{said}");
        assert!(!windows.file().exists());
    }
    windows.scheduler.borrow_mut().registry = Some("D:\\state");
    windows.done("install").await;
}

#[tokio::test(start_paused = true)]
async fn the_task_of_the_original_is_seen_and_replaced_by_force() {
    let windows = Windows::empty();
    let old = "<Task><Actions><Exec><Command>C:\\Users\\you\\.clawdbot\\gateway.cmd</Command></Exec></Actions></Task>";
    windows.scheduler.borrow_mut().definition = Some(old.to_owned());
    assert_eq!(windows.done("install").await.done, Done::AlreadyInstalled);
    fs::create_dir_all(windows.file().parent().expect("folder")).expect("folder");
    fs::write(windows.file().with_file_name("gateway.cmd"), "set CLAWDBOT_GATEWAY_TOKEN=old")
        .expect("script");
    let done = windows.done("install --force --token canary-canary-canary").await;
    assert!(done.warnings.iter().any(|warning| warning.contains("gateway.cmd")), "{:?}", done.warnings);
    let new = windows.scheduler.borrow().definition.clone().expect("is registered");
    assert!(new.contains(&format!("{DAEMON}</Command>")) && !new.contains("canary"), "{new}");
    assert!(windows.fake.calls().iter().all(|call| !call.contains("canary")));
}
