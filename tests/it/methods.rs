//! The methods that are built: what is asked and what is answered, frame by frame, in golden files. What differs
//! from run to run or from machine to machine is replaced by a mark.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::device::Device;
use gateway_tests::golden;
use gateway_tests::home::Home;
use gateway_tests::ws_client::{Client, Socket, refusal};
use gateway_wire::methods::{Access, METHODS};
use serde_json::{Value, json};

#[rustfmt::skip]
const BUILT: &[&str] = &[
    "agent.identity.get", "agents.list", "channels.status", "config.apply", "config.get", "config.patch",
    "config.schema", "config.set", "connect", "device.pair.approve", "device.pair.list", "device.pair.reject",
    "device.token.revoke", "device.token.rotate", "health", "last-heartbeat", "logs.tail", "models.list",
    "set-heartbeats", "status", "system-event", "system-presence", "talk.mode", "usage.cost", "usage.status",
    "voicewake.get", "voicewake.set", "wizard.cancel", "wizard.next", "wizard.start", "wizard.status",
];

/// Pairs of request and response that go into one file.
struct Pairs<'a> {
    client: &'a mut Client,
    pairs: Vec<Value>,
}

impl<'a> Pairs<'a> {
    fn new(client: &'a mut Client) -> Self {
        Self { client, pairs: Vec::new() }
    }

    /// Asks, keeps the pair and returns the payload or the error.
    async fn ask(&mut self, method: &str, params: Value) -> Result<Value> {
        let (pair, answer) = self.client.pair(method, params).await?;
        self.pairs.push(pair);
        Ok(answer)
    }

    /// Compares with the file and begins the next one.
    fn check(&mut self, name: &str) -> Result<()> {
        let mut pairs = Value::Array(std::mem::take(&mut self.pairs));
        hide_machine(&mut pairs);
        golden::check_json(&format!("frames/{name}.json"), &pairs)
    }
}

/// Hides what names the machine or the day.
fn hide_machine(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                let mark = match key.as_str() {
                    "deviceFamily" | "lastTouchedVersion" | "date" => true,
                    "text" => value.as_str().is_some_and(|text| text.starts_with("Gateway: ")),
                    _ => false,
                };
                if mark && value.is_string() {
                    *value = format!("<{key}>").into();
                } else {
                    hide_machine(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_machine),
        _ => {}
    }
}

#[test]
fn health_status_and_presence() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let mut pairs = Pairs::new(&mut client);
        pairs.ask("health", json!({ "probe": true })).await?;
        pairs.ask("health", json!({ "anything": 1 })).await?;
        pairs.check("health")?;
        pairs.ask("status", json!({})).await?;
        pairs.check("status")?;
        pairs.ask("system-presence", json!({})).await?;
        pairs.ask("system-event", json!({})).await?;
        pairs.ask("system-event", json!({ "text": "  " })).await?;
        pairs
            .ask(
                "system-event",
                json!({ "text": "Node: desk (192.0.2.7) · app 1.2 · last input 5s ago · mode node · reason launch" }),
            )
            .await?;
        pairs.ask("system-event", json!({ "text": "hello", "deviceId": "d1", "tags": ["a"] })).await?;
        let list = pairs.client.request("system-presence", json!({})).await?;
        let entry = list.as_array().into_iter().flatten().find(|e| e["host"] == "desk");
        let entry = entry.with_context(|| format!("the text was read: {list:#}"))?;
        ensure!(
            entry["ip"] == "192.0.2.7" && entry["version"] == "1.2" && entry["mode"] == "node",
            "{entry:#}"
        );
        pairs.check("presence")?;
        pairs.ask("last-heartbeat", json!({})).await?;
        pairs.ask("set-heartbeats", json!({})).await?;
        pairs.ask("set-heartbeats", json!({ "enabled": false })).await?;
        pairs.ask("set-heartbeats", json!({ "enabled": true })).await?;
        pairs.check("heartbeats")
    });
}

#[test]
fn catalogues_voice_and_usage() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let mut pairs = Pairs::new(&mut client);
        pairs.ask("agents.list", json!({})).await?;
        pairs.ask("agents.list", json!({ "x": 1 })).await?;
        pairs.ask("agent.identity.get", json!({})).await?;
        pairs.ask("agent.identity.get", json!({ "agentId": "" })).await?;
        pairs.ask("agent.identity.get", json!({ "agentId": "nobody" })).await?;
        pairs.ask("agent.identity.get", json!({ "agentId": "a", "sessionKey": "agent:b:main" })).await?;
        pairs.check("agents")?;
        pairs.ask("voicewake.get", json!({})).await?;
        pairs.ask("voicewake.set", json!({ "triggers": [" one ", 2, "", "two"] })).await?;
        pairs.ask("voicewake.get", Value::Null).await?;
        pairs.ask("voicewake.set", json!({ "triggers": [] })).await?;
        pairs.ask("voicewake.set", json!({})).await?;
        pairs.check("voicewake")?;
        pairs.ask("talk.mode", json!({ "enabled": true, "phase": "listening" })).await?;
        pairs.ask("talk.mode", json!({ "enabled": false })).await?;
        pairs.ask("talk.mode", json!({ "phase": 1, "other": true })).await?;
        pairs.check("talk")?;
        pairs.ask("channels.status", json!({ "probe": false, "timeoutMs": 8000 })).await?;
        pairs.ask("channels.status", json!({ "probe": "no", "timeoutMs": -1 })).await?;
        pairs.check("channels")?;
        pairs.ask("usage.status", json!({})).await?;
        pairs.ask("usage.cost", json!({ "days": 3 })).await?;
        pairs.ask("usage.cost", json!({ "days": "many" })).await?;
        pairs.check("usage")?;

        let models = client.request("models.list", json!({})).await?;
        let models = models["models"].as_array().context("models")?;
        ensure!(models.len() > 10 && models.iter().all(|m| m["id"].is_string() && m["name"].is_string()));
        ensure!(models.is_sorted_by_key(|m| m["provider"].as_str()), "sorted by provider");

        let mut page = daemon.connect(Connect::ui(Device::seeded(1))).await?;
        let refused = page.refused("talk.mode", json!({ "enabled": true })).await?;
        ensure!(refused.code == "UNAVAILABLE", "{refused}");
        ensure!(refused.message == "talk disabled: no connected iOS/Android nodes", "{refused}");
        Ok(())
    });
}

#[test]
fn the_log_is_read_from_where_one_left() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let tail = client.request("logs.tail", json!({})).await?;
        ensure!(
            tail["file"] == daemon.log_file().display().to_string() && tail["reset"] == false,
            "{tail:#}"
        );
        ensure!(tail["lines"].as_array().is_some_and(|lines| !lines.is_empty()), "{tail:#}");
        let cursor = tail["cursor"].as_u64().context("a cursor")?;
        let beyond = client.request("logs.tail", json!({ "cursor": cursor + 1_000_000 })).await?;
        ensure!(beyond["reset"] == true, "{beyond:#}");
        let one = client.request("logs.tail", json!({ "limit": 1 })).await?;
        ensure!(one["lines"].as_array().is_some_and(|lines| lines.len() == 1), "{one:#}");
        let mut pairs = Pairs::new(&mut client);
        pairs.ask("logs.tail", json!({ "limit": 0 })).await?;
        pairs.ask("logs.tail", json!({ "limit": 5001, "maxBytes": 1.5, "cursor": -1, "more": 1 })).await?;
        pairs.ask("logs.tail", json!([])).await?;
        pairs.ask("logs.tail", json!({ "cursor": "0" })).await?;
        pairs.check("logs")
    });
}

#[test]
fn devices_are_paired_and_their_tokens_replaced() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let mut pairs = Pairs::new(&mut client);
        let (first, second) = (ask_from_afar(&daemon, 1).await?, ask_from_afar(&daemon, 2).await?);
        pairs.ask("device.pair.approve", json!({ "requestId": first })).await?;
        pairs.ask("device.pair.approve", json!({ "requestId": first })).await?;
        pairs.ask("device.pair.list", json!({})).await?;
        pairs.ask("device.pair.reject", json!({ "requestId": second })).await?;
        pairs.ask("device.pair.reject", json!({ "requestId": second })).await?;
        pairs.ask("device.pair.approve", json!({ "requestId": "", "x": 1 })).await?;
        pairs.ask("device.pair.reject", json!({})).await?;
        pairs.ask("device.pair.list", json!({})).await?;
        pairs.check("device-pairing")?;

        let id = Device::seeded(1).id;
        let rotated = pairs.ask("device.token.rotate", json!({ "deviceId": id, "role": "operator" })).await?;
        pairs.ask("device.token.rotate", json!({ "deviceId": id, "role": "node" })).await?;
        pairs.ask("device.token.rotate", json!({ "deviceId": 1 })).await?;
        let token = rotated["token"].as_str().context("a token")?;
        let how = Connect::cli().device(Device::seeded(1)).scopes(&["operator.read"]).token(token);
        daemon.connect(how.clone()).await.context("the new token opens the door")?;
        pairs.ask("device.token.revoke", json!({ "deviceId": id, "role": "operator" })).await?;
        pairs.ask("device.token.revoke", json!({ "deviceId": "nobody", "role": "operator" })).await?;
        refusal(daemon.connect(how).await).context("a revoked one does not")?;
        for pair in &mut pairs.pairs {
            if let Some(token) = pair.pointer_mut("/payload/token") {
                *token = "<token>".into();
            }
        }
        pairs.check("device-tokens")
    });
}

/// A device that is not on this machine asks to be let in; returns the id of its request.
async fn ask_from_afar(daemon: &Daemon, seed: u64) -> Result<String> {
    let proxied = [("x-forwarded-for".to_owned(), "203.0.113.7".to_owned())];
    let mut socket = Socket::open(daemon.port, "/", &proxied).await?;
    let nonce = socket.challenge().await?;
    let how = Connect::cli().device(Device::seeded(seed)).scopes(&["operator.read"]);
    socket.send_request("c", "connect", how.params(&nonce)).await?;
    let answer = socket.frame().await?;
    let id = answer["error"]["details"]["requestId"].as_str();
    Ok(id.with_context(|| format!("not a request for pairing: {answer}"))?.to_owned())
}

const COMMENTED: &str = "// kept\n{\n  gateway: {\n    mode: 'local', // this too\n    auth: { mode: 'token', token: \
                         'token-of-the-tests' },\n    reload: { mode: 'hot' },\n  },\n}\n";

#[test]
fn the_configuration_is_read_and_edited() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().config(COMMENTED).start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let schema = client.request("config.schema", json!({})).await?;
        let keys: Vec<_> = schema.as_object().context("an object")?.keys().collect();
        ensure!(keys == ["schema", "uiHints", "version", "generatedAt"], "{keys:?}");
        ensure!(schema["schema"]["properties"]["gateway"].is_object(), "it describes the gateway section");

        let mut pairs = Pairs::new(&mut client);
        let before = pairs.ask("config.get", json!({})).await?;
        pairs.ask("config.get", json!({ "x": 1 })).await?;
        let hash = before["hash"].clone();
        for method in ["config.set", "config.patch", "config.apply"] {
            pairs.ask(method, json!({ "raw": "{}" })).await?;
            pairs.ask(method, json!({ "raw": "{}", "baseHash": " " })).await?;
            pairs.ask(method, json!({ "raw": "{}", "baseHash": "another" })).await?;
            pairs.ask(method, json!({ "raw": "", "more": 1 })).await?;
            pairs.ask(method, json!({ "raw": "{ gateway: ", "baseHash": hash })).await?;
            pairs.ask(method, json!({ "raw": "{ gateway: { port: 'x' } }", "baseHash": hash })).await?;
        }
        pairs.ask("config.patch", json!({ "raw": "[]", "baseHash": hash })).await?;
        ensure!(daemon.home.read(".clawdbot/clawdbot.json")? == COMMENTED, "nothing was written");
        pairs.check("config-refused")?;

        let patch = json!({ "raw": "{ messages: { ackReaction: 'ok' } }", "baseHash": hash, "note": "n1", "sessionKey": "main" });
        pairs.ask("config.patch", patch).await?;
        let text = daemon.home.read(".clawdbot/clawdbot.json")?;
        ensure!(text.starts_with("// kept\n") && text.contains("// this too"), "comments are kept:\n{text}");
        let after = pairs.client.request("config.get", json!({})).await?;
        ensure!(after["raw"] == text && after["config"]["messages"]["ackReaction"] == "ok", "{after:#}");
        let stale = json!({ "raw": "{ messages: { ackReaction: 'no' } }", "baseHash": hash });
        pairs.ask("config.patch", stale).await?;
        let whole = text.replace("'ok'", "'two'").replace("\"ok\"", "\"two\"");
        let set =
            pairs.client.request("config.set", json!({ "raw": whole, "baseHash": after["hash"] })).await?;
        ensure!(set["ok"] == true && set["config"]["messages"]["ackReaction"] == "two", "{set:#}");
        let now = pairs.client.request("config.get", json!({})).await?;
        let apply = json!({ "raw": text, "baseHash": now["hash"], "restartDelayMs": 60_000 });
        let applied = pairs.client.request("config.apply", apply).await?;
        ensure!(applied["ok"] == true && applied["config"]["messages"]["ackReaction"] == "ok", "{applied:#}");
        ensure!(
            daemon.home.read(".clawdbot/clawdbot.json")?.contains("// this too"),
            "comments are still kept"
        );
        pairs.check("config-patched")
    });
}

#[test]
fn a_change_that_needs_a_restart_says_when() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().config(COMMENTED.replace("hot", "hybrid")).start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let hash = client.request("config.get", json!({})).await?["hash"].take();
        let mut pairs = Pairs::new(&mut client);
        let raw = "{ discovery: { mdns: { mode: 'off' } } }";
        let patch = json!({ "raw": raw, "baseHash": hash, "note": "n2", "restartDelayMs": 60_000 });
        pairs.ask("config.patch", patch).await?;
        pairs.check("config-restart")?;
        ensure!(
            daemon.home.state().join("restart-sentinel.json").exists(),
            "word is left for the next start"
        );
        Ok(())
    });
}

#[test]
fn what_is_not_built_says_so() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut operator = daemon.connect(Connect::cli()).await?;
        let mut node = daemon.connect(Connect::node(Device::seeded(1))).await?;
        for method in METHODS.iter().filter(|method| !BUILT.contains(&method.name)) {
            let client = if method.access == Access::Node { &mut node } else { &mut operator };
            let refused = client.refused(method.name, json!({})).await?;
            let expected = format!("{} is not built in this version of gatewayd", method.name);
            ensure!(refused.code == "UNAVAILABLE" && refused.message == expected, "{refused:?}");
        }
        let refused = operator.refused("no.such.method", json!({})).await?;
        let expected = json!({ "code": "INVALID_REQUEST", "message": "unknown method: no.such.method" });
        ensure!(refused.error == expected, "{refused:?}");
        let refused = operator.refused("connect", json!({})).await?;
        ensure!(refused.message == "connect is only valid as the first request", "{refused:?}");
        Ok(())
    });
}

#[test]
fn wake_words_and_heartbeats_survive_a_restart() {
    gateway_tests::run(async {
        let mut daemon = Daemon::builder().home(Arc::new(Home::configured()?)).start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        client.request("voicewake.set", json!({ "triggers": ["hearken"] })).await?;
        client.request("set-heartbeats", json!({ "enabled": false })).await?;
        ensure!(daemon.stop().await?.success());
        daemon.start_again().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let words = client.request("voicewake.get", json!({})).await?;
        ensure!(words == json!({ "triggers": ["hearken"] }), "{words}");
        let health = client.request("health", json!({ "probe": true })).await?;
        ensure!(health["heartbeatSeconds"] == 0, "heartbeats are still off: {health:#}");
        Ok(())
    });
}
