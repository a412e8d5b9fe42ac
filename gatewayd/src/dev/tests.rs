use std::fs;
use std::path::Path;

use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::lock_file::{LockFile, Places, Record};
use gateway_base::paths::Paths;
use gateway_base::profile::Profile;
use gateway_config::load;

use super::prepare;
use super::reset::Plan;

struct Home {
    dir: tempfile::TempDir,
    env: Env,
    paths: Paths,
}

fn home_with(extra: &[(&str, &str)]) -> Home {
    let dir = tempfile::tempdir().expect("folder");
    let text = dir.path().display().to_string();
    let mut env = Env::from_pairs([("HOME", text.clone()), ("TMPDIR", text)]);
    for (name, value) in extra {
        env.set(name, *value);
    }
    let paths = Paths::resolve(&env, Some(Profile::dev())).expect("paths");
    Home { dir, env, paths }
}

fn clock() -> Clock {
    Clock::manual(1_769_685_937_869)
}

impl Home {
    fn prepare(&self, reset: bool) {
        prepare(&self.paths, &self.env, &clock(), reset).expect("prepared");
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(path)
    }

    fn fill(&self) {
        for file in [
            "credentials/x",
            "agents/dev/sessions/a",
            "agents/main/sessions/b",
            "gateway.sqlite",
            "gateway.sqlite-wal",
            "kept",
        ] {
            let file = self.paths.state.join(file);
            fs::create_dir_all(file.parent().expect("folder")).expect("made");
            fs::write(file, "old").expect("written");
        }
    }
}

#[test]
fn a_first_start_makes_a_valid_config_and_a_workspace() {
    let home = home_with(&[]);
    fs::create_dir_all(home.at("clawd-dev")).expect("made");
    fs::write(home.at("clawd-dev/USER.md"), "mine").expect("written");
    home.prepare(false);
    let snapshot = load::load(&home.paths, &home.env);
    assert!(snapshot.valid, "{:?}", snapshot.issues);
    assert_eq!(snapshot.value["agents"]["list"][0]["identity"]["name"], "C3-PO");
    assert_eq!(snapshot.value["meta"]["lastTouchedAt"], "2026-01-29T11:25:37.869Z");
    assert_eq!(fs::read_to_string(home.at("clawd-dev/USER.md")).expect("there"), "mine");
    let mut names: Vec<_> =
        fs::read_dir(home.at("clawd-dev")).expect("there").flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, ["AGENTS.md", "IDENTITY.md", "SOUL.md", "TOOLS.md", "USER.md"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
        assert_eq!((mode(&home.paths.config), mode(&home.paths.state)), (0o600, 0o700));
    }
}

#[test]
fn a_later_start_changes_nothing() {
    let home = home_with(&[]);
    home.prepare(false);
    fs::write(&home.paths.config, "{}").expect("written");
    fs::remove_dir_all(home.at("clawd-dev")).expect("removed");
    home.prepare(false);
    assert_eq!(fs::read_to_string(&home.paths.config).expect("there"), "{}");
    assert!(!home.at("clawd-dev").exists());
}

#[test]
fn a_reset_moves_the_old_state_to_the_trash_and_starts_afresh() {
    let home = home_with(&[]);
    home.prepare(false);
    home.fill();
    fs::write(&home.paths.config, "{\"old\": 1}").expect("written");
    fs::write(home.at("clawd-dev/notes.md"), "old").expect("written");
    let lines = Plan::new(&home.paths, &home.env).expect("allowed").run(&clock());
    assert_eq!(
        lines,
        [
            "Moved to Trash: ~/.clawdbot-dev/clawdbot.json",
            "Moved to Trash: ~/.clawdbot-dev/credentials",
            "Moved to Trash: ~/.clawdbot-dev/agents/dev/sessions",
            "Moved to Trash: ~/.clawdbot-dev/agents/main/sessions",
            "Moved to Trash: ~/.clawdbot-dev/gateway.sqlite",
            "Moved to Trash: ~/.clawdbot-dev/gateway.sqlite-wal",
            "Moved to Trash: ~/clawd-dev",
        ]
    );
    let trash = home.at(".clawdbot-dev/trash/2026-01-29T11-25-37-869Z");
    for (file, text) in
        [("clawdbot.json", "{\"old\": 1}"), ("agents/main/sessions/b", "old"), ("clawd-dev/notes.md", "old")]
    {
        assert_eq!(fs::read_to_string(trash.join(file)).expect(file), text);
    }
    assert!(home.at(".clawdbot-dev/kept").exists() && !home.at(".clawdbot-dev/gateway.sqlite").exists());
    home.prepare(true);
    assert!(load::load(&home.paths, &home.env).valid && home.at("clawd-dev/SOUL.md").exists());
}

#[test]
fn the_ordinary_gateway_is_never_reset() {
    for state in ["~/.clawdbot", "~", "/", "~/.clawdbot/inner"] {
        let home = home_with(&[("CLAWDBOT_STATE_DIR", state)]);
        fs::create_dir_all(home.at(".clawdbot/inner")).expect("made");
        let refused = Plan::new(&home.paths, &home.env).expect_err(state).to_string();
        assert!(refused.ends_with("which does not belong to the development profile"), "{refused}");
    }
    let home = home_with(&[("CLAWDBOT_CONFIG_PATH", "~/elsewhere/clawdbot.json")]);
    home.fill();
    fs::create_dir_all(home.at("elsewhere")).expect("made");
    assert!(Plan::new(&home.paths, &home.env).is_err());
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_are_refused() {
    let home = home_with(&[]);
    home.fill();
    fs::create_dir_all(home.at(".clawdbot/agents/main/sessions")).expect("made");
    fs::remove_dir_all(home.paths.state.join("agents")).expect("removed");
    std::os::unix::fs::symlink(home.at(".clawdbot/agents"), home.paths.state.join("agents")).expect("link");
    assert!(Plan::new(&home.paths, &home.env).is_err());
    let home = home_with(&[]);
    fs::create_dir_all(home.at("precious")).expect("made");
    std::os::unix::fs::symlink(home.at("precious"), home.at("clawd-dev")).expect("link");
    assert!(Plan::new(&home.paths, &home.env).is_err());
}

#[test]
fn a_running_gateway_is_not_reset() {
    let home = home_with(&[]);
    home.prepare(false);
    let record = Record::of_this_process(&clock(), &home.paths.config, 1, "loopback");
    let lock = LockFile::acquire(&Places::new(&home.env).state(&home.paths.state), record).expect("free");
    let refused = Plan::new(&home.paths, &home.env).expect_err("refused").to_string();
    assert!(refused.starts_with("a gateway is running on ~/.clawdbot-dev (pid "), "{refused}");
    drop(lock);
    assert!(Plan::new(&home.paths, &home.env).is_ok());
}
