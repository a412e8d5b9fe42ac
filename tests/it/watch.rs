//! The alarm against real gateways that are killed, frozen, stopped and brought back: who is told, and how often.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, ensure};
use gateway_tests::daemon::Daemon;
use gateway_tests::home::Home;
use gateway_tests::program::{Finished, Program};
use gateway_tests::wait::{until, within};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

/// A web service that takes notes.
struct Hook {
    address: String,
    status: Arc<AtomicU16>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Hook {
    fn new() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let (status, seen) = (Arc::new(AtomicU16::new(200)), Arc::new(Mutex::new(Vec::new())));
        let (answer, notes) = (status.clone(), seen.clone());
        // It ends with the test's process.
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut text = Vec::new();
                let mut piece = [0; 4096];
                while !is_whole(&text) {
                    match stream.read(&mut piece) {
                        Ok(read @ 1..) => text.extend_from_slice(&piece[..read]),
                        _ => break,
                    }
                }
                let text = String::from_utf8_lossy(&text).into_owned();
                notes.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                let status = answer.load(Ordering::Relaxed);
                let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                // A client that went away is none of its business.
                let _ = stream.write_all(head.as_bytes());
            }
        });
        Ok(Self { address, status, seen })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The event of each request.
    fn events(&self) -> Result<Vec<String>> {
        self.seen()
            .iter()
            .map(|text| Ok(body(text)?["event"].as_str().context("an event")?.to_owned()))
            .collect()
    }
}

fn is_whole(seen: &[u8]) -> bool {
    let text = String::from_utf8_lossy(seen).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn body(request: &str) -> Result<Value> {
    let (_, body) = request.split_once("\r\n\r\n").context("a request")?;
    Ok(serde_json::from_str(body)?)
}

/// A program that appends what it is given to a file.
fn pager(home: &Home) -> Result<String> {
    home.write("page.sh", "printf '%s %s %s\\n' \"$GATEWAY_WATCH_EVENT\" \"$GATEWAY_WATCH_KIND\" \"$1\" >> pages; cat >> documents\n")?;
    Ok(home.path().join("page.sh").display().to_string())
}

fn pages(home: &Home) -> String {
    home.read("pages").unwrap_or_default()
}

async fn look(home: &Home, line: &str) -> Result<(Finished, Value)> {
    look_after(home, "0", line).await
}

async fn look_after(home: &Home, after: &str, line: &str) -> Result<(Finished, Value)> {
    let words = ["watch", "--json", "--after", after].into_iter().chain(line.split_whitespace());
    let seen = Program::Gatewayctl.run(home, &words.collect::<Vec<_>>()).await?;
    let report = serde_json::from_str(&seen.stdout).with_context(|| format!("{line}: {seen:?}"))?;
    Ok((seen, report))
}

async fn state(home: &Home, line: &str) -> Result<(Option<i32>, String)> {
    let (seen, report) = look(home, line).await?;
    Ok((seen.code, report["state"].as_str().unwrap_or_default().to_owned()))
}

fn expect(found: (Option<i32>, String), code: i32, word: &str) -> Result<()> {
    ensure!(found == (Some(code), word.to_owned()), "{found:?}, not {code} {word}");
    Ok(())
}

#[test]
fn a_dead_gateway_is_told_once_and_its_return_once() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let (home, hook) = (daemon.home.clone(), Hook::new()?);
        home.write("hook.url", &format!("http://{}/s3cret?key=s3cret\n", hook.address))?;
        home.write("hook.headers", "Authorization: Bearer c4nary\n")?;
        let line = format!(
            "--webhook-file hook.url --header-file hook.headers --on-recovery --settle 2 --exec /bin/sh {} $(touch;nowhere)",
            pager(&home)?
        );
        expect(state(&home, &line).await?, 0, "well")?;
        daemon.kill().await?;
        let (dead, report) = look(&home, &line).await?;
        ensure!(dead.code == Some(3) && report["state"] == "dead", "{dead:?}");
        ensure!(report["told"].as_array().map(Vec::len) == Some(2), "{report}");
        for _ in 0..3 {
            expect(state(&home, &line).await?, 3, "dead")?;
        }
        ensure!(
            hook.events()? == ["alarm"] && pages(&home) == "alarm dead $(touch;nowhere)\n",
            "{}",
            pages(&home)
        );
        let alarm = hook.seen().remove(0);
        let (head, document) = (alarm.to_ascii_lowercase(), body(&alarm)?);
        ensure!(
            head.contains("post /s3cret?key=s3cret http/1.1") && head.contains("bearer c4nary"),
            "{alarm}"
        );
        for field in ["text", "content"] {
            let text = document[field].as_str().context("a text")?;
            for part in [" is dead: ", "Since: 2", "Next: gatewayctl doctor"] {
                ensure!(text.contains(part), "{part}: {text}");
            }
        }
        ensure!(document["profile"] == "default" && document["host"].is_string(), "{document}");
        let to_program: Value = serde_json::from_str(&home.read("documents")?)?;
        ensure!(to_program == document, "{to_program}");
        daemon.start_again().await?;
        expect(state(&home, &line).await?, 0, "well")?;
        ensure!(hook.events()? == ["alarm"], "one good look is not the end");
        for _ in 0..3 {
            expect(state(&home, &line).await?, 0, "well")?;
        }
        ensure!(hook.events()? == ["alarm", "recovery"], "{:?}", hook.events()?);
        ensure!(pages(&home).ends_with("\nrecovery dead $(touch;nowhere)\n"), "{}", pages(&home));
        ensure!(body(&hook.seen()[1])?["incident"] == document["incident"], "it is the same incident");
        let record = home.read(".clawdbot/watch/record.json")?;
        ensure!(!record.contains("s3cret") && !record.contains("c4nary"), "{record}");
        Ok(())
    });
}

#[test]
fn many_looks_at_once_tell_once() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let (home, hook) = (daemon.home.clone(), Hook::new()?);
        daemon.kill().await?;
        let line = format!("--webhook http://{}/", hook.address);
        let looks = (0..8).map(|_| state(&home, &line));
        for found in futures_util::future::try_join_all(looks).await? {
            expect(found, 3, "dead")?;
        }
        ensure!(hook.events()? == ["alarm"], "{:?}", hook.events()?);
        Ok(())
    });
}

#[test]
fn a_stop_on_purpose_and_a_restart_are_no_incidents() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let home = daemon.home.clone();
        let line = format!("--exec /bin/sh {}", pager(&home)?);
        expect(state(&home, &line).await?, 0, "well")?;
        // Gone for a moment, and back before the time is over.
        let watched = look_after(&home, "25s", &line);
        let restarted = async {
            daemon.kill().await?;
            daemon.start_again().await
        };
        let (found, restarted) = tokio::join!(watched, restarted);
        restarted?;
        let (seen, report) = found?;
        ensure!(seen.code == Some(0) && report["state"] == "well", "{seen:?}");
        daemon.stop().await?;
        expect(state(&home, &line).await?, 0, "off")?;
        expect(state(&home, &line).await?, 0, "off")?;
        ensure!(pages(&home).is_empty(), "{}", pages(&home));
        Ok(())
    });
}

#[test]
fn a_frozen_gateway_is_wedged() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let line = format!("--exec /bin/sh {}", pager(&daemon.home)?);
        daemon.signal(Signal::STOP)?;
        let (seen, report) = look(&daemon.home, &line).await?;
        ensure!(seen.code == Some(1) && report["state"] == "wedged", "{seen:?}");
        let pid = daemon.pid()?.as_raw_nonzero();
        ensure!(
            report["summary"].as_str().is_some_and(|text| text.contains(&format!("pid {pid}"))),
            "{report}"
        );
        ensure!(pages(&daemon.home) == "alarm wedged \n", "{}", pages(&daemon.home));
        daemon.signal(Signal::CONT)?;
        expect(state(&daemon.home, &line).await?, 0, "well")?;
        Ok(())
    });
}

#[test]
fn who_cannot_be_told_is_tried_again_and_nobody_twice() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let (home, hook) = (daemon.home.clone(), Hook::new()?);
        let line = format!("--webhook http://{}/s3cret --exec /bin/sh {}", hook.address, pager(&home)?);
        daemon.kill().await?;
        hook.status.store(503, Ordering::Relaxed);
        let (seen, report) = look(&home, &line).await?;
        let failed = &report["failed"][0];
        ensure!(failed["channel"] == "webhook" && failed["attempts"] == 1, "{report}");
        let error = failed["error"].as_str().context("an error")?;
        ensure!(error.contains("answered 503") && !seen.stdout.contains("s3cret"), "{seen:?}");
        let (_, report) = look(&home, &line).await?;
        ensure!(report["failed"][0]["attempts"] == 2, "{report}");
        let status = Program::Gatewayctl.run(&home, &["watch", "status", "--json"]).await?;
        let status: Value = serde_json::from_str(&status.stdout)?;
        ensure!(status["failed"][0]["attempts"] == 2 && status["installed"] == false, "{status}");
        hook.status.store(204, Ordering::Relaxed);
        let (_, report) = look(&home, &line).await?;
        ensure!(
            report["failed"] == Value::Array(Vec::new()) && report["told"][0]["channel"] == "webhook",
            "{report}"
        );
        look(&home, &line).await?;
        ensure!(hook.events()? == ["alarm"; 3], "two were refused: {:?}", hook.events()?);
        ensure!(pages(&home) == "alarm dead \n", "{}", pages(&home));
        Ok(())
    });
}

#[test]
fn a_program_that_misbehaves_is_an_answer() {
    gateway_tests::run(async {
        let home = Arc::new(Home::configured()?);
        let mut daemon = Daemon::builder().home(home.clone()).start().await?;
        daemon.kill().await?;
        home.write("bad.sh", "yes no >&2 & sleep 0; kill $!; kill -KILL $$\n")?;
        let line = format!("--exec /bin/sh {}", home.path().join("bad.sh").display());
        let (seen, report) = look(&home, &line).await?;
        ensure!(seen.code == Some(3), "{seen:?}");
        let error = report["failed"][0]["error"].as_str().context("an error")?;
        ensure!(error.contains("/bin/sh failed (signal: 9"), "{error}");
        let gone = Program::Gatewayctl.run(&home, &["watch", "--exec", "./not-there"]).await?;
        ensure!(gone.code == Some(2) && gone.stderr.contains("there is no program ./not-there"), "{gone:?}");
        Ok(())
    });
}

#[test]
fn a_damaged_record_is_put_aside_and_the_watch_goes_on() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let home = daemon.home.clone();
        let line = format!("--exec /bin/sh {}", pager(&home)?);
        home.write(".clawdbot/watch/record.json", "{\"incident\": \u{1}")?;
        let (seen, report) = look(&home, &line).await?;
        ensure!(seen.code == Some(0) && seen.stderr.contains("record.json.damaged"), "{seen:?}");
        ensure!(report["notes"].as_array().map(Vec::len) == Some(1), "{report}");
        ensure!(home.read(".clawdbot/watch/record.json.damaged")? == "{\"incident\": \u{1}", "it is kept");
        daemon.kill().await?;
        let folder = home.state().join("watch");
        fs::remove_dir_all(&folder)?;
        fs::write(&folder, "in the way")?;
        let (seen, report) = look(&home, &line).await?;
        ensure!(seen.code == Some(3) && report["told"][0]["channel"] == "exec", "it tells anyway: {seen:?}");
        ensure!(seen.stderr.contains("cannot be remembered"), "{seen:?}");
        Ok(())
    });
}

#[test]
fn a_watch_in_the_foreground_goes_on_until_it_is_stopped() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let home = daemon.home.clone();
        let mut command = Program::Gatewayctl.command(&home).await?;
        command.args(["watch", "--every", "1s", "--after", "0", "--settle", "1", "--on-recovery", "--json"]);
        command.args(["--exec", "/bin/sh", &pager(&home)?]).stdout(Stdio::piped());
        let mut watch = command.spawn()?;
        let mut lines = BufReader::new(watch.stdout.take().context("its output")?).lines();
        let mut next = async |wanted: &str| -> Result<()> {
            loop {
                let line = within("a look", lines.next_line()).await??.context("it goes on")?;
                let report: Value = serde_json::from_str(&line)?;
                if report["state"] == wanted {
                    return Ok(());
                }
            }
        };
        next("well").await?;
        daemon.kill().await?;
        next("dead").await?;
        daemon.start_again().await?;
        next("well").await?;
        until("both pages", || async { Ok((pages(&home) == "alarm dead \nrecovery dead \n").then_some(())) })
            .await?;
        let pid = watch.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).context("a pid")?;
        kill_process(pid, Signal::INT)?;
        ensure!(within("its end", watch.wait()).await??.code() == Some(0), "it ends in order");
        Ok(())
    });
}

#[test]
fn the_desktop_is_told_when_it_can_be() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let home = daemon.home.clone();
        daemon.kill().await?;
        let args = ["watch", "--json", "--after", "0", "--notify"];
        let none = Program::Gatewayctl.run_with(&home, &args, &[("PATH", "/nowhere")]).await?;
        ensure!(none.stdout.contains("there is no notify-send"), "{none:?}");
        home.write("bin/notify-send", "#!/bin/sh\nfor word; do echo \"<$word>\"; done > \"$HOME/shown\"\n")?;
        let bin = home.path().join("bin");
        fs::set_permissions(bin.join("notify-send"), fs::Permissions::from_mode(0o755))?;
        let seen =
            Program::Gatewayctl.run_with(&home, &args, &[("PATH", &bin.display().to_string())]).await?;
        let report: Value = serde_json::from_str(&seen.stdout)?;
        ensure!(report["told"][0]["channel"] == "notify", "{report}");
        let shown = home.read("shown")?;
        ensure!(shown.contains("<critical>\n<-->\n<Gateway on "), "{shown}");
        ensure!(shown.contains("Next: gatewayctl doctor"), "{shown}");
        Ok(())
    });
}

#[test]
fn a_home_without_a_gateway_is_left_alone() {
    gateway_tests::run(async {
        let home = Home::new()?;
        expect(state(&home, "--notify").await?, 0, "off")?;
        ensure!(!home.state().exists(), "nothing is made there");
        Ok(())
    });
}

#[test]
fn no_timer_without_a_manager_and_the_reason_is_said() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        let env = [("PATH", "/nowhere")];
        let args = ["watch", "install", "--webhook", "http://127.0.0.1:1/s3cret"];
        let seen = Program::Gatewayctl.run_with(&home, &args, &env).await?;
        ensure!(seen.code == Some(1) && seen.stderr.contains("systemctl not available"), "{seen:?}");
        ensure!(!seen.stderr.contains("s3cret") && !home.state().join("watch").exists(), "{seen:?}");
        let planned = Program::Gatewayctl.run(&home, &[&args[..], &["--dry-run"]].concat()).await?;
        ensure!(planned.code == Some(0) && !planned.stdout.contains("s3cret"), "{planned:?}");
        ensure!(planned.stdout.contains("watch --settings "), "{planned:?}");
        let nobody = Program::Gatewayctl.run(&home, &["watch", "install"]).await?;
        ensure!(nobody.code == Some(2), "{nobody:?}");
        let status = Program::Gatewayctl.run(&home, &["watch", "status"]).await?;
        ensure!(
            status.code == Some(3) && status.stdout.contains("nobody watches this gateway"),
            "{status:?}"
        );
        Ok(())
    });
}
