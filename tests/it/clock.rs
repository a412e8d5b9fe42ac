//! A wall clock that jumps under the running daemon, as after a long sleep or a wrong first guess of a small computer:
//! what waits keeps waiting, what was granted stays granted, and nobody is dropped.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gateway_base::clock::Clock;
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::device::Device;
use gateway_tests::faults::Faults;
use gateway_tests::home::Home;
use gateway_tests::wait::until;
use gateway_tests::ws_client::{Client, Refused, Socket, refusal};
use gateway_wire::limits::TICK_INTERVAL_MS;
use serde_json::{Value, json};

const DAY: i64 = 24 * 60 * 60;

async fn start() -> Result<(Faults, Daemon)> {
    let home = Arc::new(Home::configured()?);
    let faults = Faults::of(&home).await?;
    let daemon = Daemon::builder().home(home).faults(&faults).start().await?;
    Ok((faults, daemon))
}

/// What the daemon's clock shows when it is `seconds` off.
fn shown(seconds: i64) -> i64 {
    Clock::system().now() + seconds * 1_000
}

fn is_close(ts: &Value, seconds: i64) -> bool {
    ts.as_i64().is_some_and(|ts| ts.abs_diff(shown(seconds)) < 60_000)
}

/// A device that comes through a proxy and has to be let in by a person. Returns the id of its request.
async fn ask_from_afar(daemon: &Daemon, seed: u64, seconds: i64) -> Result<String> {
    let how = Connect::cli().device(Device::seeded(seed)).signed_at(shown(seconds));
    let proxied = [("x-forwarded-for".to_owned(), "203.0.113.7".to_owned())];
    let mut socket = Socket::open(daemon.port, "/", &proxied).await?;
    let nonce = socket.challenge().await?;
    socket.send_request("c", "connect", how.params(&nonce)).await?;
    let answer = socket.frame().await?;
    let id = answer["error"]["details"]["requestId"].as_str();
    Ok(id.with_context(|| format!("not asked to be paired: {answer}"))?.to_owned())
}

async fn waiting(client: &mut Client) -> Result<Vec<String>> {
    let listed = client.request("device.pair.list", json!({})).await?;
    let pending = listed["pending"].as_array().context("a list")?;
    Ok(pending.iter().filter_map(|request| request["requestId"].as_str().map(str::to_owned)).collect())
}

/// The tick whose time fits a clock that is `seconds` off.
async fn tick(client: &mut Client, seconds: i64) -> Result<()> {
    let tick = client.event("tick").await?;
    ensure!(is_close(&tick["ts"], seconds), "{tick} at {}", shown(seconds));
    Ok(())
}

#[test]
fn a_day_forwards_and_backwards_costs_nobody_anything() {
    gateway_tests::run(async {
        let (faults, daemon) = start().await?;
        let mut operator = daemon.connect(Connect::cli()).await?;
        let mut node = daemon.connect(Connect::node(Device::seeded(1))).await?;
        let token =
            daemon.connect(Connect::cli().device(Device::seeded(2))).await?.hello["auth"]["deviceToken"]
                .take();
        let token = token.as_str().context("a token")?.to_owned();
        let asked = ask_from_afar(&daemon, 3, 0).await?;
        let paired =
            |seconds| Connect::cli().device(Device::seeded(2)).token(token.clone()).signed_at(shown(seconds));
        for seconds in [DAY, -DAY] {
            faults.clock(seconds)?;
            let said = operator.request("talk.mode", json!({ "enabled": true })).await?;
            ensure!(is_close(&said["ts"], seconds), "the jump has happened: {said}");
            daemon.connect(paired(seconds)).await.with_context(|| format!("the token, {seconds} s off"))?;
            ensure!(waiting(&mut operator).await? == [asked.as_str()], "the request waits, {seconds} s off");
            let listed = operator.request("system-presence", json!({})).await?;
            let here = |entry: &Value| entry["deviceId"] == Device::seeded(1).id.as_str();
            ensure!(
                listed.as_array().is_some_and(|list| list.iter().any(here)),
                "the node is present: {listed}"
            );
            let late = ask_from_afar(&daemon, 4, seconds).await?;
            ensure!(waiting(&mut operator).await?.contains(&late), "a request of now waits too");
            operator.request("device.pair.reject", json!({ "requestId": late })).await?;
        }
        operator.request("device.pair.approve", json!({ "requestId": asked })).await?;
        for client in [&mut operator, &mut node] {
            tick(client, -DAY).await?;
        }
        Ok(())
    });
}

#[test]
fn a_signature_is_judged_by_the_clock_as_it_is() {
    gateway_tests::run(async {
        let (faults, daemon) = start().await?;
        let signed = |off_by: i64| Connect::cli().device(Device::seeded(1)).signed_at(shown(off_by));
        for seconds in [0, DAY, -DAY] {
            faults.clock(seconds)?;
            for within in [-590, 0, 590] {
                daemon
                    .connect(signed(seconds + within))
                    .await
                    .with_context(|| format!("{seconds} {within}"))?;
            }
            for beyond in [-610, 610, -DAY, DAY] {
                let refused = refusal(daemon.connect(signed(seconds + beyond)).await)?;
                ensure!(refused.message == "device signature expired", "{seconds} {beyond}: {refused}");
            }
        }
        Ok(())
    });
}

#[test]
fn who_guessed_too_often_waits_as_long_as_told() {
    gateway_tests::run(async {
        let (faults, daemon) = start().await?;
        let guess = |n: u64| daemon.connect(Connect::cli().token(format!("guess {n}")));
        let told = |refused: &Refused| refused.error["retryAfterMs"].as_u64();
        let mut n = 0;
        let wait = until("the guesses to be slowed down", || {
            n += 1;
            let guessed = guess(n);
            async { Ok(told(&refusal(guessed.await)?)) }
        })
        .await?;
        for seconds in [DAY, -DAY] {
            faults.clock(seconds)?;
            let refused = refusal(daemon.connect(Connect::cli()).await)?;
            let left =
                told(&refused).with_context(|| format!("{seconds} s off, the wait is over: {refused}"))?;
            ensure!(left <= wait && wait < left + 20_000, "{seconds} s off: {left} ms are left of {wait}");
        }
        Ok(())
    });
}

/// The first minutes and nearly the last year that the kernel lets anybody set.
#[test]
fn no_time_makes_it_panic() {
    gateway_tests::run(async {
        let (faults, mut daemon) = start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let first_minutes = 600 - Clock::system().now() / 1_000;
        for seconds in [first_minutes, 200 * 365 * DAY] {
            faults.clock(seconds)?;
            for method in [
                "health",
                "status",
                "config.get",
                "config.schema",
                "channels.status",
                "system-presence",
                "device.pair.list",
                "usage.cost",
                "usage.status",
                "voicewake.get",
                "last-heartbeat",
                "logs.tail",
            ] {
                client
                    .request(method, json!({}))
                    .await
                    .with_context(|| format!("{method}, {seconds} s off"))?;
            }
            client.request("voicewake.set", json!({ "triggers": ["x"] })).await?;
            client.request("system-event", json!({ "text": "Node: x" })).await?;
            daemon.connect(Connect::ui(Device::seeded(1)).signed_at(shown(seconds))).await?;
            for words in [&["health"][..], &["status"], &["health", "--ready"]] {
                let seen = daemon.ctl(words).await?;
                ensure!(!seen.stderr.contains("panicked"), "{words:?}: {seen:?}");
            }
        }
        ensure!(daemon.stop().await?.success());
        let said = daemon.stderr()?;
        ensure!(!said.contains("panicked"), "{said}");
        daemon.start_again().await?;
        daemon.stop().await.map(drop)
    });
}

/// The wait for one tick must fit into the limit of a single wait.
const _: () =
    assert!(Duration::from_millis(TICK_INTERVAL_MS).as_secs() <= gateway_tests::wait::LIMIT.as_secs());
