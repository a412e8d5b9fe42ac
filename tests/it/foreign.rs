//! The health service through software nobody here wrote: what a stop looks like to a watcher in Python, and grpcurl,
//! which is written in Go and knows the services by reflection alone.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use gateway_tests::daemon::Daemon;
use gateway_tests::setup::foreign_clients;
use gateway_tests::wait::within;
use gateway_tests::workspace;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

fn socket(daemon: &Daemon) -> PathBuf {
    gateway_admin::endpoint::Endpoint::find(&daemon.home.state()).path().to_path_buf()
}

#[test]
fn a_watcher_sees_health_turn_as_soon_as_a_stop_begins() {
    gateway_tests::run(async {
        let python = foreign_clients().await?.join("python");
        let mut daemon = Daemon::start().await?;
        let mut command = Command::new(python);
        command.arg(workspace::root().join("tests/it/grpc_check.py")).arg(socket(&daemon)).arg("watch");
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut words = BufReader::new(child.stdout.take().context("its output")?).lines();
        let first = within("the first word", words.next_line()).await??;
        ensure!(first.as_deref() == Some("SERVING"), "{first:?}");
        ensure!(daemon.stop().await?.success(), "the stop is clean");
        let second = within("the second word", words.next_line()).await??;
        ensure!(second.as_deref() == Some("NOT_SERVING"), "{second:?}");
        Ok(())
    });
}

#[test]
fn grpcurl_needs_no_proto_file() {
    gateway_tests::run(async {
        let grpcurl = foreign_clients().await?.join("grpcurl");
        let daemon = Daemon::start().await?;
        let services = curl(&grpcurl, &socket(&daemon), "list").await?;
        ensure!(services.lines().any(|name| name == "gateway.admin.v1.Admin"), "{services}");
        let health = curl(&grpcurl, &socket(&daemon), "grpc.health.v1.Health/Check").await?;
        ensure!(serde_json::from_str::<Value>(&health)?["status"] == "SERVING", "{health}");
        let status = curl(&grpcurl, &socket(&daemon), "gateway.admin.v1.Admin/Status").await?;
        ensure!(serde_json::from_str::<Value>(&status)?["phase"] == "PHASE_SERVING", "{status}");
        Ok(())
    });
}

async fn curl(grpcurl: &Path, socket: &Path, what: &str) -> Result<String> {
    let mut command = Command::new(grpcurl);
    command.args(["-plaintext", "-unix", "-authority", "localhost"]).arg(socket).arg(what).kill_on_drop(true);
    let output = within(what, command.output()).await??;
    ensure!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).context("its output is text")
}
