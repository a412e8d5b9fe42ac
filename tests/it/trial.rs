//! A config change on trial: whatever happens to the terminal, the daemon or the machine, nobody stays locked out.

use std::fs;

use anyhow::{Context, Result, ensure};
use gateway_admin::v1::ConfigTrial;
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::program::Finished;
use gateway_tests::wait::until;
use gateway_tests::ws_client::refusal;
use serde_json::Value;

const NEW_TOKEN: &str = "token-after-the-change";
/// Longer than any test.
const LONG: &str = "60m";
const RECORD: &str = ".clawdbot/clawdbot.json.trial";

fn config(token: &str, more: &str) -> String {
    format!(
        "// mine\n{{ gateway: {{ mode: 'local', auth: {{ mode: 'token', token: '{token}' }}, {more} }} }}\n"
    )
}

async fn start() -> Result<Daemon> {
    Daemon::builder().config(config(TOKEN, "")).start().await
}

/// `config apply` with this text.
async fn apply(daemon: &Daemon, text: &str, within: &str) -> Result<Finished> {
    daemon.home.write("new.json5", text)?;
    daemon.ctl(&["config", "apply", "new.json5", "--confirm-within", within, "--json"]).await
}

async fn applied(daemon: &Daemon, text: &str, within: &str) -> Result<Value> {
    let seen = apply(daemon, text, within).await?;
    ensure!(seen.code == Some(0), "{seen:?}");
    Ok(serde_json::from_str(&seen.stdout)?)
}

async fn trial(daemon: &Daemon) -> Result<Option<ConfigTrial>> {
    Ok(daemon.admin().await?.status().await?.config.and_then(|config| config.trial))
}

fn text(daemon: &Daemon) -> Result<String> {
    Ok(fs::read_to_string(daemon.home.config())?)
}

fn is_recorded(daemon: &Daemon) -> bool {
    daemon.home.path().join(RECORD).exists()
}

/// Waits until the file is as it was before, the record is gone, and the old secret opens the door.
async fn taken_back(daemon: &Daemon) -> Result<()> {
    until("the old config", || async {
        let back = text(daemon)? == config(TOKEN, "") && !is_recorded(daemon);
        Ok((back && daemon.connect(Connect::cli()).await.is_ok()).then_some(()))
    })
    .await
}

async fn said(daemon: &Daemon, line: &str) -> Result<()> {
    until(line, || async { Ok((daemon.stdout()? + &daemon.stderr()?).contains(line).then_some(())) }).await
}

fn starts(daemon: &Daemon) -> Result<usize> {
    Ok(daemon.stdout()?.matches("listening on").count())
}

#[test]
fn a_confirmed_change_stays() {
    gateway_tests::run(async {
        let mut daemon = start().await?;
        let new = config(NEW_TOKEN, "");
        let done = applied(&daemon, &new, LONG).await?;
        ensure!(done["changed"] == serde_json::json!(["gateway.auth.token"]), "{done:#}");
        ensure!(done["restartRequired"] == false && done["confirmWithinMs"].as_u64() > Some(0), "{done:#}");
        daemon.connect(Connect::cli().token(NEW_TOKEN)).await.context("it is in force at once")?;
        refusal(daemon.connect(Connect::cli()).await)?;
        ensure!(trial(&daemon).await?.is_some_and(|trial| trial.changed == ["gateway.auth.token"]));

        let set = daemon.ctl(&["config", "set", "gateway.port", "1"]).await?;
        ensure!(set.code == Some(1) && set.stderr.contains("gatewayctl config confirm"), "{set:?}");
        let again = apply(&daemon, &new, LONG).await?;
        ensure!(again.code == Some(1) && again.stderr.contains("waits to be confirmed"), "{again:?}");

        let confirmed = daemon.ctl(&["config", "confirm"]).await?;
        ensure!(confirmed.code == Some(0) && confirmed.stdout.contains("is kept"), "{confirmed:?}");
        let twice = daemon.ctl(&["config", "confirm"]).await?;
        ensure!(twice.code == Some(1) && twice.stderr.contains("no config change waits"), "{twice:?}");
        ensure!(trial(&daemon).await?.is_none() && !is_recorded(&daemon));
        daemon.kill().await?;
        daemon.start_again().await?;
        ensure!(text(&daemon)? == new, "it is there for good");
        daemon.connect(Connect::cli().token(NEW_TOKEN)).await.map(drop)
    });
}

#[test]
fn a_change_that_nobody_confirms_is_taken_back() {
    gateway_tests::run(async {
        let daemon = start().await?;
        applied(&daemon, &config(NEW_TOKEN, ""), "300ms").await?;
        taken_back(&daemon).await?;
        said(&daemon, "config change taken back (gateway.auth.token): it was not confirmed in time").await?;
        ensure!(starts(&daemon)? == 1, "no restart was needed");
        let diff = daemon.ctl(&["config", "diff", "now", "1"]).await?;
        ensure!(
            diff.stdout == "~ gateway.auth.token: (secret) → (secret)\n",
            "what was tried is kept: {diff:?}"
        );
        Ok(())
    });
}

#[test]
fn a_config_that_the_gateway_cannot_start_with_is_taken_back_at_once() {
    gateway_tests::run(async {
        let daemon = start().await?;
        let pid = daemon.pid()?;
        let cannot = [
            "tls: { enabled: true, autoGenerate: false, certPath: '/no/such/cert', keyPath: '/no/such/key' }",
            // Reserved for documentation, so no machine has it.
            "bind: 'custom', customBindHost: '203.0.113.9'",
        ];
        for (round, more) in cannot.into_iter().enumerate() {
            let done = applied(&daemon, &config(TOKEN, more), LONG).await?;
            ensure!(done["restartRequired"] == true, "{done:#}");
            until("it to start with the old config", || async {
                Ok((starts(&daemon)? == round + 2).then_some(()))
            })
            .await?;
            taken_back(&daemon).await?;
        }
        said(&daemon, "the gateway failed with it").await?;
        ensure!(daemon.pid()? == pid, "the process never ended, so no service manager gave up on it");
        Ok(())
    });
}

#[test]
fn a_config_that_cannot_be_used_changes_nothing() {
    gateway_tests::run(async {
        let daemon = start().await?;
        for (new, says) in [("{ gateway: }", "at 1:12"), ("{ gateway: { prot: 1 } }", "\"prot\"")] {
            let seen = apply(&daemon, new, LONG).await?;
            ensure!(seen.code == Some(78) && seen.stderr.contains(says), "{seen:?}");
        }
        ensure!(text(&daemon)? == config(TOKEN, "") && !is_recorded(&daemon));
        let zero = apply(&daemon, &config(NEW_TOKEN, ""), "0s").await?;
        ensure!(zero.code != Some(0) && text(&daemon)? == config(TOKEN, ""), "{zero:?}");
        Ok(())
    });
}

#[test]
fn a_daemon_that_died_takes_it_back_when_it_starts() {
    gateway_tests::run(async {
        let mut daemon = start().await?;
        for is_killed in [true, false] {
            applied(&daemon, &config(NEW_TOKEN, ""), LONG).await?;
            if is_killed {
                daemon.kill().await?;
            } else {
                ensure!(daemon.stop().await?.success());
            }
            let confirm = daemon.ctl(&["config", "confirm"]).await?;
            ensure!(
                confirm.code == Some(3) && confirm.stderr.contains("takes the unconfirmed"),
                "{confirm:?}"
            );
            ensure!(is_recorded(&daemon));
            daemon.start_again().await?;
            taken_back(&daemon).await?;
        }
        said(&daemon, "(gateway.auth.token): the gateway ended before it was confirmed").await
    });
}

#[test]
fn a_restart_that_the_change_needs_does_not_end_the_trial() {
    gateway_tests::run(async {
        let daemon = start().await?;
        let (pid, new) = (daemon.pid()?, config(TOKEN, "bind: 'lan'"));
        for (round, confirms) in [true, false].into_iter().enumerate() {
            let within = if confirms { LONG } else { "1500ms" };
            let done = applied(
                &daemon,
                &if confirms { new.clone() } else { config(NEW_TOKEN, "bind: 'loopback'") },
                within,
            )
            .await?;
            ensure!(done["restartRequired"] == true, "{done:#}");
            until("it to start again", || async { Ok((starts(&daemon)? > round + 1).then_some(())) }).await?;
            if confirms {
                until("the confirmation", || async {
                    Ok((daemon.ctl(&["config", "confirm"]).await?.code == Some(0)).then_some(()))
                })
                .await?;
                let status = daemon.admin().await?.status().await?;
                ensure!(status.bind_mode == "lan" && text(&daemon)? == new, "{status:?}");
            }
        }
        until("the confirmed config", || async {
            let back = text(&daemon)? == new
                && !is_recorded(&daemon)
                && daemon.connect(Connect::cli()).await.is_ok();
            Ok(back.then_some(()))
        })
        .await?;
        ensure!(daemon.pid()? == pid, "one process went through all of it");
        Ok(())
    });
}

#[test]
fn a_change_is_taken_back_by_hand_with_and_without_a_daemon() {
    gateway_tests::run(async {
        let mut daemon = start().await?;
        applied(&daemon, &config(NEW_TOKEN, ""), LONG).await?;
        let back = daemon.ctl(&["config", "rollback"]).await?;
        ensure!(back.code == Some(0) && back.stdout.contains("is taken back"), "{back:?}");
        taken_back(&daemon).await?;

        applied(&daemon, &config(NEW_TOKEN, ""), LONG).await?;
        daemon.kill().await?;
        let history = daemon.ctl(&["config", "history"]).await?;
        ensure!(
            history.stdout.starts_with("A change waits to be confirmed (gateway.auth.token)"),
            "{history:?}"
        );
        let back = daemon.ctl(&["config", "rollback", "--json"]).await?;
        ensure!(back.code == Some(0), "{back:?}");
        ensure!(text(&daemon)? == config(TOKEN, "") && !is_recorded(&daemon));
        let absent = apply(&daemon, &config(NEW_TOKEN, ""), LONG).await?;
        ensure!(absent.code == Some(3) && absent.stderr.contains("Nothing was written"), "{absent:?}");
        ensure!(text(&daemon)? == config(TOKEN, "") && !is_recorded(&daemon));
        Ok(())
    });
}

#[test]
fn copies_are_listed_compared_and_put_back() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        let ctl = |words: &'static str| {
            let home = &home;
            async move {
                let words: Vec<_> = words.split(' ').collect();
                gateway_tests::program::Program::Gatewayctl.run(home, &words).await
            }
        };
        let first = fs::read_to_string(home.config())?;
        home.write("new.json5", &config(NEW_TOKEN, "port: 4711"))?;
        let done = ctl("config apply new.json5").await?;
        ensure!(done.code == Some(0) && done.stdout.contains("gateway.auth.token"), "{done:?}");
        ensure!(ctl("config set ui.assistant.name Ada").await?.code == Some(0));
        let history = ctl("config history").await?;
        ensure!(history.stdout.contains("then changed: ui.assistant.name"), "{history:?}");
        let all = ctl("config diff 2 --json").await?;
        ensure!(all.code == Some(0) && !all.stdout.contains(NEW_TOKEN), "{all:?}");
        let all: Value = serde_json::from_str(&all.stdout)?;
        ensure!(all["changes"].as_array().is_some_and(|changes| changes.len() == 3), "{all:#}");
        let one = ctl("config diff").await?;
        ensure!(one.stdout == "+ ui.assistant.name: \"Ada\"\n", "{one:?}");
        ensure!(ctl("config rollback 9").await?.stderr.contains("there are 1 to 2"));
        ensure!(ctl("config rollback 2").await?.code == Some(0));
        ensure!(fs::read_to_string(home.config())? == first, "byte for byte");
        ensure!(ctl("config rollback").await?.code == Some(0), "and back again");
        ensure!(fs::read_to_string(home.config())?.contains("Ada"));
        Ok(())
    });
}

#[test]
fn a_record_that_cannot_be_read_keeps_nobody_out() {
    gateway_tests::run(async {
        let mut daemon = start().await?;
        ensure!(daemon.stop().await?.success());
        let before = r#"{"version":1,"watcher":{"pid":1,"startTime":null},"since":0,"withinMs":1,"hash":"","changed":[],"before":"{ gateway: { prot: 1 } }"}"#;
        for record in ["{", "\u{0}", before] {
            daemon.home.write(RECORD, record)?;
            daemon.start_again().await?;
            daemon.connect(Connect::cli()).await?;
            ensure!(text(&daemon)? == config(TOKEN, ""), "the config is left alone");
            ensure!(daemon.stop().await?.success());
        }
        said(&daemon, "clawdbot.json.trial, cannot be used").await?;
        said(&daemon, "could not be taken back: Config validation failed: gateway").await
    });
}
