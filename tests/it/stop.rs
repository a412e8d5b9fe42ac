//! How the daemon ends and comes back: signals, what its clients see, what it leaves behind, and what its service
//! manager hears.

use anyhow::{Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::home::TOKEN;
use gateway_tests::wait::{until, within};
use rustix::process::Signal;
use serde_json::json;
use tokio::net::UnixDatagram;

/// Its client is told before it is closed, and nothing is left.
async fn tells_and_stops(signal: Signal) -> Result<()> {
    let mut daemon = Daemon::start().await?;
    let mut client = daemon.connect(Connect::cli()).await?;
    let socket = daemon.home.state().join("run/admin.sock");
    ensure!(socket.exists(), "there is an admin socket");
    daemon.signal(signal)?;
    let (told, how) = client.farewell().await?;
    ensure!(how == Some((1012, "service restart".to_owned())), "{how:?}");
    let expected = json!({ "reason": "gateway stopping", "restartExpectedMs": null });
    ensure!(told == Some(expected), "{told:?}");
    ensure!(daemon.ended().await?.code() == Some(0), "asked to stop is no failure");
    ensure!(!socket.exists(), "the admin socket is gone");
    ensure!(daemon.get("/readyz").await.is_err(), "the port is free");
    daemon.start_again().await?;
    daemon.connect(Connect::cli()).await.map(drop)
}

#[test]
fn sigterm_stops_it() {
    gateway_tests::run(tells_and_stops(Signal::TERM));
}

#[test]
fn sigint_stops_it() {
    gateway_tests::run(tells_and_stops(Signal::INT));
}

async fn printed(daemon: &Daemon, text: &str) -> Result<()> {
    until(text, || async { Ok((daemon.stdout()? + &daemon.stderr()?).contains(text).then_some(())) }).await
}

#[test]
fn sigusr1_is_ignored_unless_it_is_allowed() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        daemon.signal(Signal::USR1)?;
        printed(
            &daemon,
            "SIGUSR1 restart ignored (not authorized; enable commands.restart or use gateway tool).",
        )
        .await?;
        client.request("health", json!({})).await.map(drop)
    });
}

#[test]
fn sigusr1_restarts_in_place() {
    gateway_tests::run(async {
        let config = format!(
            "{{ gateway: {{ mode: 'local', auth: {{ token: '{TOKEN}' }} }}, commands: {{ restart: true }} }}"
        );
        let daemon = Daemon::builder().config(config).start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        daemon.signal(Signal::USR1)?;
        client.sees_a_restart().await?;
        daemon.listens_again().await?;
        daemon.connect(Connect::cli()).await?.request("health", json!({})).await.map(drop)
    });
}

#[test]
fn a_second_signal_does_not_make_it_fail() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        daemon.signal(Signal::TERM)?;
        printed(&daemon, "signal SIGTERM received").await?;
        daemon.signal(Signal::INT)?;
        ensure!(daemon.ended().await?.code() == Some(0), "{}", daemon.stderr()?);
        daemon.start_again().await
    });
}

#[test]
fn the_service_manager_hears_of_start_reload_and_end() {
    gateway_tests::run(async {
        let folder = tempfile::Builder::new().prefix("gw-n").tempdir()?;
        let path = folder.path().join("s");
        let manager = UnixDatagram::bind(&path)?;
        let mut daemon =
            Daemon::builder().env("NOTIFY_SOCKET", path.to_string_lossy().into_owned()).start().await?;
        heard(&manager, "READY=1").await?;
        daemon.signal(Signal::HUP)?;
        heard(&manager, "RELOADING=1").await?;
        heard(&manager, "READY=1").await?;
        ensure!(daemon.stop().await?.success(), "it stops");
        heard(&manager, "STOPPING=1").await
    });
}

async fn heard(manager: &UnixDatagram, wanted: &str) -> Result<()> {
    let mut buffer = vec![0; 4096];
    loop {
        let length = within(wanted, manager.recv(&mut buffer)).await??;
        let message = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        if message.lines().any(|line| line == wanted) {
            return Ok(());
        }
    }
}
