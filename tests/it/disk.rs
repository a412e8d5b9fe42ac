//! A disk that is full, read-only or broken under the running daemon, and under its start (rules R4 and R5): what was
//! acknowledged stays, what is refused is told with the way out, and the daemon serves whatever it still can.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::{Daemon, free_port};
use gateway_tests::device::Device;
use gateway_tests::faults::Faults;
use gateway_tests::home::Home;
use gateway_tests::program::{Finished, Program};
use gateway_tests::wait::until;
use gateway_tests::ws_client::{Client, Refused, refusal};
use rustix::io::Errno;
use serde_json::{Value, json};

const FULL: &str = "the disk is full; free some space and try again";
const READ_ONLY: &str = "the store is read-only; make its disk and folder writable and try again";

/// A daemon with faults to come, and a client with something to lose.
struct Scene {
    faults: Faults,
    daemon: Daemon,
    client: Client,
    /// The token of device 1, which is paired.
    token: String,
}

impl Scene {
    async fn new() -> Result<Self> {
        let home = Arc::new(Home::configured()?);
        let faults = Faults::of(&home).await?;
        let daemon = Daemon::builder().home(home).faults(&faults).start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        set_words(&mut client, "before").await?;
        let hello = daemon.connect(Connect::cli().device(Device::seeded(1))).await?.hello;
        let token = hello["auth"]["deviceToken"].as_str().context("a token")?.to_owned();
        Ok(Self { faults, daemon, client, token })
    }

    /// The store as the admin service shows it: its word and its reason.
    async fn store(&self) -> Result<Value> {
        let seen = self.daemon.ctl(&["health", "--part", "store", "--json"]).await?;
        let document: Value = serde_json::from_str(&seen.stdout)?;
        Ok(document["parts"][0].clone())
    }

    async fn store_is(&self, state: &str) -> Result<Value> {
        until(&format!("the store to be {state}"), || async {
            Ok(Some(self.store().await?).filter(|store| store["state"] == state))
        })
        .await
    }

    /// Whatever needs no writing is served: known devices, reads, the probes.
    async fn serves_reads(&mut self) -> Result<()> {
        words_are(&mut self.client, "before").await?;
        self.client.request("device.pair.list", json!({})).await?;
        self.client.request("config.get", json!({})).await?;
        let known = Connect::cli().device(Device::seeded(1)).token(&self.token);
        self.daemon.connect(known).await.context("a paired device")?;
        self.daemon.connect(Connect::cli()).await.context("the shared secret")?;
        let probe = self.daemon.get("/readyz").await?;
        ensure!(probe.status == 200, "{probe:?}");
        Ok(())
    }

    /// Writes are refused for `reason`, and everybody who looks at the health learns it.
    async fn refuses_writes(&mut self, reason: &str) -> Result<()> {
        let told = |client: &str| format!("Error: {client}: {reason}");
        let refused = self.client.refused("voicewake.set", json!({ "triggers": ["during"] })).await?;
        ensure!(refused.code == "UNAVAILABLE", "{refused:?}");
        ensure!(refused.message == told("the wake words were not stored"), "{refused}");
        ensure!(refused.error["retryable"] == true, "{refused:?}");
        let stranger = Connect::cli().device(Device::seeded(2));
        let refused = refusal(self.daemon.connect(stranger).await)?;
        ensure!(refused.message == format!("the device store failed: {reason}"), "{refused}");

        let store = self.store_is("degraded").await?;
        ensure!(store["reason"] == reason, "{store}");
        let status = self.client.request("status", json!({})).await?;
        let problems = status["problems"].as_array().context("problems")?;
        // The log file is on the same disk, so the log may be in the list as well.
        ensure!(problems.contains(&json!(format!("store: {reason}"))), "{status:#}");
        let seen = self.daemon.ctl(&["health"]).await?;
        ensure!(seen.stderr.contains(&format!("! store: degraded - {reason}")), "{seen:?}");
        // The controller's own first steps fail on such a disk too; it still tells what the daemon says.
        fs::remove_dir_all(self.daemon.home.state().join("identity")).context("what the controller made")?;
        let environment = environment(&self.faults);
        let seen = Program::Gatewayctl.run_with(&self.daemon.home, &["health"], &environment).await?;
        ensure!(seen.code == Some(1) && seen.stderr.contains("/identity"), "{seen:?}");
        ensure!(seen.stderr.contains(&format!("! store: degraded - {reason}")), "{seen:?}");
        Ok(())
    }

    /// Health recovers although nobody writes, and then writes work.
    async fn recovers(&mut self) -> Result<()> {
        self.store_is("serving").await?;
        let seen = self.daemon.ctl(&["health"]).await?;
        ensure!(seen.code == Some(0) && !seen.stdout.contains("store"), "{seen:?}");
        set_words(&mut self.client, "after").await?;
        self.daemon.connect(Connect::cli().device(Device::seeded(2))).await.context("a new device")?;
        Ok(())
    }

    /// What was acknowledged before, during and after is there after a restart.
    async fn keeps_everything(&mut self, words: &str) -> Result<()> {
        self.daemon.start_again().await?;
        let mut client = self.daemon.connect(Connect::cli()).await?;
        words_are(&mut client, words).await?;
        let known = Connect::cli().device(Device::seeded(1)).token(&self.token);
        self.daemon.connect(known).await.context("the token of a paired device")?;
        ensure!(self.store().await?["state"] == "serving", "{}", self.store().await?);
        Ok(())
    }
}

async fn set_words(client: &mut Client, word: &str) -> Result<()> {
    client.request("voicewake.set", json!({ "triggers": [word] })).await.map(drop)
}

async fn words_are(client: &mut Client, word: &str) -> Result<()> {
    let words = client.request("voicewake.get", json!({})).await?;
    ensure!(words == json!({ "triggers": [word] }), "{words}");
    Ok(())
}

#[test]
fn a_full_disk_loses_nothing_and_is_over_when_there_is_room() {
    gateway_tests::run(async {
        let mut scene = Scene::new().await?;
        scene.faults.disk(Errno::NOSPC)?;
        scene.refuses_writes(FULL).await?;
        scene.serves_reads().await?;
        scene.faults.disk_works()?;
        scene.recovers().await?;
        ensure!(scene.daemon.stop().await?.success());
        let log = fs::read_to_string(scene.daemon.log_file())?;
        ensure!(log.contains("log records were lost: the log file could not be written"), "{log}");
        scene.keeps_everything("after").await
    });
}

#[test]
fn a_disk_that_becomes_read_only_is_served_from_until_it_can_be_written() {
    gateway_tests::run(async {
        let mut scene = Scene::new().await?;
        scene.faults.disk(Errno::ROFS)?;
        scene.refuses_writes(READ_ONLY).await?;
        scene.serves_reads().await?;
        scene.faults.disk_works()?;
        scene.recovers().await?;
        // Stopped while it cannot write: nothing is left to be written, so that is no failure.
        scene.faults.disk(Errno::ROFS)?;
        scene.client.refused("voicewake.set", json!({ "triggers": ["lost"] })).await?;
        ensure!(scene.daemon.stop().await?.success(), "{}", scene.daemon.stderr()?);
        scene.faults.disk_works()?;
        scene.keeps_everything("after").await
    });
}

#[test]
fn a_failed_flush_stops_the_daemon_and_the_next_start_has_what_was_acknowledged() {
    gateway_tests::run(async {
        let mut scene = Scene::new().await?;
        scene.faults.disk(Errno::IO)?;
        let outcome = scene.client.request("voicewake.set", json!({ "triggers": ["during"] })).await;
        let error = outcome.err().context("it was acknowledged")?;
        // The stop may be faster than the answer; then the close frame is the answer.
        if let Some(refused) = error.downcast_ref::<Refused>() {
            let expected = "Error: the wake words were not stored: the store failed: writing: disk I/O error";
            ensure!(refused.message == expected, "{refused}");
            let end = scene.client.socket().closed().await?;
            ensure!(end == Some((1012, "service restart".to_owned())), "{end:?}");
        } else {
            ensure!(format!("{error:?}").contains("1012"), "{error:?}");
        }
        ensure!(scene.daemon.ended().await?.code() == Some(1), "a failure");
        let said = scene.daemon.stderr()?;
        ensure!(said.contains("the store failed: writing: disk I/O error"), "{said}");
        scene.faults.disk_works()?;
        scene.daemon.start_again().await?;
        // The write may have reached the disk before its flush failed; it was not acknowledged either way.
        let words = scene.daemon.connect(Connect::cli()).await?.request("voicewake.get", json!({})).await?;
        let allowed = [json!({ "triggers": ["before"] }), json!({ "triggers": ["during"] })];
        ensure!(allowed.contains(&words), "{words}");
        let known = Connect::cli().device(Device::seeded(1)).token(&scene.token);
        scene.daemon.connect(known).await.map(drop)
    });
}

/// Every file of the configuration and its copies with its content.
fn config_files(home: &Home) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(home.state())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("clawdbot.json") {
            files.push((name.to_owned(), fs::read_to_string(&path)?));
        }
    }
    files.sort();
    Ok(files)
}

/// Writes the file anew with this wish, as an editor over the control plane does.
async fn write_config(client: &mut Client, note: &str) -> Result<Value> {
    let now = client.request("config.get", json!({})).await?;
    let raw = format!("{}// {note}\n", now["raw"].as_str().context("the text")?);
    client.request("config.set", json!({ "raw": raw, "baseHash": now["hash"] })).await
}

#[test]
fn a_config_write_that_the_disk_refuses_touches_neither_the_file_nor_its_copies() {
    gateway_tests::run(async {
        let mut scene = Scene::new().await?;
        for note in ["one", "two", "three", "four", "five", "six"] {
            write_config(&mut scene.client, note).await?;
        }
        let before = config_files(&scene.daemon.home)?;
        ensure!(before.len() >= 6, "the file and five copies: {before:?}");
        for (error, way_out) in [
            (Errno::NOSPC, "free some space and try again"),
            (Errno::ROFS, "make the disk writable and try again"),
            (Errno::ACCESS, "give this user the right to write there and try again"),
        ] {
            scene.faults.disk(error)?;
            for _ in 0..6 {
                let refused = refusal(write_config(&mut scene.client, "never").await)?;
                ensure!(refused.code == "UNAVAILABLE", "{refused:?}");
                ensure!(refused.message.ends_with(way_out), "{refused}");
            }
            let after = config_files(&scene.daemon.home)?;
            ensure!(after == before, "{error}: {after:#?}");
        }
        scene.faults.disk_works()?;
        write_config(&mut scene.client, "seven").await.map(drop)
    });
}

#[test]
fn taken_permissions_cost_only_what_needs_new_files() {
    gateway_tests::run(async {
        let mut scene = Scene::new().await?;
        scene.faults.disk(Errno::ACCESS)?;
        scene.serves_reads().await?;
        set_words(&mut scene.client, "open files stay writable").await?;
        ensure!(scene.store().await?["state"] == "serving");
        scene.daemon.kill().await?;
        scene.faults.disk_works()?;
        scene.keeps_everything("open files stay writable").await
    });
}

fn environment(faults: &Faults) -> Vec<(&str, &str)> {
    faults.environment().iter().map(|(name, value)| (*name, &**value)).collect()
}

async fn start_on(error: Errno, home: &Home) -> Result<Finished> {
    let faults = Faults::of(home).await?;
    faults.disk(error)?;
    let environment = environment(&faults);
    let port = free_port()?.to_string();
    Program::Gatewayd.run_with(home, &["--port", &port], &environment).await
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[test]
fn a_start_that_the_disk_refuses_says_what_and_what_to_do() {
    gateway_tests::run(async {
        for (error, said, way_out) in [
            (Errno::NOSPC, "No space left on device", "Fix: free some space and try again."),
            (Errno::ROFS, "Read-only file system", "Fix: make the disk writable and try again."),
            (
                Errno::ACCESS,
                "Permission denied",
                "Fix: give this user the right to write there and try again.",
            ),
        ] {
            // For the first time, and after a daemon that ran there.
            for used in [false, true] {
                let home = Arc::new(Home::configured()?);
                if used {
                    Daemon::builder().home(home.clone()).start().await?.stop().await?;
                }
                let before = names(&home.state())?;
                let seen = start_on(error, &home).await?;
                ensure!(seen.code == Some(1) && seen.stdout.is_empty(), "{error}: {seen:?}");
                let lines: Vec<_> = seen.stderr.lines().collect();
                let told = |line: &&str| {
                    line.starts_with("Gateway failed to start: Error: ")
                        && line.contains(&*home.state().to_string_lossy())
                        && line.contains(said)
                };
                ensure!(lines.iter().any(told), "{}", seen.stderr);
                ensure!(lines.contains(&way_out), "{}", seen.stderr);
                ensure!(names(&home.state())? == before, "nothing was changed");
            }
        }
        Ok(())
    });
}
