//! What holds for every manager, played on each of the three: the life of a service, dry runs, and tools that answer
//! nonsense.

use super::launchd::Mac;
use super::schtasks::Windows;
use super::*;

/// Plays a scene with every manager.
macro_rules! with_every_manager {
    ($($scene:ident)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $scene() {
            scene::$scene(&Machine::empty()).await;
            scene::$scene(&Mac::empty()).await;
            scene::$scene(&Windows::empty()).await;
        }
    )*};
}

with_every_manager! {
    the_life_of_a_service
    a_dry_run_prints_the_steps_and_takes_none
    every_fault_of_every_tool_is_an_answer
}

#[tokio::test(start_paused = true)]
async fn the_life_of_a_task_on_a_machine_that_speaks_german() {
    let windows = Windows::empty();
    windows.scheduler.borrow_mut().german = true;
    scene::the_life_of_a_service(&windows).await;
}

mod scene {
    use super::*;

    const ACTIONS: [&str; 5] = ["install", "start", "stop", "restart", "uninstall"];

    pub async fn the_life_of_a_service<S: Stage>(stage: &S) {
        let (kind, name) = stage.service();
        let (noun, (_, yes, _)) = (kind.noun(), kind.words());
        let (runs, rests) =
            if kind == Kind::Schtasks { ("running", "stopped") } else { ("active", "inactive") };
        let (runs, rests) = (format!("✓ service runtime: {runs}\n"), format!("✓ service runtime: {rests}\n"));
        let file = stage.file().display().to_string();
        let started = format!("✓ {noun} {yes}\n{runs}Started {noun}: {name}\n");
        let stopped = format!("Stopped {noun}: {name}\n{rests}");
        let removed = format!("Removed {noun}: {file}\n");
        let installed = format!("✓ {noun} {yes}\n{runs}Installed {noun}: {file}\n");
        let already = format!("Gateway service already {yes}.\nReinstall with: gatewayctl install --force\n");
        for (line, done, text, starts) in [
            ("install", Done::Installed, installed, 1),
            ("install", Done::AlreadyInstalled, already, 1),
            // It runs already.
            ("start", Done::Started, started.clone(), 1),
            ("restart", Done::Restarted, format!("{runs}Restarted {noun}: {name}\n"), 2),
            ("stop", Done::Stopped, stopped.clone(), 2),
            ("stop", Done::Stopped, stopped, 2),
            ("start", Done::Started, started, 3),
            ("uninstall", Done::Uninstalled, removed, 3),
            ("uninstall", Done::NotLoaded, String::new(), 3),
            ("stop", Done::NotLoaded, String::new(), 3),
            ("start", Done::NotLoaded, String::new(), 3),
            ("restart", Done::NotLoaded, String::new(), 3),
        ] {
            let outcome = stage.done(line).await;
            assert_eq!((outcome.done, stage.starts()), (done, starts), "{line}");
            let said = outcome.render().plain();
            assert!(said.starts_with(&text), "{line}: {said}");
            assert!(stage.file().exists() != (text.is_empty() || line == "uninstall"), "{line}");
            let logs = done == Done::Installed && kind != Kind::Systemd;
            assert_eq!(said.contains("/.clawdbot/logs/gateway.log\n"), logs, "{said}");
            assert_schema("service", &Document::done(Action::Install, &outcome));
            stage.look(line, &outcome);
        }
    }

    pub async fn a_dry_run_prints_the_steps_and_takes_none<S: Stage>(stage: &S) {
        let dry = async |line: &str| {
            let planned = stage.done(&format!("{line} --dry-run")).await;
            assert_eq!(planned.done, Done::Planned, "{line}");
            assert_schema("service", &Document::done(Action::Install, &planned));
            planned
        };
        for line in ACTIONS {
            let planned = dry(line).await;
            // Nothing is stopped or removed where nothing is.
            assert_eq!(planned.plan.is_empty(), line != "install", "{line}");
        }
        assert!(!stage.file().exists());
        let planned = dry("install").await.render().plain();
        assert!(planned.ends_with("Nothing was changed.\n"), "{planned}");
        let changes = |calls: Vec<String>| calls.into_iter().filter(|call| !S::is_question(call)).count();
        assert_eq!(changes(stage.fake().calls()), 0);

        stage.done("install").await;
        let taken = stage.fake().calls();
        let steps: Vec<_> = planned.lines().filter_map(|line| line.strip_prefix("run ")).collect();
        assert!(steps.len() >= 2, "{planned}");
        assert!(steps.iter().all(|step| taken.iter().any(|call| call == step)), "{planned}\n{taken:#?}");
        let written = crate::service::read_file(&stage.file()).expect("is there");
        assert!(written.lines().all(|line| planned.contains(line.trim())), "{planned}");

        for line in ["install", "stop", "restart", "uninstall"] {
            let planned = dry(line).await;
            let said = planned.render().plain();
            let in_place = line == "restart" && said.contains("ask the gateway to restart in place");
            assert_eq!(in_place, planned.plan.is_empty(), "{line}: {said}");
            let forced = "It is installed already, so only this would do it: gatewayctl install --force\n";
            assert_eq!(said.ends_with(forced), line == "install", "{said}");
        }
        dry("start").await;
        assert_eq!(changes(stage.fake().calls()), changes(taken), "nothing was done");
        assert_eq!(stage.starts(), 1);
    }

    pub async fn every_fault_of_every_tool_is_an_answer<S: Stage>(_: &S) {
        let no = |stderr: &str| Ok(Ran { stderr: stderr.to_owned(), ..Ran::default() });
        let yes = |stdout: &str| Ok(yes(stdout.to_owned()));
        let answers: Vec<Result<Ran, RunError>> = vec![
            Err(RunError::Missing("tool".to_owned())),
            Err(RunError::Late("tool".to_owned(), 5)),
            Err(RunError::Failed("tool: exec format error".to_owned())),
            no("Failed to connect to bus: No medium found"),
            no("ERROR: The stub received bad data."),
            no(&"\u{1b}[2J\0\u{fffd}".repeat(1000)),
            no(""),
            yes(""),
            yes("ActiveState=\nMainPID=-1\n=\n"),
            yes(&"x".repeat(300_000)),
            yes(&"{\n".repeat(1_000)),
            yes(&"}\n".repeat(1_000)),
            yes("x = {\n\tstate = \n\tpid = -1\n"),
            yes(&"<Task>".repeat(1_000)),
            yes("<Task><Exec><Command>"),
        ];
        for answer in answers {
            let stage = S::empty();
            fs::create_dir_all(stage.file().parent().expect("folder")).expect("folder");
            fs::write(stage.file(), "ExecStart=/x/gatewayd\n").expect("file");
            for line in ["install --force", "start", "stop", "restart", "uninstall"] {
                let same = answer.clone();
                let fake = Fake::answering(move |_| same.clone());
                match stage.run_with(line, &fake).await {
                    Err(Failure::Failed(reason)) => {
                        assert!(reason.message.starts_with("Gateway "), "{line}: {}", reason.message);
                        assert!(reason.hint.is_some(), "{line}: {}", reason.message);
                        let hints: Vec<String> = reason.hint.iter().cloned().collect();
                        assert_schema("service", &Document::failed(Action::Start, &reason, &hints));
                    }
                    other => panic!("{line} with {answer:.60?}: {other:?}"),
                }
            }
            if stage.service().0 != Kind::Systemd {
                let kept = fs::read_to_string(stage.file()).ok();
                assert_eq!(kept.as_deref(), Some("ExecStart=/x/gatewayd\n"), "{answer:.60?}");
            }
        }
    }
}
