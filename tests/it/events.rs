//! Who is told what: audiences, sequence numbers, and the events of the methods that are built.

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::device::Device;
use gateway_tests::ws_client::{Client, Incoming, Socket};
use rustix::process::Signal;
use serde_json::{Value, json};

/// Every event up to the wake words that end with `last`, in the order of arrival.
async fn events_until(client: &mut Client, last: &str) -> Result<Vec<Value>> {
    let mut seen = client.take_waiting();
    let ends =
        |frame: &Value| frame["event"] == "voicewake.changed" && frame["payload"]["triggers"][0] == last;
    while !seen.iter().any(ends) {
        seen.push(client.socket().frame().await?);
    }
    seen.retain(|frame| frame["type"] == "event");
    Ok(seen)
}

fn count(events: &[Value], name: &str) -> usize {
    events.iter().filter(|frame| frame["event"] == name).count()
}

async fn remote_request(daemon: &Daemon, seed: u64) -> Result<()> {
    let proxied = [("x-forwarded-for".to_owned(), "203.0.113.7".to_owned())];
    let mut socket = Socket::open(daemon.port, "/", &proxied).await?;
    let nonce = socket.challenge().await?;
    let how = Connect::cli().device(Device::seeded(seed));
    socket.send_request("c", "connect", how.params(&nonce)).await?;
    let answer = socket.frame().await?;
    ensure!(answer["error"]["code"] == "NOT_PAIRED", "{answer}");
    Ok(())
}

#[test]
fn each_audience_sees_its_events_without_gaps() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let node = daemon.connect(Connect::node(Device::seeded(9))).await?;
        let mut admin = daemon.connect(Connect::cli()).await?;
        // Once this has come back, the pairing of the node is old news.
        admin.request("voicewake.set", json!({ "triggers": ["begin"] })).await?;
        admin.event("voicewake.changed").await?;
        admin.take_waiting();
        let scoped = |scope| Connect::cli().scopes(&[scope]);
        let mut others = [
            (node, false),
            (daemon.connect(scoped("operator.pairing")).await?, true),
            (daemon.connect(scoped("operator.read")).await?, false),
            (daemon.connect(scoped("operator.approvals")).await?, false),
        ];
        for seed in 1..=3 {
            remote_request(&daemon, seed).await?;
            let asked = admin.event("device.pair.requested").await?;
            ensure!(asked["deviceId"] == Device::seeded(seed).id && asked["remoteIp"].is_null(), "{asked:#}");
            let request = json!({ "requestId": asked["requestId"] });
            admin.request("device.pair.reject", request).await?;
            let resolved = admin.event("device.pair.resolved").await?;
            ensure!(resolved["decision"] == "rejected", "{resolved:#}");
            admin.request("talk.mode", json!({ "enabled": true })).await?;
        }
        admin.request("voicewake.set", json!({ "triggers": ["done"] })).await?;
        for (client, paired) in &mut others {
            let events = events_until(client, "done").await?;
            let pairings = if *paired { 3 } else { 0 };
            for name in ["device.pair.requested", "device.pair.resolved"] {
                ensure!(count(&events, name) == pairings, "{name}: {events:#?}");
            }
            ensure!(count(&events, "talk.mode") == 3, "{events:#?}");
            let numbers: Vec<_> = events.iter().filter_map(|frame| frame["seq"].as_u64()).collect();
            ensure!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "no gaps: {numbers:?}");
        }
        Ok(())
    });
}

#[test]
fn a_node_learns_the_wake_words_at_once() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut node = daemon.connect(Connect::node(Device::seeded(1))).await?;
        let told = node.event_frame("voicewake.changed").await?;
        ensure!(told["seq"].is_null() && told["payload"]["triggers"][0] == "clawd", "{told}");
        Ok(())
    });
}

#[test]
fn a_client_that_leaves_is_announced() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut watcher = daemon.connect(Connect::cli()).await?;
        let mut guest = daemon.connect(Connect::probe().with("/client/instanceId", json!("guest"))).await?;
        guest.socket().close().await?;
        let told = watcher.event_frame("presence").await?;
        let entries = told["payload"]["presence"].as_array().context("a list")?;
        let guest = entries.iter().find(|e| e["instanceId"] == "guest").context("the guest")?;
        ensure!(guest["reason"] == "disconnect", "{guest:#}");
        let version = &told["stateVersion"];
        ensure!(version["presence"].as_u64() > Some(1) && version["health"].is_u64(), "{told}");
        Ok(())
    });
}

#[test]
fn a_fresh_health_summary_is_announced() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        client.request("health", json!({ "probe": true })).await?;
        let health = client.event_frame("health").await?;
        ensure!(health["payload"]["ok"] == true && health["stateVersion"]["health"].is_u64(), "{health}");
        Ok(())
    });
}

#[test]
fn a_stop_is_announced_and_closes_with_1012() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let mut operator = daemon.connect(Connect::cli()).await?;
        let mut node = daemon.connect(Connect::node(Device::seeded(1))).await?;
        daemon.signal(Signal::TERM)?;
        for client in [&mut operator, &mut node] {
            let told = client.event("shutdown").await?;
            ensure!(told == json!({ "reason": "gateway stopping", "restartExpectedMs": null }), "{told}");
            let end = client.socket().closed().await?;
            ensure!(end == Some((1012, "service restart".to_owned())), "{end:?}");
        }
        ensure!(daemon.ended().await?.success());
        Ok(())
    });
}

#[test]
fn replacing_a_token_ends_what_it_opened() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let how = |seed| Connect::cli().device(Device::seeded(seed));
        for (seed, method) in [(1, "device.token.rotate"), (2, "device.token.revoke")] {
            let token = daemon.connect(how(seed)).await?.hello["auth"]["deviceToken"].take();
            let token = token.as_str().context("a token")?;
            let mut session = daemon.connect(how(seed).token(token)).await?;
            let mut bystander = daemon.connect(how(3)).await?;
            let mut admin = daemon.connect(Connect::cli()).await?;
            admin.request(method, json!({ "deviceId": Device::seeded(seed).id, "role": "operator" })).await?;
            let end = session.socket().closed().await?;
            ensure!(end.as_ref().is_some_and(|(code, _)| *code == 1008), "{method}: {end:?}");
            ensure!(
                daemon.connect(how(seed).token(token)).await.is_err(),
                "{method}: the old token is worthless"
            );
            bystander.request("health", json!({})).await.context("others stay")?;
        }
        Ok(())
    });
}

/// Asks for what ends the session, and reads to its end: the answer has to come before the close frame.
async fn last_answer(client: &mut Client, method: &str, params: Value) -> Result<Value> {
    let answer = client.request(method, params).await.context("the answer comes before the close")?;
    let end = client.socket().closed().await?;
    ensure!(end.as_ref().is_some_and(|(code, _)| *code == 1008), "{end:?}");
    Ok(answer)
}

/// Whether the close overtakes the answer is a race, so it is run many times.
const RACES: usize = 50;

#[test]
fn whoever_ends_its_own_token_is_answered_first() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let how = || Connect::cli().device(Device::seeded(1));
        let own = json!({ "deviceId": Device::seeded(1).id, "role": "operator" });
        for round in 0..RACES {
            let method = ["device.token.rotate", "device.token.revoke"][round % 2];
            let token = daemon.connect(how()).await?.hello["auth"]["deviceToken"].take();
            let token = token.as_str().context("a token")?;
            let mut client = daemon.connect(how().token(token)).await?;
            let answer = last_answer(&mut client, method, own.clone()).await;
            let answer = answer.with_context(|| format!("{method}, round {round}"))?;
            ensure!(answer["deviceId"] == own["deviceId"], "{answer}");
        }
        Ok(())
    });
}

#[test]
fn whoever_changes_the_secret_it_came_with_is_answered_first() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut secret = gateway_tests::home::TOKEN.to_owned();
        for round in 0..RACES {
            let mut client = daemon.connect(Connect::cli().token(&secret)).await?;
            let hash = client.request("config.get", json!({})).await?["hash"].take();
            secret = format!("secret-{round}");
            let raw = format!("{{ gateway: {{ auth: {{ token: '{secret}' }} }} }}");
            let patch = json!({ "raw": raw, "baseHash": hash });
            let answer = last_answer(&mut client, "config.patch", patch).await;
            let answer = answer.with_context(|| format!("round {round}"))?;
            ensure!(answer["ok"] == true, "{answer}");
        }
        Ok(())
    });
}

#[test]
fn no_envelope_carries_null() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let id = client.start("last-heartbeat", json!({})).await?;
        loop {
            let Incoming::Frame(frame) = client.socket().next().await? else {
                anyhow::bail!("the connection was closed");
            };
            let fields = frame.as_object().context("an object")?;
            let nulls: Vec<_> = fields.iter().filter(|(k, v)| v.is_null() && *k != "payload").collect();
            ensure!(nulls.is_empty(), "{frame}");
            if frame["id"] == id {
                ensure!(fields.contains_key("payload") && frame["payload"].is_null(), "{frame}");
                return Ok(());
            }
        }
    });
}
