//! The timer of the watch against the stand-in: it stands beside the gateway's service and goes with it.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// Whether the timer is enabled, and whether it waits.
#[derive(Default)]
struct Timer {
    enabled: bool,
    active: bool,
    /// It does not start.
    broken: bool,
}

struct Box {
    machine: Machine,
    timer: Rc<RefCell<Timer>>,
    fake: Fake,
}

impl Box {
    fn new() -> Self {
        let machine = Machine::empty();
        let timer = Rc::new(RefCell::new(Timer::default()));
        let (shared, unit, file) = (timer.clone(), machine.unit.clone(), machine.unit_file());
        let timer_file = file.with_file_name("clawdbot-gateway.watch.timer");
        let fake = Fake::answering(move |call| {
            let has = |word: &str| call.arguments.iter().any(|one| one == word);
            if !call.arguments.iter().any(|word| word.contains(".watch.")) {
                return Ok(unit.borrow_mut().answer(call, &file));
            }
            let mut timer = shared.borrow_mut();
            let mut stdout = String::new();
            if has("show") {
                let (load, enabled) = match (timer_file.exists(), timer.enabled) {
                    (false, _) => ("not-found", ""),
                    (true, true) => ("loaded", "enabled"),
                    (true, false) => ("loaded", "disabled"),
                };
                let active = if timer.active { "active" } else { "inactive" };
                stdout = format!("LoadState={load}\nUnitFileState={enabled}\nActiveState={active}\n");
            } else if has("enable") {
                timer.enabled = true;
            } else if has("restart") {
                timer.active = !timer.broken;
            } else if has("disable") {
                assert!(has("--now"), "{call}");
                (timer.enabled, timer.active) = (false, false);
            }
            Ok(Ran { success: true, stdout, ..Ran::default() })
        });
        fs::write(machine.home.path().join("hook"), "https://example.com/canary\n").expect("file");
        Self { machine, timer, fake }
    }

    async fn run(&self, line: &str) -> Result<Outcome, Failure> {
        let line = line.replace("HOOK", &self.machine.home.path().join("hook").display().to_string());
        self.machine.run_with(&line, &self.fake).await
    }

    async fn done(&self, line: &str) -> Outcome {
        self.run(line).await.unwrap_or_else(|failure| panic!("{line}: {failure}"))
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.machine.unit_file().with_file_name(format!("clawdbot-gateway.watch.{name}"))
    }

    fn folder(&self) -> std::path::PathBuf {
        self.machine.app.paths.state.join("watch")
    }
}

const INSTALL: &str = "watch install --webhook-file HOOK --every 30s";

#[tokio::test(start_paused = true)]
async fn the_life_of_a_watch() {
    let it = Box::new();
    let planned = it.done(&format!("{INSTALL} --dry-run")).await;
    assert_schema("service", &Document::done(Action::WatchInstall, &planned));
    let plan = planned.render().plain();
    assert!(!plan.contains("canary") && !it.file("timer").exists() && !it.folder().exists(), "{plan}");
    let done = it.done(INSTALL).await;
    assert_schema("service", &Document::done(Action::WatchInstall, &done));
    let timer = it.file("timer").display().to_string();
    assert!(
        done.render()
            .plain()
            .starts_with(&format!("Installed systemd service: {timer}\nThe watch looks every 30 s.\n"))
    );
    assert!(done.warnings[0].contains("enable-linger you"), "{:?}", done.warnings);
    for line in plan.lines().filter_map(|line| line.strip_prefix("run ")) {
        assert!(it.fake.calls().iter().any(|call| call == line), "{line}");
    }
    let settings = it.folder().join("settings.json");
    assert!(fs::read_to_string(&settings).expect("is there").contains("canary"));
    assert_eq!(fs::metadata(&settings).expect("is there").permissions().mode() & 0o777, 0o600);
    for name in ["service", "timer"] {
        assert!(!fs::read_to_string(it.file(name)).expect("is there").contains("canary"), "{name}");
    }
    assert!(it.fake.calls().iter().all(|call| !call.contains("canary")));
    let calls = it.fake.calls().len();
    assert_eq!(it.done(INSTALL).await.done, Done::AlreadyInstalled);
    assert!(it.fake.calls()[calls..].iter().all(|call| call.contains(" show ")), "nothing is changed");
    assert_eq!(it.done(&format!("{INSTALL} --on-recovery")).await.done, Done::Installed);
    it.timer.borrow_mut().active = false;
    assert_eq!(it.done(&format!("{INSTALL} --on-recovery")).await.done, Done::Installed, "it is set again");
    assert_eq!(it.done("watch uninstall --dry-run").await.done, Done::Planned);
    assert!(it.file("timer").exists());
    let gone = it.done("watch uninstall").await;
    assert_eq!(gone.render().plain(), format!("Removed the watch: {timer}\n"));
    assert!(!it.folder().exists() && !it.file("timer").exists() && !it.file("service").exists());
    let again = it.done("watch uninstall").await;
    assert_eq!(
        (again.done, again.message.as_deref()),
        (Done::NotLoaded, Some("There is no watch to remove."))
    );
}

#[tokio::test(start_paused = true)]
async fn it_goes_with_the_gateway() {
    let it = Box::new();
    it.done("install").await;
    it.done(INSTALL).await;
    assert!(it.done("uninstall --dry-run").await.render().plain().contains(".watch.timer"));
    let done = it.done("uninstall").await;
    assert!(done.render().plain().contains("Removed the watch: "), "{}", done.render().plain());
    assert!(!it.folder().exists() && !it.file("timer").exists());
    assert!(!it.timer.borrow().active);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_does_not_start_is_said() {
    let it = Box::new();
    it.timer.borrow_mut().broken = true;
    let Err(Failure::Failed(reason)) = it.run(INSTALL).await else { panic!("it fails") };
    assert!(
        reason.message.starts_with("Gateway watch install failed: the timer does not run"),
        "{}",
        reason.message
    );
    assert!(reason.hint.is_some_and(|hint| hint.contains("watch status")));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_would_tell_nobody_is_refused() {
    let it = Box::new();
    for line in
        ["watch install", "watch install --on-recovery", "watch install --exec no-such-program-anywhere"]
    {
        let failure = it.run(line).await.expect_err("is refused");
        assert_eq!(failure.exit(), crate::exit::Exit::Usage, "{line}");
    }
    assert_eq!(it.fake.calls(), Vec::<String>::new());
}
