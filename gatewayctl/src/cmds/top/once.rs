//! One snapshot as text or as a document, for scripts and where there is no terminal. Rates need two snapshots, so it
//! takes one interval.

use std::time::Duration;

use gateway_admin::time;
use gateway_admin::v1::{MetricsRequest, MetricsResponse, StatusRequest, StatusResponse};
use gateway_base::clock::iso_utc;
use serde::Serialize;

use super::rates::{self, Rates};
use super::words::{bytes, length, micros, number};
use crate::admin;
use crate::app::App;
use crate::cmds::health::phase_word;
use crate::exit::{Exit, Failure};
use crate::text::{Style, Text};

/// How long the daemon may take beyond the interval.
const LIMIT: Duration = Duration::from_secs(10);

/// Prints one snapshot.
pub async fn once(app: &App, interval: Duration) -> Result<Exit, Failure> {
    let taken = app.out.during("measuring", Box::pin(take(app, interval))).await?;
    if app.out.is_json() {
        app.out.json(&document(&taken))?;
    } else {
        app.out.print(&render(&taken))?;
    }
    Ok(Exit::Ok)
}

/// A daemon and what it did for an interval.
struct Taken {
    status: StatusResponse,
    now: MetricsResponse,
    rates: Rates,
}

async fn take(app: &App, interval: Duration) -> Result<Taken, Failure> {
    let mut client = admin::require(app).await?;
    let failed = |status: tonic::Status| admin::call_failure(app, &status);
    let late = || admin::late(app);
    let status = client.status(admin::within(StatusRequest {}, LIMIT)).await.map_err(failed)?.into_inner();
    let request = MetricsRequest { interval: Some(time::duration(interval)) };
    let mut snapshots = client.metrics(request).await.map_err(failed)?.into_inner();
    let mut next = async || {
        let snapshot =
            tokio::time::timeout(interval + LIMIT, snapshots.message()).await.map_err(|_| late())?;
        snapshot.map_err(failed)?.ok_or_else(|| Failure::failed("The gateway ended while it was measured."))
    };
    let (before, now) = (next().await?, next().await?);
    let rates = rates::between(&before, &now).unwrap_or_default();
    Ok(Taken { status, now, rates })
}

fn render(taken: &Taken) -> Text {
    let Taken { status, now, rates } = taken;
    let mut text = Text::default();
    let version = status.build.as_ref().map(|build| build.version.as_str()).unwrap_or_default();
    let process = now.process.clone().unwrap_or_default();
    let (open, counters) = (now.connections.unwrap_or_default(), now.counters.unwrap_or_default());
    let queues = now.queues.unwrap_or_default();
    let phase = phase_word(now.phase());
    text.styled(
        Style::Strong,
        format!("gatewayd {version}  {phase}  up {}  pid {}", length(rates::uptime(now)), process.pid),
    );
    let or_dash = |value: Option<f64>, words: fn(f64) -> String| value.map_or_else(|| "-".to_owned(), words);
    let count = |value: Option<u32>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    let mut row = |name: &str, value: String| text.say(format!("{name:<12} {value}"));
    row(
        "process",
        format!(
            "cpu {}, memory {}, files {} of {}",
            or_dash(rates.cpu, |cpu| format!("{:.1} %", cpu * 100.0)),
            bytes(float(process.resident_bytes)),
            process.open_files,
            process.open_files_limit
        ),
    );
    row(
        "connections",
        format!(
            "operators {}, nodes {}, joining {}, admin {}, accepted so far {}",
            open.operators, open.nodes, open.unauthenticated, now.admin_connections, counters.connections
        ),
    );
    let (paired, pending) = (count(now.devices_paired), count(now.devices_pending));
    row("kept", format!("sessions {}, devices paired {paired}, devices waiting {pending}", now.sessions));
    row(
        "each second",
        format!(
            "requests {}, events {}, in {}, out {}",
            number(rates.requests),
            number(rates.events),
            bytes(rates.bytes_in),
            bytes(rates.bytes_out)
        ),
    );
    let of = rates.latency;
    let latency = [("p50", of.p50), ("p90", of.p90), ("p99", of.p99)];
    row("latency", latency.map(|(name, value)| format!("{name} {}", or_dash(value, micros))).join(", "));
    row(
        "waiting",
        format!(
            "unsent {}, clients behind {}, answers {}, events {}, hub orders {}",
            bytes(float(queues.outbox_bytes)),
            queues.outbox_clients,
            queues.answers,
            queues.events,
            queues.hub_orders
        ),
    );
    row(
        "trouble",
        format!(
            "handshakes refused {}, events dropped {}, clients cut off as slow {}",
            counters.handshakes_failed, counters.events_dropped, counters.slow_consumers
        ),
    );
    text
}

#[allow(clippy::cast_precision_loss, reason = "a size that large is shown with three digits")]
const fn float(count: u64) -> f64 {
    count as f64
}

/// The document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    version: String,
    phase: &'static str,
    at: Option<String>,
    uptime_ms: u64,
    process: Process,
    connections: Connections,
    sessions: u64,
    devices: Devices,
    totals: Totals,
    rates: Rates,
    waiting: Waiting,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    pid: u32,
    resident_bytes: u64,
    open_files: u64,
    open_files_limit: u64,
}

#[derive(Debug, Serialize)]
struct Connections {
    operators: u32,
    nodes: u32,
    unauthenticated: u32,
    admin: u32,
}

#[derive(Debug, Serialize)]
struct Devices {
    paired: Option<u32>,
    pending: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Totals {
    connections: u64,
    handshakes_failed: u64,
    requests: u64,
    events: u64,
    events_dropped: u64,
    slow_consumers: u64,
    bytes_in: u64,
    bytes_out: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Waiting {
    outbox_bytes: u64,
    outbox_largest_bytes: u64,
    outbox_pieces: u64,
    outbox_clients: u64,
    answers: u64,
    events: u64,
    hub_orders: u64,
    handshakes: u64,
}

fn document(taken: &Taken) -> Document {
    let Taken { status, now, rates } = taken;
    let process = now.process.clone().unwrap_or_default();
    let (open, counters) = (now.connections.unwrap_or_default(), now.counters.unwrap_or_default());
    let queues = now.queues.unwrap_or_default();
    Document {
        version: status.build.as_ref().map(|build| build.version.clone()).unwrap_or_default(),
        phase: phase_word(now.phase()),
        at: now.time.as_ref().map(|at| iso_utc(time::unix_ms(at))),
        uptime_ms: u64::try_from(rates::uptime(now).as_millis()).unwrap_or(u64::MAX),
        process: Process {
            pid: process.pid,
            resident_bytes: process.resident_bytes,
            open_files: process.open_files,
            open_files_limit: process.open_files_limit,
        },
        connections: Connections {
            operators: open.operators,
            nodes: open.nodes,
            unauthenticated: open.unauthenticated,
            admin: now.admin_connections,
        },
        sessions: now.sessions,
        devices: Devices { paired: now.devices_paired, pending: now.devices_pending },
        totals: Totals {
            connections: counters.connections,
            handshakes_failed: counters.handshakes_failed,
            requests: counters.requests,
            events: counters.events,
            events_dropped: counters.events_dropped,
            slow_consumers: counters.slow_consumers,
            bytes_in: counters.bytes_in,
            bytes_out: counters.bytes_out,
        },
        rates: *rates,
        waiting: Waiting {
            outbox_bytes: queues.outbox_bytes,
            outbox_largest_bytes: queues.outbox_largest_bytes,
            outbox_pieces: queues.outbox_pieces,
            outbox_clients: queues.outbox_clients,
            answers: queues.answers,
            events: queues.events,
            hub_orders: queues.hub_orders,
            handshakes: queues.handshakes,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    #[test]
    fn a_snapshot_of_nothing_is_text_and_a_document_too() {
        let (status, now) = (StatusResponse::default(), MetricsResponse::default());
        let taken = Taken { status, now, rates: Rates::default() };
        assert_schema("top", &document(&taken));
        let text = render(&taken).plain();
        assert!(text.contains("latency      p50 -, p90 -, p99 -"), "{text}");
        assert!(text.contains("sessions 0, devices paired -, devices waiting -"), "{text}");
    }
}
