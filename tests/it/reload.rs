//! A changed configuration file: what takes effect at once, what needs a restart, and that a broken file never takes
//! the gateway away (rule R8).

use std::fs;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_admin::v1::{LastReload, PartState, ReloadRequest};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::{Daemon, free_port};
use gateway_tests::device::Device;
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::program::Program;
use gateway_tests::wait::{until, within};
use gateway_tests::ws_client::refusal;
use rustix::process::Signal;
use tokio::task::JoinSet;

const BROKEN: &str = "{ gateway: { mode: 'local',\n  auth: }}";

/// A configuration with this reload mode, secret and more keys.
fn config(mode: &str, token: &str, more: &str) -> String {
    format!(
        "{{ gateway: {{ mode: 'local', reload: {{ mode: '{mode}' }}, auth: {{ mode: 'token', token: '{token}' }} }}, {more} }}\n"
    )
}

/// Writes the file and waits until the daemon has looked at it, whether its own watch or our wish came first.
async fn edit(daemon: &Daemon, text: &str) -> Result<LastReload> {
    let before = last_reload(daemon).await?;
    daemon.home.write_config(text)?;
    let asked = daemon.ctl(&["reload"]).await?;
    ensure!(asked.code.is_some(), "{asked:?}");
    until("the reload to be known", || async {
        let last = last_reload(daemon).await?;
        Ok(last.filter(|last| Some(last) != before.as_ref()))
    })
    .await
}

async fn last_reload(daemon: &Daemon) -> Result<Option<LastReload>> {
    Ok(daemon.admin().await?.status().await?.config.and_then(|config| config.last_reload))
}

async fn config_part(daemon: &Daemon) -> Result<(PartState, String)> {
    let health = daemon.admin().await?.health().await?;
    let part = health.parts.into_iter().find(|part| part.name == "config").context("a part config")?;
    Ok((part.state(), part.reason))
}

async fn said(daemon: &Daemon, text: &str) -> Result<()> {
    until(text, || async { Ok((daemon.stdout()? + &daemon.stderr()?).contains(text).then_some(())) }).await
}

#[test]
fn a_new_token_ends_what_the_old_one_opened() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().config(config("hybrid", TOKEN, "")).start().await?;
        let pid = daemon.pid()?;
        let mut old = daemon.connect(Connect::cli()).await?;
        let mut remote = daemon.connect(Connect::cli().header("x-forwarded-for", "203.0.113.7")).await?;
        let last = edit(&daemon, &config("hybrid", "another-token", "")).await?;
        ensure!(last.ok && last.summary == "1 applied", "{last:?}");
        let how = old.socket().closed().await?;
        let told = "gateway auth changed; the new token is gateway.auth.token in ~/.clawdbot/clawdbot.json";
        ensure!(how == Some((1008, told.to_owned())), "{how:?}");
        let how = remote.socket().closed().await?;
        ensure!(how == Some((1008, "gateway auth changed; connect again".to_owned())), "{how:?}");
        daemon.connect(Connect::cli().token("another-token")).await?;
        refusal(daemon.connect(Connect::cli()).await)?;
        ensure!(
            daemon.pid()? == pid && daemon.stdout()?.matches("listening on").count() == 1,
            "it did not restart"
        );
        Ok(())
    });
}

/// Rotations while clients connect, since a client may be judged before one and join after it.
const RACES: u64 = 5;
/// New devices that connect at once. Each is written to disk after its secret was judged, which gives the rotation
/// time to come in between.
const CROWD: u64 = 32;

#[test]
fn nobody_slips_through_a_rotation() {
    gateway_tests::run(async {
        let daemon = Arc::new(Daemon::builder().config(config("hybrid", "secret-0", "")).start().await?);
        for round in 0..RACES {
            let (old, new) = (format!("secret-{round}"), format!("secret-{}", round + 1));
            daemon.home.write_config(&config("hybrid", &new, ""))?;
            let (mut admin, mut crowd) = (daemon.admin().await?, JoinSet::new());
            for one in 0..CROWD {
                let device = Device::seeded(round * CROWD + one);
                let how = Connect::cli().token(&old).device(device);
                let daemon = daemon.clone();
                crowd.spawn(async move { daemon.connect(how).await });
            }
            // With the first inside, the others are on their way.
            let mut next = crowd.join_next().await;
            admin.client.reload(ReloadRequest { dry_run: false }).await?;
            while let Some(client) = next {
                next = crowd.join_next().await;
                // Whoever was refused or cut off before its hello is out already.
                let Ok(mut client) = client? else { continue };
                let end = within("the session to end", client.socket().closed()).await??;
                ensure!(end.as_ref().is_some_and(|(code, _)| *code == 1008), "round {round}: {end:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_broken_file_changes_nothing_and_is_told() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let last = edit(&daemon, BROKEN).await?;
        ensure!(!last.ok && last.summary.contains("at 2:9"), "{last:?}");
        daemon.connect(Connect::cli()).await?;
        let asked = daemon.ctl(&["reload"]).await?;
        ensure!(asked.code == Some(78) && asked.stderr.contains("at 2:9"), "{asked:?}");
        let asked = daemon.admin().await?.client.reload(ReloadRequest { dry_run: false }).await;
        let refused = asked.err().context("a broken file is an error")?;
        let reason = refused.metadata().get("gateway-reason").and_then(|word| word.to_str().ok());
        ensure!(reason == Some("config-invalid"), "{refused:?}");
        let (state, reason) = config_part(&daemon).await?;
        ensure!(
            state == PartState::Degraded && reason.contains("invalid character '}' at 2:9"),
            "{state:?} {reason}"
        );
        ensure!(fs::read_to_string(daemon.home.config())? == BROKEN, "the file is left as it is");

        daemon.home.write_config(&config("hybrid", TOKEN, ""))?;
        daemon.ctl(&["reload"]).await?;
        until("the config to be good again", || async {
            Ok((config_part(&daemon).await?.0 == PartState::Serving).then_some(()))
        })
        .await
    });
}

#[test]
fn a_broken_file_at_the_start_means_the_last_good_one() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let kept = daemon.home.state().join("clawdbot.json.last-good");
        until("the last good copy", || async { Ok(kept.exists().then_some(())) }).await?;
        ensure!(daemon.stop().await?.success(), "it stops");
        daemon.home.write_config(BROKEN)?;
        let good = daemon.home.read(".clawdbot/clawdbot.json.last-good")?;
        daemon.start_again().await?;
        daemon.connect(Connect::cli()).await?;
        said(&daemon, "running on the last good config (~/.clawdbot/clawdbot.json.last-good)").await?;
        let status = daemon.admin().await?.status().await?.config.context("a config")?;
        ensure!(status.degraded_reason.contains("at 2:9"), "{status:?}");
        ensure!(config_part(&daemon).await?.0 == PartState::Degraded, "health says so too");
        let status = daemon.ctl(&["status", "--no-probe"]).await?;
        ensure!(status.code == Some(78) && status.stdout.contains("degraded"), "{status:?}");
        ensure!(fs::read_to_string(daemon.home.config())? == BROKEN, "the broken file is left as it is");
        ensure!(daemon.home.read(".clawdbot/clawdbot.json.last-good")? == good, "the good one too");
        Ok(())
    });
}

#[test]
fn a_broken_file_at_the_first_start_is_refused_with_its_place() {
    gateway_tests::run(async {
        let home = Home::new()?;
        home.write_config(BROKEN)?;
        let seen = Program::Gatewayd.run(&home, &["--port", &free_port()?.to_string()]).await?;
        ensure!(seen.code == Some(78) && seen.stderr.contains("invalid character '}' at 2:9"), "{seen:?}");
        ensure!(fs::read_to_string(home.config())? == BROKEN, "the file is left as it is");
        Ok(())
    });
}

#[test]
fn sighup_opens_the_log_again() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let log = daemon.log_file();
        let moved = |n: usize| log.with_extension(format!("old{n}"));
        until("the log file", || async { Ok(log.exists().then_some(())) }).await?;
        for n in 0..10 {
            // Something was logged just now, so the daemon has no reason to look at the file's name again.
            refusal(daemon.connect(Connect::cli().token("not-the-token")).await)?;
            fs::rename(&log, moved(n))?;
            daemon.signal(Signal::HUP)?;
            until("a new log file", || async { Ok(log.exists().then_some(())) }).await?;
        }
        until("the line about the signal", || async {
            Ok(fs::read_to_string(moved(1))?.contains("signal SIGHUP received").then_some(()))
        })
        .await?;
        ensure!(!fs::read_to_string(moved(0))?.contains("SIGHUP"), "it is the first of the new file");
        Ok(())
    });
}

#[test]
fn a_log_that_cannot_be_written_shows_in_health_and_comes_back() {
    gateway_tests::run(async {
        let home = Arc::new(Home::configured()?);
        // A file where the folder should be: not even root can write there.
        let folder = home.state().join("logs");
        fs::write(&folder, "")?;
        let daemon = Daemon::builder().home(home).start().await?;
        let part = |state: PartState| {
            let daemon = &daemon;
            until("the log's health", move || async move {
                let health = daemon.admin().await?.health().await?;
                let part = health.parts.into_iter().find(|part| part.name == "log").context("a part log")?;
                Ok((part.state() == state).then_some(part.reason))
            })
        };
        let reason = part(PartState::Degraded).await?;
        ensure!(reason.contains("gateway.log cannot be written"), "{reason}");
        let seen = daemon.ctl(&["health"]).await?;
        ensure!(seen.code == Some(0) && seen.stdout.contains("! log: degraded"), "{seen:?}");
        fs::remove_file(&folder)?;
        // Nobody has to log anything for that.
        part(PartState::Serving).await?;
        daemon.signal(Signal::HUP)?;
        until("a line in the log", || async {
            let text = fs::read_to_string(daemon.log_file()).unwrap_or_default();
            Ok((text.contains("log records were lost") && text.contains("SIGHUP")).then_some(()))
        })
        .await
    });
}

#[test]
fn mode_off_ignores_changes() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().config(config("off", TOKEN, "")).start().await?;
        let last = edit(&daemon, &config("off", "another-token", "")).await?;
        ensure!(!last.ok && last.summary.contains("gateway.reload.mode is off"), "{last:?}");
        said(&daemon, "config reload disabled (gateway.reload.mode=off)").await?;
        daemon.connect(Connect::cli()).await.map(drop)
    });
}

#[test]
fn mode_hot_never_restarts() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().config(config("hot", TOKEN, "")).start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        edit(&daemon, &config("hot", TOKEN, "discovery: { mdns: { mode: 'off' } }")).await?;
        said(&daemon, "config reload requires gateway restart; hot mode ignoring (discovery.mdns.mode)")
            .await?;
        client.request("health", serde_json::json!({})).await?;
        let last = edit(&daemon, &config("hot", TOKEN, "logging: { level: 'debug' }")).await?;
        ensure!(last.ok && last.summary.ends_with(" applied"), "{last:?}");
        ensure!(daemon.stdout()?.matches("listening on").count() == 1, "it did not restart");
        Ok(())
    });
}

/// Writes the file and waits until the same process listens a second time.
async fn restarts(before: &str, after: &str) -> Result<()> {
    let daemon = Daemon::builder().config(before).start().await?;
    let mut client = daemon.connect(Connect::cli()).await?;
    daemon.home.write_config(after)?;
    ensure!(client.socket().closed().await?.is_some_and(|(code, _)| code == 1012), "clients are closed");
    daemon.listens_again().await?;
    daemon.connect(Connect::cli()).await.map(drop)
}

#[test]
fn mode_hybrid_restarts_when_it_must() {
    let after = config("hybrid", TOKEN, "discovery: { mdns: { mode: 'off' } }");
    gateway_tests::run(async move { restarts(&config("hybrid", TOKEN, ""), &after).await });
}

#[test]
fn mode_restart_always_does() {
    let after = config("restart", TOKEN, "logging: { level: 'debug' }");
    gateway_tests::run(async move { restarts(&config("restart", TOKEN, ""), &after).await });
}

#[test]
fn a_dry_run_changes_nothing() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().config(config("off", TOKEN, "")).start().await?;
        daemon.home.write_config(&config("off", "another-token", ""))?;
        let seen = daemon.ctl(&["reload", "--dry-run", "--json"]).await?;
        let report: serde_json::Value = serde_json::from_str(&seen.stdout)?;
        ensure!(report["dryRun"] == true && report["refused"][0]["path"] == "gateway.auth.token", "{report}");
        daemon.connect(Connect::cli()).await.map(drop)
    });
}
