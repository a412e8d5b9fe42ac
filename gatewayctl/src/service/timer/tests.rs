use std::cell::RefCell;
use std::rc::Rc;

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::profile::Profile;

use super::*;
use crate::cmds::testing::{assert_golden, env_at};
use crate::service::runner::Ran;
use crate::service::testing::{Fake, read_by_python};

fn set_up(profile: Option<&str>, more: &[(&str, &str)]) -> (Names, Paths, Env) {
    let env = env_at("/home/you", &[more, &[("USERNAME", "you")]].concat());
    let profile = profile.map(|name| Profile::parse(name).expect("is valid"));
    let paths = Paths::resolve(&env, profile).expect("HOME is set");
    (Names::new(&env, &paths), paths, env)
}

async fn texts(control: &Control, profile: Option<&str>, program: &str) -> Result<Texts, String> {
    let (gateway, paths, env) =
        set_up(profile, &[("OPENAI_API_KEY", "canary"), ("CLAWDBOT_GATEWAY_TOKEN", "canary")]);
    let scope = control.scope();
    let parts = Parts {
        manager: control.kind(),
        scope,
        names: &gateway,
        paths: &paths,
        env: &env,
        program: Path::new(program),
        port: 0,
        user: (scope == Scope::System).then_some("you"),
    };
    let spec = spec(parts, if scope == Scope::System { "-" } else { "/home/you/state/a b%h/settings.json" });
    let after = Duration::from_secs(30);
    let plan = Plan { spec: &spec, every: Duration::from_secs(90), after };
    Timer::new(control, &gateway).texts(plan, &Fake::answering(|_| Ok(Ran::default()))).await
}

fn systemd(scope: Scope) -> Control {
    Control::Systemd(systemd::Manager::at(scope, Path::new("/run/user/7")))
}

fn launchd() -> Control {
    Control::Launchd(launchd::Manager::new(501))
}

fn schtasks() -> Control {
    Control::Schtasks(schtasks::Manager::new(&set_up(None, &[]).2))
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_reviewed() {
    for (name, control, profile, program) in [
        ("watch-systemd-user", systemd(Scope::User), None, "/usr/bin/gatewayctl"),
        ("watch-systemd-system", systemd(Scope::System), Some("work"), "/usr/bin/gatewayctl"),
        ("watch-launchd", launchd(), Some("work"), "/usr/local/bin/gatewayctl"),
        ("watch-schtasks", schtasks(), Some("work"), r"C:\Program Files\gatewayctl.exe"),
    ] {
        let texts = texts(&control, profile, program).await.expect("is written");
        let all: Vec<String> =
            texts.iter().map(|(path, text)| format!("==> {} <==\n{text}", path.display())).collect();
        let all = all.join("\n");
        assert!(!all.contains("canary"), "{all}");
        assert_golden(name, &all.replace(env!("CARGO_PKG_VERSION"), "<version>"));
    }
}

#[tokio::test]
async fn a_property_list_is_one_for_others_too() {
    let texts = texts(&launchd(), None, "/opt/a b/<gatewayctl>&").await.expect("is written");
    let read = "import plistlib\ndef read(text):\n    return plistlib.loads(text.encode())\n";
    let list = &read_by_python(read, &[texts[0].1.clone()])[0];
    assert_eq!(list["StartInterval"], 90);
    assert_eq!(list["ProgramArguments"][0], "/opt/a b/<gatewayctl>&");
    assert_eq!(list["ProgramArguments"][3], "/home/you/state/a b%h/settings.json");
}

#[tokio::test]
async fn what_would_begin_a_new_line_is_refused() {
    for control in [systemd(Scope::User), launchd(), schtasks()] {
        for bad in ["/opt/a\nExecStartPre=/bin/evil", "/opt/\u{1b}[2J", "relative"] {
            assert!(texts(&control, None, bad).await.is_err(), "{bad:?}");
        }
    }
}

#[test]
fn no_two_gateways_share_a_timer() {
    let mut all = Vec::new();
    for profile in [None, Some("watch"), Some("gateway"), Some("a-watch"), Some("a")] {
        let (gateway, ..) = set_up(profile, &[]);
        let own = names(&gateway);
        for names in [gateway, own] {
            all.extend([
                names.unit.trim_end_matches(".service").trim_end_matches(".timer").to_owned(),
                names.label,
                names.task,
            ]);
        }
    }
    let count = all.len();
    // The profile named gateway has the label of the one without a name; that is the original's.
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count - 2, "{all:?}");
    let (mine, ..) = set_up(None, &[("CLAWDBOT_SYSTEMD_UNIT", "mine.service")]);
    assert_eq!(names(&mine).unit, "mine.watch.timer");
}

#[tokio::test]
async fn the_steps_are_those_of_the_manager() {
    let (gateway, ..) = set_up(None, &[]);
    for (control, program, first, last) in [
        (
            systemd(Scope::User),
            "/usr/bin/gatewayctl",
            "systemctl --user daemon-reload",
            "systemctl --user reset-failed clawdbot-gateway.watch.timer clawdbot-gateway.watch.service",
        ),
        (
            launchd(),
            "/usr/bin/gatewayctl",
            "launchctl bootout gui/501/com.clawdbot.gateway.watch",
            "launchctl bootout gui/501/com.clawdbot.gateway.watch",
        ),
        (
            schtasks(),
            r"C:\x\gatewayctl.exe",
            "schtasks /Create /TN 'Clawdbot Gateway watch'",
            "schtasks /Delete /TN 'Clawdbot Gateway watch' /F",
        ),
    ] {
        let timer = Timer::new(&control, &gateway);
        let calls = |steps: Vec<Step>| -> Vec<String> {
            let calls = steps.into_iter().filter_map(|step| match step {
                Step::Run(call) | Step::Try(call) | Step::Persist { call, .. } => Some(call.to_string()),
                _ => None,
            });
            calls.collect()
        };
        let before = timer.query(&Fake::answering(|_| Ok(Ran::default()))).await;
        let before = Service { installed: Installed::Yes, ..before };
        let texts = texts(&control, None, program).await.expect("is written");
        let install = calls(timer.install(texts));
        assert!(install[0].starts_with(first), "{install:?}");
        let remove = calls(timer.remove(&before));
        assert_eq!(remove.last().map(String::as_str), Some(last), "{remove:?}");
    }
}

#[tokio::test]
async fn a_timer_that_does_not_wait_is_not_set() {
    let state = Rc::new(RefCell::new("active"));
    let answers = state.clone();
    let fake = Fake::answering(move |_| {
        let stdout = format!("LoadState=loaded\nUnitFileState=enabled\nActiveState={}\n", answers.borrow());
        Ok(Ran { success: true, stdout, ..Ran::default() })
    });
    let timer = Timer::new(&systemd(Scope::User), &set_up(None, &[]).0);
    assert!(Timer::is_set(&timer.query(&fake).await));
    for bad in ["inactive", "failed"] {
        *state.borrow_mut() = bad;
        assert!(!Timer::is_set(&timer.query(&fake).await), "{bad}");
    }
}
