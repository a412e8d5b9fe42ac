use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_config::sections::Level;
use serde_json::Value;

use super::file::FileSink;
use super::queue::{Sink, note};
use super::*;

const LONG: Duration = Duration::from_secs(20);

struct Logged {
    dir: tempfile::TempDir,
    log: LogHandle,
}

impl Logged {
    fn path(&self) -> PathBuf {
        self.dir.path().join("logs/gateway.log")
    }

    fn lines(&self) -> Vec<Value> {
        assert!(self.log.flush(LONG));
        read(&self.path())
    }

    fn messages(&self) -> Vec<String> {
        self.lines().iter().map(|line| line["1"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a whole JSON line")).collect()
}

/// Runs `work` with a log of its own, nothing on the console.
fn with_log(work: impl FnOnce(&Logged)) {
    let options = Options {
        clock: Clock::manual(1_769_685_937_869),
        file_level: Level::Info,
        console_level: Level::Silent,
        verbose: false,
        style: None,
        only: None,
    };
    let (log, subscriber) = start(options, &Env::default()).expect("threads");
    let logged = Logged { dir: tempfile::tempdir().expect("folder"), log };
    tracing::subscriber::with_default(subscriber, || work(&logged));
}

#[test]
fn a_record_has_the_form_that_viewers_of_the_original_read() {
    with_log(|logged| {
        tracing::info!(subsystem = "gateway", "early");
        logged.log.set_file(logged.path());
        tracing::warn!(
            subsystem = "gateway/ws",
            conn = "a\u{1b}b",
            n = 3,
            token = "hunter2",
            "bad \u{202e}frame"
        );
        tracing::debug!("not for the file");
        let lines = logged.lines();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["1"], "early");
        assert_eq!(
            lines[1],
            serde_json::json!({
                "time": "2026-01-29T11:25:37.869Z",
                "_meta": {
                    "date": "2026-01-29T11:25:37.869Z",
                    "logLevelId": 2,
                    "logLevelName": "WARN",
                    "name": "{\"subsystem\":\"gateway/ws\"}",
                    "parentNames": ["clawdbot"],
                },
                "1": "bad \\u{202e}frame",
                "2": { "conn": "a\\u{1b}b", "n": 3, "token": "***" },
            })
        );
    });
}

#[cfg(unix)]
#[test]
fn the_file_and_its_folder_are_private() {
    use std::os::unix::fs::MetadataExt;
    with_log(|logged| {
        logged.log.set_file(logged.path());
        tracing::info!("x");
        logged.lines();
        let mode = |path: &Path| std::fs::metadata(path).expect("there").mode() & 0o777;
        assert_eq!((mode(&logged.path()), mode(logged.path().parent().expect("folder"))), (0o600, 0o700));
    });
}

#[test]
fn levels_change_while_it_runs() {
    with_log(|logged| {
        logged.log.set_file(logged.path());
        let say = |n: u32| {
            tracing::debug!("debug {n}");
            tracing::error!("error {n}");
        };
        say(1);
        logged.log.set_levels(Level::Debug, Level::Silent);
        say(2);
        logged.log.set_levels(Level::Silent, Level::Silent);
        say(3);
        assert_eq!(logged.messages(), ["error 1", "debug 2", "error 2"]);
    });
}

#[test]
fn libraries_are_quiet_and_our_crates_are_the_gateway() {
    with_log(|logged| {
        logged.log.set_file(logged.path());
        tracing::info!(target: "hyper::proto", "chatter");
        tracing::warn!(target: "hyper::proto", "trouble");
        tracing::info!(target: "gateway_server::ws", "ours");
        tracing::info!(target: "browser/server", "named");
        let seen: Vec<_> = logged
            .lines()
            .iter()
            .map(|line| (line["1"].clone(), line["_meta"]["name"].as_str().unwrap_or_default().to_owned()))
            .collect();
        let expected = [("trouble", "hyper"), ("ours", "gateway"), ("named", "browser/server")];
        for ((message, name), (text, subsystem)) in seen.iter().zip(expected) {
            assert_eq!(
                (message, name.as_str()),
                (&Value::from(text), format!("{{\"subsystem\":\"{subsystem}\"}}").as_str())
            );
        }
        assert_eq!(seen.len(), expected.len());
    });
}

#[test]
fn a_flood_of_equal_errors_takes_a_few_lines() {
    with_log(|logged| {
        logged.log.set_file(logged.path());
        for _ in 0..100_000 {
            tracing::error!(subsystem = "gateway", "accept failed: too many open files");
        }
        logged.lines();
        assert!(std::fs::metadata(logged.path()).expect("there").len() < 32 * 1024);
    });
}

#[test]
fn the_file_is_rotated_by_size_and_seven_old_ones_are_kept() {
    with_log(|logged| {
        logged.log.set_file(logged.path());
        // Two writers of one file, as two gateways on one state folder are.
        let sink = || {
            let mut sink =
                FileSink::new(logged.log.shared.clone(), logged.log.console.clone(), Clock::manual(0));
            sink.rotate_at = 10_000;
            sink
        };
        let mut sinks = [sink(), sink()];
        for n in 0..1000 {
            let sink = &mut sinks[n % 2];
            sink.write(&note(0, format!("{n} {}", "x".repeat(100))));
            sink.flush();
        }
        let old = |n| logged.path().with_file_name(format!("gateway.log.{n}"));
        let files: Vec<_> = (1..=8).map(old).chain([logged.path()]).collect();
        let sizes: Vec<_> =
            files.iter().map(|path| std::fs::metadata(path).map(|meta| meta.len()).ok()).collect();
        assert!(sizes[..7].iter().all(|size| size.is_some_and(|size| size > 0)), "{sizes:?}");
        assert_eq!(sizes[7], None);
        let newest: Vec<_> = [&files[0], &files[8]].into_iter().flat_map(|path| read(path)).collect();
        assert!(newest.iter().any(|line| line["1"].as_str().is_some_and(|text| text.starts_with("999 "))));
    });
}

#[test]
fn a_file_that_was_moved_away_is_opened_anew_on_request() {
    with_log(|logged| {
        logged.log.set_file(logged.path());
        tracing::info!("one");
        logged.lines();
        let moved = logged.path().with_extension("old");
        std::fs::rename(logged.path(), &moved).expect("moved");
        logged.log.reopen();
        tracing::info!("two");
        assert_eq!(logged.messages(), ["two"]);
        assert_eq!(read(&moved)[0]["1"], "one");
        let other = logged.dir.path().join("other.log");
        logged.log.set_file(other.clone());
        tracing::info!("three");
        assert!(logged.log.flush(LONG));
        assert_eq!(read(&other)[0]["1"], "three");
    });
}

#[test]
fn half_a_line_left_by_a_crash_stays_a_line_of_its_own() {
    with_log(|logged| {
        std::fs::create_dir_all(logged.path().parent().expect("folder")).expect("made");
        std::fs::write(logged.path(), "{\"half\":").expect("written");
        logged.log.set_file(logged.path());
        tracing::info!("next");
        assert!(logged.log.flush(LONG));
        let text = std::fs::read_to_string(logged.path()).expect("there");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "{\"half\":");
        assert!(lines[1].contains("\"next\""));
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_records_and_the_loss_is_counted() {
    with_log(|logged| {
        logged.log.set_file(PathBuf::from("/dev/full"));
        for n in 0..5 {
            tracing::info!("lost {n}");
        }
        assert!(logged.log.flush(LONG));
        logged.log.set_file(logged.path());
        tracing::info!("back");
        assert_eq!(logged.messages(), ["5 log records were lost: the log file could not be written", "back"]);
    });
}
