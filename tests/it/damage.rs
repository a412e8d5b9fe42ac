//! Records that somebody or something damaged while the daemon was down, in a file that is whole otherwise: they are
//! named, everything else works, and nothing is written over them, so that they can still be rescued.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use gateway_admin::v1::PartState;
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::device::Device;
use gateway_tests::wait::until;
use gateway_tests::ws_client::refusal;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

const DAMAGED: &[u8] = b"{\"v\":1,\"deviceId\":";

fn open(store: &Path) -> Result<Connection> {
    Connection::open(store).context("opening the store of the stopped daemon")
}

fn damage(store: &Path, bucket: &str, key: &str) -> Result<()> {
    let changed = open(store)?.execute(
        "UPDATE record SET value = ?3 WHERE bucket = ?1 AND key = ?2",
        params![bucket, key, DAMAGED],
    )?;
    ensure!(changed == 1, "there is one record {bucket}/{key}, not {changed}");
    Ok(())
}

fn is_as_damaged(store: &Path, bucket: &str, key: &str) -> Result<bool> {
    let value: Vec<u8> = open(store)?.query_row(
        "SELECT value FROM record WHERE bucket = ?1 AND key = ?2",
        params![bucket, key],
        |row| row.get(0),
    )?;
    Ok(value == DAMAGED)
}

/// The reason of the store's part, which has to be degraded; everybody who looks has to see it.
async fn degraded(daemon: &Daemon) -> Result<String> {
    let seen = daemon.ctl(&["health", "--part", "store", "--json"]).await?;
    let document: Value = serde_json::from_str(&seen.stdout)?;
    let store = &document["parts"][0];
    ensure!(store["state"] == "degraded" && seen.code == Some(0), "{document:#}");
    let reason = store["reason"].as_str().context("a reason")?;
    let status = daemon.admin().await?.call("status", &json!({})).await?;
    ensure!(status["problems"] == json!([format!("store: {reason}")]), "{status:#}");
    ensure!(daemon.get("/readyz").await?.status == 200, "clients are served");
    Ok(reason.to_owned())
}

#[test]
fn a_device_record_that_cannot_be_read_is_named_and_left_alone() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let how = |seed| Connect::cli().device(Device::seeded(seed));
        let mut tokens = Vec::new();
        for seed in [1, 2] {
            let hello = daemon.connect(how(seed)).await?.hello;
            tokens.push(hello["auth"]["deviceToken"].as_str().context("a token")?.to_owned());
        }
        ensure!(daemon.stop().await?.success());
        let store = daemon.home.state().join("gateway.sqlite");
        let id = Device::seeded(1).id;
        damage(&store, "devices", &id)?;

        daemon.start_again().await?;
        let named = format!("devices/{id}");
        let reason = degraded(&daemon).await?;
        ensure!(
            reason == format!("stored records cannot be read and are left as they are: {named}"),
            "{reason}"
        );
        let told = format!("the stored record {named} cannot be read; it was left untouched");
        // With its token, with the shared secret, and from afar: never as a stranger, never for a wrong token.
        let afar = how(1).header("x-forwarded-for", "203.0.113.7");
        for attempt in [how(1).token(&tokens[0]), how(1), afar] {
            let refused = refusal(daemon.connect(attempt).await)?;
            ensure!(refused.code == "UNAVAILABLE" && refused.message == told, "{refused}");
        }
        daemon.connect(how(2).token(&tokens[1])).await.context("the other device")?;
        daemon.connect(how(3)).await.context("a new device")?;
        let mut admin = daemon.connect(Connect::cli()).await?;
        let listed = admin.request("device.pair.list", json!({})).await?;
        ensure!(listed["paired"].as_array().is_some_and(|paired| paired.len() == 2), "{listed:#}");
        ensure!(listed["pending"] == json!([]), "{listed:#}");
        admin.refused("device.token.rotate", json!({ "deviceId": id, "role": "operator" })).await?;
        ensure!(daemon.stop().await?.success());
        ensure!(is_as_damaged(&store, "devices", &id)?, "the record was overwritten");

        // Until somebody says that it may go: then its bytes are kept under another name, and health is well.
        daemon.start_again().await?;
        let doctor = daemon.ctl(&["doctor"]).await?;
        let fix = format!("gatewayctl devices revoke --device {id} --role operator");
        ensure!(doctor.stdout.contains(&fix), "{doctor:?}");
        let revoked = daemon.ctl(&["devices", "revoke", "--device", &id, "--role", "operator"]).await?;
        ensure!(revoked.code == Some(0), "{revoked:?}");
        let part = until("the store's part to be well", || async {
            let health = daemon.admin().await?.health().await?;
            let part = health.parts.into_iter().find(|part| part.name == "store").context("the part")?;
            Ok(part.reason.is_empty().then_some(part))
        })
        .await?;
        ensure!(part.state() == PartState::Serving, "{part:?}");
        daemon.connect(how(1)).await.context("it pairs anew")?;
        let log = daemon.home.read(".clawdbot/logs/gateway.log")?;
        ensure!(
            log.contains("whose record cannot be read; the record was set aside"),
            "it is told in the log"
        );
        ensure!(daemon.stop().await?.success());
        let kept: Vec<u8> = open(&store)?.query_row(
            "SELECT value FROM record WHERE bucket = 'settings' AND key LIKE 'device-set-aside/' || ?1 || '/%'",
            params![id],
            |row| row.get(0),
        )?;
        ensure!(kept == DAMAGED, "the copy is what it was");
        Ok(())
    });
}

#[test]
fn a_damaged_key_of_device_tokens_is_named_and_not_replaced() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let how = |seed| Connect::cli().device(Device::seeded(seed));
        let token = daemon.connect(how(1)).await?.hello["auth"]["deviceToken"].take();
        let token = token.as_str().context("a token")?.to_owned();
        ensure!(daemon.stop().await?.success());
        let store = daemon.home.state().join("gateway.sqlite");
        damage(&store, "settings", "device-token-key")?;

        daemon.start_again().await?;
        let reason = degraded(&daemon).await?;
        ensure!(reason.ends_with(": settings/device-token-key"), "{reason}");
        for attempt in [how(1).token(&token), how(2)] {
            let refused = refusal(daemon.connect(attempt).await)?;
            ensure!(refused.message.contains("settings/device-token-key cannot be read"), "{refused}");
        }
        daemon.connect(Connect::cli()).await.context("the shared secret alone needs no key")?;
        ensure!(daemon.stop().await?.success());
        ensure!(is_as_damaged(&store, "settings", "device-token-key")?, "the key was replaced");
        Ok(())
    });
}
