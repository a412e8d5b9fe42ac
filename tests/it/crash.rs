//! Rule R4: what was acknowledged is on disk. The real process is killed 200 times in the middle of writing; after
//! each start everything it had acknowledged is there, and at the end the file passes SQLite's own check.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::device::Device;
use gateway_tests::home::Home;
use gateway_tests::random::Random;
use gateway_tests::ws_client::{Client, Refused};
use serde_json::json;
use tokio::sync::Semaphore;

const KILLS: u64 = 200;
const SEED: u64 = 0x6763_7261_7368;

/// What the clients were told.
#[derive(Debug, Default)]
struct Acknowledged {
    /// The last number in the wake words whose write was answered.
    wake_word: u64,
    /// The last number that was sent, answered or not.
    sent: u64,
    /// Devices whose pairing was answered, with their token.
    devices: Vec<(u64, String)>,
    /// How many devices have asked to be paired.
    asked: u64,
}

#[test]
fn everything_acknowledged_survives_200_kills() {
    gateway_tests::run(survives_kills());
}

async fn survives_kills() -> Result<()> {
    let mut random = Random::seeded(SEED);
    let mut daemon = Daemon::builder().home(Arc::new(Home::configured()?)).start().await?;
    let mut known = Acknowledged::default();
    for round in 1..=KILLS {
        write_until_killed(&mut daemon, &mut random, &mut known).await?;
        daemon.start_again().await?;
        check(&daemon, &mut known).await.with_context(|| format!("after kill {round} of seed {SEED:#x}"))?;
    }
    let (words, devices) = (known.wake_word, known.devices.len());
    ensure!(words > KILLS && devices > 50, "there was too little to lose: {words} words, {devices} devices");
    check_tokens(&daemon, &known).await?;

    ensure!(daemon.stop().await?.success(), "a stop after all this is clean");
    let store = daemon.home.state().join("gateway.sqlite");
    let conn = rusqlite::Connection::open(&store).context("opening the store of the stopped daemon")?;
    let verdict: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(verdict == "ok", "{verdict}");
    Ok(())
}

/// One client sets the wake words without a pause, others pair new devices, and the kill comes at a moment that none
/// of them can know.
async fn write_until_killed(
    daemon: &mut Daemon,
    random: &mut Random,
    known: &mut Acknowledged,
) -> Result<()> {
    let mut client = daemon.connect(Connect::cli()).await?;
    // Counted in answers first, so that a slow machine has as much to lose as a fast one.
    let (answers, moment) = (random.below(12), Duration::from_micros(random.below(20_000)));
    let answered = Semaphore::new(0);
    let Acknowledged { sent, wake_word, devices, asked } = known;
    let (devices, asked) = (RefCell::new(devices), RefCell::new(asked));
    let words = async {
        loop {
            *sent += 1;
            match client.request("voicewake.set", json!({ "triggers": [format!("word-{sent}")] })).await {
                Ok(_) => {
                    *wake_word = *sent;
                    answered.add_permits(1);
                }
                Err(error) => return cut_off(error),
            }
        }
    };
    let port = daemon.port;
    let pair = || async {
        loop {
            let seed = {
                let mut asked = asked.borrow_mut();
                **asked += 1;
                **asked
            };
            match Client::connect(port, Connect::cli().device(Device::seeded(seed))).await {
                Ok(client) => {
                    devices.borrow_mut().push((seed, token(&client)?));
                    answered.add_permits(1);
                }
                Err(error) => return cut_off(error),
            }
        }
    };
    let kill = async {
        let _enough = answered.acquire_many(u32::try_from(answers)?).await?;
        tokio::time::sleep(moment).await;
        daemon.kill().await
    };
    let (written, first, second, killed) = tokio::join!(words, pair(), pair(), kill);
    written.and(first).and(second).and(killed)
}

/// A lost connection is the kill; a refusal is a fault.
fn cut_off(error: anyhow::Error) -> Result<()> {
    if error.is::<Refused>() { Err(error) } else { Ok(()) }
}

fn token(client: &Client) -> Result<String> {
    let token = client.hello["auth"]["deviceToken"].as_str();
    Ok(token.with_context(|| format!("a paired device gets a token: {}", client.hello["auth"]))?.to_owned())
}

async fn check(daemon: &Daemon, known: &mut Acknowledged) -> Result<()> {
    let mut client = daemon.connect(Connect::cli()).await?;
    if known.wake_word > 0 {
        let words = client.request("voicewake.get", json!({})).await?;
        let number = words["triggers"][0].as_str().and_then(|w| w.strip_prefix("word-")?.parse::<u64>().ok());
        let number = number.with_context(|| format!("the wake word is one of ours: {words}"))?;
        let allowed = known.wake_word..=known.sent;
        ensure!(allowed.contains(&number), "wake word {number} is there, {allowed:?} was expected");
    }
    let listed = client.request("device.pair.list", json!({})).await?;
    let paired: BTreeSet<&str> =
        listed["paired"].as_array().into_iter().flatten().filter_map(|d| d["deviceId"].as_str()).collect();
    let lost: Vec<_> = known
        .devices
        .iter()
        .filter(|(seed, _)| !paired.contains(Device::seeded(*seed).id.as_str()))
        .collect();
    ensure!(lost.is_empty(), "{} of {} paired devices are lost", lost.len(), known.devices.len());
    Ok(())
}

/// The tokens of the first, the last and some devices between still open the door.
async fn check_tokens(daemon: &Daemon, known: &Acknowledged) -> Result<()> {
    for (seed, token) in
        known.devices.iter().step_by(known.devices.len() / 20 + 1).chain(known.devices.last())
    {
        let how = Connect::cli().device(Device::seeded(*seed)).token(token);
        let client = daemon.connect(how).await.with_context(|| format!("device {seed}"))?;
        ensure!(client.hello["type"] == "hello-ok", "{}", client.hello);
    }
    Ok(())
}
