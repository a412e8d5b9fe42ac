//! The admin service on its local socket: through the contract crate, and through stock gRPC clients of two other
//! languages that know nothing of this project.

use anyhow::{Context, Result, ensure};
use gateway_admin::v1;
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::setup::foreign_clients;
use gateway_tests::wait::within;
use gateway_tests::workspace;
use serde_json::{Value, json};
use tokio::process::Command;

#[test]
fn status_tells_what_runs() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let _client = daemon.connect(Connect::cli()).await?;
        let status = daemon.admin().await?.status().await?;
        ensure!(status.phase() == v1::Phase::Serving, "{status:?}");
        let process = status.process.context("a process")?;
        ensure!(i32::try_from(process.pid)? == daemon.pid()?.as_raw_nonzero().get(), "{process:?}");
        let url = format!("ws://127.0.0.1:{}", daemon.port);
        ensure!(status.listeners.iter().any(|listener| listener.url == url), "{:?}", status.listeners);
        ensure!(status.bind_mode == "loopback" && status.auth_mode == "token", "{}", status.bind_mode);
        ensure!(
            status.config.context("a config")?.path == daemon.home.config().to_string_lossy(),
            "the file"
        );
        ensure!(status.state_dir == daemon.home.state().to_string_lossy(), "{}", status.state_dir);
        ensure!(status.log_file == daemon.log_file().to_string_lossy(), "{}", status.log_file);
        ensure!(status.protocol_version == 3, "{}", status.protocol_version);
        let connections = status.connections.context("connections")?;
        ensure!(connections.total == 1 && connections.operators == 1, "{connections:?}");
        Ok(())
    });
}

#[test]
fn health_names_every_part() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let health = daemon.admin().await?.health().await?;
        ensure!(health.state() == v1::PartState::Serving, "{health:?}");
        let names: Vec<_> = health.parts.iter().map(|part| part.name.as_str()).collect();
        ensure!(
            names == ["config", "listener", "store", "log", "channels", "cron", "nodes", "memory"],
            "{names:?}"
        );
        ensure!(health.parts.iter().all(|part| part.since.is_some()), "{health:?}");
        Ok(())
    });
}

#[test]
fn call_reaches_the_methods() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut admin = daemon.admin().await?;
        ensure!(admin.call("health", &json!({})).await?["ok"] == true, "health is ok");
        let refused = admin.call("nope", &json!({})).await.err().context("it must be refused")?.to_string();
        ensure!(refused == "INVALID_REQUEST: unknown method: nope", "{refused}");
        let refused = admin.client.call(v1::CallRequest::default()).await.err().context("no method")?;
        ensure!(refused.code() == tonic::Code::InvalidArgument, "{refused:?}");
        let reason = refused.metadata().get("gateway-reason").and_then(|word| word.to_str().ok());
        ensure!(reason == Some("invalid-request"), "{refused:?}");
        Ok(())
    });
}

#[test]
fn a_reload_of_the_same_file_changes_nothing() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        for dry_run in [true, false] {
            let request = v1::ReloadRequest { dry_run };
            let answer = daemon.admin().await?.client.reload(request).await?.into_inner();
            ensure!(answer.dry_run == dry_run && answer.config_hash.len() == 64, "{answer:?}");
            ensure!(answer.applied.is_empty() && answer.refused.is_empty(), "{answer:?}");
        }
        Ok(())
    });
}

#[test]
fn logs_follow_the_file() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let request = v1::LogsRequest { tail: 0, follow: true, ..Default::default() };
        let mut logs = daemon.admin().await?.client.logs(request).await?.into_inner();
        let first = within("the first batch", logs.message()).await??.context("a first message")?;
        ensure!(first.file == daemon.log_file().to_string_lossy(), "{first:?}");
        let refused = daemon.connect(Connect::cli().token("not-the-token")).await;
        ensure!(refused.is_err(), "a wrong token is refused and logged");
        loop {
            let batch = within("the line about it", logs.message()).await??.context("the stream goes on")?;
            if batch
                .lines
                .iter()
                .any(|line| line.message.contains("unauthorized") && line.subsystem.contains("ws"))
            {
                return Ok(());
            }
        }
    });
}

#[test]
fn events_arrive_as_they_happen() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let request = v1::EventsRequest { names: vec!["voicewake.*".to_owned()] };
        let mut events = daemon.admin().await?.client.events(request).await?.into_inner();
        client.request("voicewake.set", json!({ "triggers": ["hello"] })).await?;
        let event = within("the event", events.message()).await??.context("an event")?;
        let payload: Value = serde_json::from_str(&event.payload_json)?;
        ensure!(
            event.event == "voicewake.changed" && payload == json!({ "triggers": ["hello"] }),
            "{event:?}"
        );
        ensure!(event.seq >= 1 && event.dropped == 0 && event.time.is_some(), "{event:?}");
        Ok(())
    });
}

#[test]
fn snapshots_follow_what_happens() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut request = v1::MetricsRequest::default();
        request.interval.get_or_insert_default().nanos = 100_000_000;
        let mut snapshots = daemon.admin().await?.client.metrics(request).await?.into_inner();
        let first = within("a snapshot", snapshots.message()).await??.context("a snapshot")?;
        let counted = |snapshot: &v1::MetricsResponse| -> u64 {
            snapshot.requests.as_ref().map_or(0, |requests| requests.counts.iter().sum())
        };
        ensure!(first.phase() == v1::Phase::Serving && counted(&first) == 0, "{first:?}");
        let process = first.process.as_ref().context("a process")?;
        ensure!(process.resident_bytes > 0 && process.cpu_time.is_some(), "{process:?}");
        let mut client = daemon.connect(Connect::cli()).await?;
        for _ in 0..5 {
            client.request("health", json!({})).await?;
        }
        loop {
            let now = within("a snapshot", snapshots.message()).await??.context("the stream goes on")?;
            let (counters, connections) =
                (now.counters.unwrap_or_default(), now.connections.unwrap_or_default());
            if counted(&now) >= 5 && connections.operators == 1 {
                ensure!(counters.requests >= 5 && counters.bytes_out > 0, "{counters:?}");
                ensure!(now.devices_paired == Some(0) && now.queues.is_some(), "{now:?}");
                break;
            }
        }
        let metrics = daemon.get("/metrics").await?.body;
        ensure!(metrics.contains("gateway_request_duration_seconds_bucket{le=\"+Inf\"}"), "{metrics}");
        Ok(())
    });
}

#[test]
fn shutdown_tells_its_steps_to_the_end() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let request = v1::ShutdownRequest { reason: "a test".to_owned(), ..Default::default() };
        let mut steps = daemon.admin().await?.client.shutdown(request).await?.into_inner();
        let mut done = Vec::new();
        while let Some(step) = within("the next step", steps.message()).await?? {
            ensure!(step.state() != v1::StepState::Failed, "{step:?}");
            if step.state() == v1::StepState::Done {
                done.push(step.step);
            }
        }
        ensure!(done.iter().any(|step| step.contains("store")), "{done:?}");
        ensure!(client.socket().closed().await?.is_some_and(|(code, _)| code == 1012), "clients are closed");
        ensure!(daemon.ended().await?.code() == Some(0), "it ends well");
        Ok(())
    });
}

async fn ran(what: &str, mut command: Command) -> Result<Value> {
    let output = within(what, command.kill_on_drop(true).output()).await??;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{what}: {stderr}");
    serde_json::from_slice(&output.stdout).with_context(|| format!("{what} prints one JSON document"))
}

#[test]
fn a_stock_python_client_finds_everything_by_reflection() {
    gateway_tests::run(async {
        let python = foreign_clients().await?.join("python");
        let daemon = Daemon::start().await?;
        let mut command = Command::new(python);
        command.arg(workspace::root().join("tests/it/grpc_check.py"));
        command.arg(daemon.home.state().join("run/admin.sock")).arg("check");
        let seen = ran("grpc_check.py", command).await?;
        ensure!(seen["health"]["store"] == "SERVING", "{seen}");
        ensure!(seen["metrics"]["process"]["pid"] == seen["status"]["process"]["pid"], "{seen}");
        Ok(())
    });
}

fn node(daemon: &Daemon, what: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(workspace::root().join("tests/it/grpc_check.mjs"));
    command.arg(daemon.home.state().join("run/admin.sock")).arg(workspace::root().join("proto")).arg(what);
    command
}

#[test]
fn a_stock_node_client_checks_it() {
    gateway_tests::run(async {
        foreign_clients().await?;
        let daemon = Daemon::start().await?;
        let seen = ran("grpc_check.mjs check", node(&daemon, "check")).await?;
        ensure!(seen["health"] == "SERVING", "{seen}");
        Ok(())
    });
}

#[test]
fn a_stock_node_client_watches_the_stop() {
    gateway_tests::run(async {
        foreign_clients().await?;
        let mut daemon = Daemon::start().await?;
        let seen = ran("grpc_check.mjs stop", node(&daemon, "stop")).await?;
        ensure!(daemon.ended().await?.code() == Some(0), "it ends well");
        ensure!(seen[0] == "health SERVING", "{seen}");
        Ok(())
    });
}
