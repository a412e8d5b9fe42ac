//! `wizard.*` over WebSocket, as clients drive it: every step, every refusal, and what is left on disk.

use std::fs;

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::golden;
use gateway_tests::wait::until;
use gateway_tests::ws_client::Client;
use serde_json::{Value, json};

const CONFIG: &str = "// mine\n{ gateway: { mode: 'local', port: 18789, /* why */ auth: { mode: 'token', token: 'token-of-the-tests' } } }\n";

/// Requests and their answers, kept for a golden file.
struct Pairs {
    client: Client,
    pairs: Vec<Value>,
}

impl Pairs {
    async fn ask(&mut self, method: &str, params: Value) -> Result<Value> {
        let (pair, answer) = self.client.pair(method, params).await?;
        self.pairs.push(pair);
        Ok(answer)
    }

    /// Answers the step in `answer` and returns what comes next.
    async fn take(&mut self, session: &Value, answer: &Value, value: Value) -> Result<Value> {
        let answer = json!({ "stepId": answer["step"]["id"], "value": value });
        self.ask("wizard.next", json!({ "sessionId": session, "answer": answer })).await
    }

    fn check(&mut self, name: &str) -> Result<()> {
        golden::check_json(&format!("frames/{name}.json"), &Value::Array(std::mem::take(&mut self.pairs)))
    }
}

/// What a person answers who wants to change things.
fn answer(step: &Value) -> Value {
    match step["message"].as_str().unwrap_or_default() {
        message if message.starts_with("I understand") => json!(true),
        "Onboarding mode" => json!("advanced"),
        "Config handling" => json!("modify"),
        "Anthropic auth method" => json!("apiKey"),
        "Enter Anthropic API key" => json!("canary-key"),
        "Gateway token (blank to keep the present one)" => json!("canary-token"),
        _ => step["initialValue"].clone(),
    }
}

async fn open(daemon: &Daemon) -> Result<Pairs> {
    Ok(Pairs { client: daemon.connect(Connect::cli()).await?, pairs: Vec::new() })
}

#[test]
fn a_client_goes_through_every_step() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().config(CONFIG).start().await?;
        let mut pairs = open(&daemon).await?;
        let mut turn = pairs.ask("wizard.start", json!({})).await?;
        let session = turn["sessionId"].clone();
        while turn["done"] == false {
            ensure!(turn["status"] == "running" && turn["step"]["executor"] == "client", "{turn:#}");
            if turn["step"]["message"] == "What do you want to set up?" {
                let here = format!("Gateway reachable (ws://127.0.0.1:{})", daemon.port);
                ensure!(turn["step"]["options"][0]["hint"] == here, "not the file's port: {turn:#}");
            }
            let value = answer(&turn["step"]);
            turn = pairs.take(&session, &turn, value).await?;
        }
        ensure!(turn == json!({ "done": true, "status": "done" }), "{turn:#}");
        pairs.ask("wizard.status", json!({ "sessionId": session })).await?;
        pairs.check("wizard")?;
        let config = daemon.home.read(".clawdbot/clawdbot.json")?;
        ensure!(config.starts_with("// mine\n") && config.contains("/* why */"), "{config}");
        ensure!(config.contains("canary-token") && !config.contains("canary-key"), "{config}");
        let keys = daemon.home.read(".clawdbot/agents/main/agent/auth-profiles.json")?;
        ensure!(keys.contains("canary-key"), "{keys}");
        daemon.home.read("clawd/BOOTSTRAP.md")?;
        // The new token is in force at once, or after the restart that a port takes.
        until("the new token to be in force", || async {
            Ok(daemon.connect(Connect::cli().token("canary-token")).await.ok())
        })
        .await?;
        let log = fs::read_to_string(daemon.log_file())?;
        let printed = format!("{log}{}{}", daemon.stdout()?, daemon.stderr()?);
        ensure!(!printed.contains("canary"), "{printed}");
        Ok(())
    });
}

#[test]
fn a_run_is_one_at_a_time_and_its_end_is_told_once() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().config(CONFIG).start().await?;
        let mut pairs = open(&daemon).await?;
        let first = pairs.ask("wizard.start", json!({ "mode": "local", "workspace": "~/work" })).await?;
        let session = &first["sessionId"];
        pairs.ask("wizard.start", json!({})).await?;
        pairs.ask("wizard.next", json!({ "sessionId": session })).await?;
        pairs.ask("wizard.next", json!({ "sessionId": session, "answer": { "stepId": "other" } })).await?;
        pairs.ask("wizard.status", json!({ "sessionId": session })).await?;
        pairs.ask("wizard.cancel", json!({ "sessionId": session })).await?;
        pairs.ask("wizard.status", json!({ "sessionId": session })).await?;
        pairs.ask("wizard.next", json!({ "sessionId": session })).await?;
        pairs.ask("wizard.cancel", json!({ "sessionId": "" })).await?;
        pairs.ask("wizard.start", json!({ "mode": "both", "other": 1 })).await?;
        pairs.ask("wizard.next", json!({ "answer": {} })).await?;
        // A person who does not want the risk, and an answer that cannot be meant.
        for (last, value) in [("I understand", json!(false)), ("Onboarding mode", json!("nonsense"))] {
            let mut turn = pairs.ask("wizard.start", json!({})).await?;
            let session = turn["sessionId"].clone();
            while turn["done"] == false {
                let message = turn["step"]["message"].as_str().context("a message")?;
                let value = if message.starts_with(last) { value.clone() } else { answer(&turn["step"]) };
                turn = pairs.take(&session, &turn, value).await?;
            }
        }
        pairs.check("wizard-ends")?;
        ensure!(daemon.home.read(".clawdbot/clawdbot.json")? == CONFIG, "nothing is written");
        Ok(())
    });
}

#[test]
fn a_client_that_comes_back_goes_on_where_it_was() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().config(CONFIG).start().await?;
        let mut first = daemon.connect(Connect::cli()).await?;
        let started = first.request("wizard.start", json!({})).await?;
        let answer = json!({ "stepId": started["step"]["id"], "value": null });
        let asked = json!({ "sessionId": started["sessionId"], "answer": answer });
        let second_step = first.request("wizard.next", asked).await?;
        first.socket().close().await?;
        let mut second = daemon.connect(Connect::cli()).await?;
        let again = second.request("wizard.next", json!({ "sessionId": started["sessionId"] })).await?;
        ensure!(again == second_step, "{again:#}");
        let reader =
            Connect::cli().device(gateway_tests::device::Device::seeded(3)).scopes(&["operator.read"]);
        let refused = daemon.connect(reader).await?.refused("wizard.start", json!({})).await?;
        ensure!(refused.message == "missing scope: operator.admin", "{refused}");
        Ok(())
    });
}
