//! Trials on real files with a real reload: how they end, and that nothing else ends them.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_config::live::{Current, Live};
use gateway_config::load;
use gateway_config::write::{self, record_path};
use gateway_server::admin::health::{Board, Part, Phase, State};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::reload::{self, ReloadOptions};

const BEFORE: &str = "{gateway: {port: 5}, logging: {level: 'info'}} // mine\n";
const LIVELY: &str = "{gateway: {port: 5}, logging: {level: 'debug'}}\n";
const RESTARTS: &str = "{gateway: {port: 6}, logging: {level: 'info'}}\n";
const LONG: Duration = Duration::from_secs(600);

struct Home {
    _dir: tempfile::TempDir,
    paths: Paths,
    env: Env,
    live: Live,
    board: Board,
    restarts: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        let home = dir.path().display().to_string();
        let env = Env::from_pairs([("HOME", home.clone()), ("TMPDIR", home)]);
        let paths = Paths::resolve(&env, None).expect("home is set");
        fs::create_dir_all(&paths.state).expect("folder");
        fs::write(&paths.config, BEFORE).expect("config");
        let live = Live::new(Current::of(&load::load(&paths, &env), None));
        let board = Board::new(Clock::manual(0));
        Part::ALL.into_iter().for_each(|part| board.set(part, State::Serving, ""));
        board.enter(Phase::Serving);
        Self { _dir: dir, paths, env, live, board, restarts: Arc::default(), stop: CancellationToken::new() }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.paths.config).expect("config")
    }

    fn on_trial(&self) -> bool {
        record_path(&self.paths).exists()
    }

    /// The handle, with its owner and that of reloads running; level trace cannot be put in force.
    fn trials(&self) -> Trials {
        let restarts = self.restarts.clone();
        let (reload, reloads) = reload::new(ReloadOptions {
            live: self.live.clone(),
            paths: self.paths.clone(),
            env: self.env.clone(),
            clock: Clock::manual(0),
            apply: Box::new(|config| {
                let refuses = config.logging.level == gateway_config::sections::Level::Trace;
                if refuses { Err("that would not be safe".to_owned()) } else { Ok(()) }
            }),
            restart: Arc::new(move |_, _| {
                restarts.fetch_add(1, Ordering::Relaxed);
            }),
            files: Vec::new(),
        });
        let found = find(&self.paths, &self.env, &Clock::manual(0));
        let (trials, owner) = new(TrialsOptions {
            paths: self.paths.clone(),
            env: self.env.clone(),
            clock: Clock::manual(0),
            live: self.live.clone(),
            reload,
            board: self.board.clone(),
            carried: found.trial,
            is_owner: true,
        });
        let tasks = gateway_base::task::Tasks::default();
        let kind = gateway_base::task::Kind::Essential;
        tasks.spawn("reloads", kind, reloads.run(self.stop.clone()));
        tasks.spawn("trials", kind, owner.run(self.stop.clone()));
        trials
    }

    async fn until_over(&self, trials: &Trials) {
        while trials.current().is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn level(&self) -> String {
        self.live.current().value["logging"]["level"].as_str().unwrap_or_default().to_owned()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test]
async fn what_is_confirmed_stays() {
    let home = Home::new();
    let trials = home.trials();
    let applied = trials.apply(LIVELY.to_owned(), LONG).await.expect("applied");
    assert_eq!((applied.trial.changed, applied.restarts), (vec!["logging.level".to_owned()], false));
    assert_eq!((home.level().as_str(), home.text().as_str()), ("debug", LIVELY));
    assert!(trials.current().is_some() && home.on_trial());
    trials.confirm().await.expect("confirmed");
    assert!(trials.current().is_none() && !home.on_trial());
    assert_eq!(home.text(), LIVELY);
    let nothing = Err(Error::Impossible("no config change waits to be confirmed".to_owned()));
    assert_eq!((trials.confirm().await, trials.revert().await), (nothing.clone(), nothing));
}

#[tokio::test]
async fn what_nobody_confirms_is_taken_back_and_out_of_force() {
    let home = Home::new();
    let trials = home.trials();
    trials.apply(LIVELY.to_owned(), Duration::from_millis(20)).await.expect("applied");
    home.until_over(&trials).await;
    while home.level() != "info" {
        tokio::task::yield_now().await;
    }
    assert_eq!((home.text().as_str(), home.on_trial()), (BEFORE, false));
}

#[tokio::test]
async fn a_drop_of_health_ends_a_trial_and_less_does_not() {
    let home = Home::new();
    let trials = home.trials();
    trials.apply(LIVELY.to_owned(), LONG).await.expect("applied");
    home.board.set(Part::Log, State::Failed, "a part that is not vital");
    trials.confirm().await.expect("still on trial");
    trials.apply(BEFORE.to_owned(), LONG).await.expect("applied");
    home.board.set(Part::Store, State::Failed, "disk is gone");
    home.until_over(&trials).await;
    assert_eq!(home.text(), LIVELY);
}

#[tokio::test]
async fn a_restart_is_carried_through_and_cannot_be_confirmed_before() {
    let home = Home::new();
    let trials = home.trials();
    let applied = trials.apply(RESTARTS.to_owned(), LONG).await.expect("applied");
    assert!(applied.restarts);
    assert_eq!(home.restarts.load(Ordering::Relaxed), 1);
    let Err(Error::Impossible(text)) = trials.confirm().await else { panic!("it is not in force yet") };
    assert!(text.contains("restarts first"), "{text}");
    home.board.enter(Phase::Draining);
    home.board.enter(Phase::Stopping);
    assert!(trials.current().is_some(), "a stop is no drop of health");

    // The same process starts again, with the new text in force.
    home.live.replace(Current::of(&load::load(&home.paths, &home.env), None));
    let again = home.trials();
    let left = again.current().expect("carried on").left.expect("a time");
    assert!(left.seconds > 500, "{left:?}");
    again.confirm().await.expect("confirmed");
    assert_eq!((home.text().as_str(), home.on_trial()), (RESTARTS, false));
}

#[tokio::test]
async fn what_cannot_be_put_in_force_is_back_at_once() {
    let home = Home::new();
    let trials = home.trials();
    let refused = BEFORE.replace("info", "trace");
    let answer = trials.apply(refused, LONG).await;
    let text = "that would not be safe; the old config is back".to_owned();
    assert_eq!(answer, Err(Error::Invalid(text)));
    assert_eq!((home.text().as_str(), home.on_trial()), (BEFORE, false));
    for (text, says) in [("{", "invalid end"), ("{gateway: {port: 'x'}}", "invalid config: gateway.port")] {
        let Err(Error::Invalid(why)) = trials.apply(text.to_owned(), LONG).await else { panic!("{text}") };
        assert!(why.contains(says), "{why}");
        assert_eq!((home.text().as_str(), home.on_trial()), (BEFORE, false));
    }
}

#[tokio::test]
async fn the_text_to_go_back_to_must_be_the_one_in_force() {
    let home = Home::new();
    let trials = home.trials();
    fs::write(&home.paths.config, "{gateway: {port: 8}}").expect("an edit that waits for a restart");
    let Err(Error::Impossible(text)) = trials.apply(LIVELY.to_owned(), LONG).await else { panic!("refused") };
    assert!(text.contains("not in force"), "{text}");
    assert!(!home.on_trial());
}

#[test]
fn a_start_takes_back_what_another_process_left() {
    let home = Home::new();
    let writer = write::Writer::new(home.paths.clone(), home.env.clone());
    let hash = load::load(&home.paths, &home.env).hash;
    writer.begin_trial(RESTARTS, &hash, LONG, 0).expect("on trial");
    let ours = |now| find(&home.paths, &home.env, &Clock::manual(now));
    assert!(ours(1_000).trial.is_some());
    let path = record_path(&home.paths);
    let record = fs::read_to_string(&path).expect("a record");
    let pid = format!("\"pid\":{}", std::process::id());
    fs::write(&path, record.replace(&pid, "\"pid\":1")).expect("as if another process wrote it");
    let found = ours(1_000);
    let note = found.note.expect("a note");
    assert!(note.contains("(gateway.port): the gateway ended before it was confirmed"), "{note}");
    assert_eq!((found.trial, home.text().as_str(), home.on_trial()), (None, BEFORE, false));

    writer.begin_trial(RESTARTS, &hash, LONG, 0).expect("on trial");
    let note = ours(600_000).note.expect("a note");
    assert!(note.contains("its time was up during the restart"), "{note}");
    assert_eq!((home.text().as_str(), home.on_trial()), (BEFORE, false));

    fs::write(&path, "{").expect("damage");
    let note = ours(0).note.expect("a note");
    assert!(note.contains("clawdbot.json.trial, cannot be used"), "{note}");
    assert!(home.on_trial());
}
