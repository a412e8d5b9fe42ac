//! The daemon as its admin socket sees it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gateway_adapters::store::{Store, StoreHealth};
use gateway_admin::{time, v1};
use gateway_api::Api;
use gateway_api::caller::Caller;
use gateway_api::context::Reloaded;
use gateway_api::metrics::BOUNDS_US;
use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::task::{Kind, Tasks};
use gateway_config::live::Live;
use gateway_config::sections::{Bind, ReloadMode};
use gateway_domain::events::Received;
use gateway_server::admin::Error;
use gateway_server::admin::backend::{Answer, Backend, Call, Event, Logs, Shutdown, ShutdownMode};
use gateway_server::metrics::Metrics;
use gateway_server::ws::Depths;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::progress;
use crate::lifecycle::{Goal, Lifecycle, Request};
use crate::log_stream;
use crate::reload::{How, Reload, WHOLE_FILE};
use crate::supervise;
use crate::trial::{self, Trials};

/// Events kept for a slow reader.
const EVENTS: usize = 1024;

/// What the admin side looks at.
pub struct Parts {
    pub api: Arc<Api>,
    pub metrics: Arc<Metrics>,
    pub depths: Depths,
    pub live: Live,
    pub reload: Reload,
    pub trials: Trials,
    pub lifecycle: Lifecycle,
    pub store: Store,
    pub store_file: PathBuf,
    pub store_note: Option<PathBuf>,
    pub urls: Vec<String>,
    pub fingerprint: String,
    pub bind: Bind,
    pub is_dev: bool,
    pub env: Env,
    /// The file of the program.
    pub program: PathBuf,
    pub tasks: Tasks,
    /// Names of the steps of a stop.
    pub steps: Vec<&'static str>,
    /// Ends the streams of a stop's progress.
    pub watching: CancellationToken,
}

/// Implements the admin service's view of the daemon.
pub struct Admin {
    parts: Parts,
    caller: Arc<Caller>,
    started: gateway_base::clock::UnixMs,
}

impl Admin {
    /// Wraps the parts.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let started = parts.api.context().clock.now();
        Arc::new(Self { parts, caller: Arc::new(Caller::local_admin()), started })
    }

    fn clock(&self) -> &Clock {
        &self.parts.api.context().clock
    }

    fn process(&self) -> v1::Process {
        let uptime = self.parts.api.context().about.started.elapsed();
        let usage = gateway_server::http::process_usage();
        v1::Process {
            pid: std::process::id(),
            started_at: Some(time::timestamp(self.started)),
            uptime: Some(time::duration(uptime)),
            resident_bytes: usage.resident_bytes,
            open_files: usage.open_files,
            open_files_limit: usage.open_files_limit,
            program: self.parts.program.display().to_string(),
            cpu_time: usage.cpu_time.map(time::duration),
        }
    }

    fn config(&self) -> v1::Config {
        let current = self.parts.live.current();
        let path = &self.parts.api.context().paths.config;
        v1::Config {
            path: path.display().to_string(),
            exists: path.exists(),
            hash: current.hash.clone(),
            degraded_reason: current.degraded.clone().unwrap_or_default(),
            reload_mode: match current.config.gateway.reload.mode {
                ReloadMode::Off => "off",
                ReloadMode::Hot => "hot",
                ReloadMode::Restart => "restart",
                ReloadMode::Hybrid => "hybrid",
            }
            .to_owned(),
            last_reload: self.parts.reload.last(),
            trial: self.parts.trials.current(),
        }
    }

    fn counters(&self) -> v1::Counters {
        let metrics = &self.parts.metrics;
        v1::Counters {
            connections: metrics.accepted.get(),
            handshakes_failed: metrics.refusals.get(),
            frames_in: metrics.frames_in.get(),
            frames_out: metrics.frames_out.get(),
            bytes_in: metrics.bytes_in.get(),
            bytes_out: metrics.bytes_out.get(),
            requests: metrics.frames_in.get(),
            events: metrics.events.get(),
            events_dropped: metrics.events_dropped.get(),
            slow_consumers: metrics.slow_consumers.get(),
        }
    }

    fn connections(&self) -> v1::Connections {
        let count = |n: i64| u32::try_from(n).unwrap_or(0);
        let (operators, nodes) =
            (count(self.parts.metrics.operators.get()), count(self.parts.metrics.nodes.get()));
        let unauthenticated = u32::try_from(self.parts.depths.handshakes()).unwrap_or(u32::MAX);
        v1::Connections {
            total: operators.saturating_add(nodes).saturating_add(unauthenticated),
            operators,
            nodes,
            unauthenticated,
        }
    }

    fn queues(&self) -> v1::Queues {
        let depth = self.parts.depths.read();
        v1::Queues {
            outbox_bytes: depth.outbox_bytes as u64,
            outbox_largest_bytes: depth.outbox_largest as u64,
            outbox_pieces: depth.outbox_pieces as u64,
            outbox_clients: depth.outbox_clients as u64,
            answers: depth.answers as u64,
            events: depth.events as u64,
            hub_orders: depth.hub_orders as u64,
            handshakes: depth.handshakes as u64,
        }
    }

    fn latencies(&self) -> v1::Latencies {
        let reading = self.parts.api.metrics().read();
        let (bounds_us, counts) = (BOUNDS_US.to_vec(), reading.counts.to_vec());
        v1::Latencies { bounds_us, counts, sum_us: reading.sum_ns / 1_000 }
    }

    /// Conversations, as the health summary counts them.
    fn sessions(&self) -> u64 {
        #[derive(serde::Deserialize)]
        struct Summary {
            sessions: Sessions,
        }
        #[derive(serde::Deserialize)]
        struct Sessions {
            count: u64,
        }
        let summary = self.parts.api.context().domain.health.json();
        serde_json::from_slice(&summary).map_or(0, |summary: Summary| summary.sessions.count)
    }

    async fn metrics_now(&self) -> v1::MetricsResponse {
        let count = |list: usize| u32::try_from(list).unwrap_or(u32::MAX);
        let devices = self.parts.api.context().domain.devices.list().await.ok();
        v1::MetricsResponse {
            time: Some(time::timestamp(self.clock().now())),
            process: Some(self.process()),
            connections: Some(self.connections()),
            counters: Some(self.counters()),
            queues: Some(self.queues()),
            requests: Some(self.latencies()),
            sessions: self.sessions(),
            devices_paired: devices.as_ref().map(|devices| count(devices.paired.len())),
            devices_pending: devices.as_ref().map(|devices| count(devices.pending.len())),
            ..v1::MetricsResponse::default()
        }
    }

    fn store(&self) -> v1::Store {
        let (state, reason) = match self.parts.store.health().borrow().clone() {
            StoreHealth::Ok => (v1::PartState::Serving, String::new()),
            StoreHealth::Degraded { reason } => (v1::PartState::Degraded, reason),
            StoreHealth::Failed { reason } => (v1::PartState::Failed, reason),
        };
        let file = &self.parts.store_file;
        v1::Store {
            state: state.into(),
            reason,
            path: file.display().to_string(),
            schema_version: gateway_adapters::store::SCHEMA_VERSION,
            size_bytes: std::fs::metadata(file).map_or(0, |about| about.len()),
            moved_aside: self.parts.store_note.as_ref().map(|p| p.display().to_string()).unwrap_or_default(),
        }
    }

    fn status_now(&self) -> v1::StatusResponse {
        let cx = self.parts.api.context();
        let config = self.parts.live.config();
        let supervisor = supervisor(&self.parts.env);
        v1::StatusResponse {
            build: Some(v1::Build {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                commit: env!("GATEWAYD_COMMIT").to_owned(),
                date: env!("GATEWAYD_BUILD_DATE").to_owned(),
            }),
            process: Some(self.process()),
            listeners: self
                .parts
                .urls
                .iter()
                .map(|url| v1::Listener { url: url.clone(), tls_fingerprint: self.parts.fingerprint.clone() })
                .collect(),
            bind_mode: self.parts.bind.to_string(),
            auth_mode: cx.access.load().mode.name().to_owned(),
            config: Some(self.config()),
            state_dir: cx.paths.state.display().to_string(),
            log_file: cx.about.log_file.load().display().to_string(),
            profile: cx.paths.profile.as_ref().map(|p| p.name().to_owned()).unwrap_or_default(),
            connections: Some(self.connections()),
            counters: Some(self.counters()),
            store: Some(self.store()),
            protocol_version: gateway_wire::version::PROTOCOL,
            agent_model: config.model_ref(),
            heartbeats_enabled: cx.domain.health.heartbeats().enabled(),
            supervised: !supervisor.is_empty(),
            supervisor: supervisor.to_owned(),
            dev: self.parts.is_dev,
            ..v1::StatusResponse::default()
        }
    }
}

/// Which supervisor started this process, as far as the environment tells.
fn supervisor(env: &Env) -> &'static str {
    if env.get("XPC_SERVICE_NAME").is_some_and(|name| name != "0") {
        "launchd"
    } else if env.get("INVOCATION_ID").is_some() {
        "systemd"
    } else if env.get("CLAWDBOT_SERVICE_MARKER").is_some() {
        "service"
    } else if supervise::is_supervised(env) {
        "gatewayd"
    } else {
        ""
    }
}

impl Backend for Admin {
    fn status(&self) -> Answer<'_, v1::StatusResponse> {
        Box::pin(async { Ok(self.status_now()) })
    }

    fn metrics(&self) -> Answer<'_, v1::MetricsResponse> {
        Box::pin(async { Ok(self.metrics_now().await) })
    }

    fn reload(&self, dry_run: bool) -> Answer<'_, v1::ReloadResponse> {
        Box::pin(async move {
            let how = if dry_run { How::DryRun } else { How::Restart(Duration::ZERO) };
            let report = self.parts.reload.now(how).await;
            if let [(path, reason)] = report.refused.as_slice()
                && path == WHOLE_FILE
            {
                return Err(Error::ConfigInvalid(reason.clone()));
            }
            Ok(reload_response(report, dry_run, self.parts.live.current().hash.clone()))
        })
    }

    fn apply_config(&self, text: String, within: Duration) -> Answer<'_, v1::ApplyConfigResponse> {
        Box::pin(async move {
            let done = self.parts.trials.apply(text, within).await.map_err(trial_failed)?;
            Ok(v1::ApplyConfigResponse { trial: Some(done.trial), restart_scheduled: done.restarts })
        })
    }

    fn confirm_config(&self) -> Answer<'_, v1::ConfirmConfigResponse> {
        Box::pin(async move {
            let done = self.parts.trials.confirm().await.map_err(trial_failed)?;
            Ok(v1::ConfirmConfigResponse { trial: Some(done.trial) })
        })
    }

    fn revert_config(&self) -> Answer<'_, v1::RevertConfigResponse> {
        Box::pin(async move {
            let done = self.parts.trials.revert().await.map_err(trial_failed)?;
            Ok(v1::RevertConfigResponse { trial: Some(done.trial), restart_scheduled: done.restarts })
        })
    }

    fn shutdown(&self, request: Shutdown) -> Answer<'_, mpsc::Receiver<v1::ShutdownResponse>> {
        Box::pin(async move {
            let goal = match request.mode {
                ShutdownMode::Stop => Goal::Stop,
                ShutdownMode::Restart => Goal::Restart,
            };
            let reason =
                if request.reason.is_empty() { "asked by gatewayctl".to_owned() } else { request.reason };
            let (to, from) = mpsc::channel(64);
            let progress = self.parts.lifecycle.progress();
            let watching = self.parts.watching.clone();
            self.parts.tasks.spawn(
                "shutdown progress",
                Kind::Request,
                progress::report(progress, self.parts.steps.clone(), to, watching),
            );
            self.parts
                .lifecycle
                .request(Duration::ZERO, Request { goal, reason, drain: request.drain_limit });
            Ok(from)
        })
    }

    fn announce_restart(&self, valid_for: Duration) {
        self.parts.lifecycle.announce_restart(valid_for);
    }

    fn logs(&self, request: Logs) -> Answer<'_, mpsc::Receiver<Result<v1::LogsResponse, Error>>> {
        Box::pin(async move {
            let (to, from) = mpsc::channel(4);
            let file = self.parts.api.context().about.log_file.clone();
            let stop = self.parts.watching.clone();
            self.parts.tasks.spawn("logs", Kind::Request, log_stream::run(file, request, to, stop));
            Ok(from)
        })
    }

    fn events(&self) -> Answer<'_, broadcast::Receiver<Arc<Event>>> {
        Box::pin(async move {
            let (to, from) = broadcast::channel(EVENTS);
            let mut events = self.parts.api.context().domain.bus.subscribe(EVENTS);
            let (clock, stop) = (self.clock().clone(), self.parts.watching.clone());
            self.parts.tasks.spawn("events", Kind::Request, async move {
                loop {
                    let received = tokio::select! {
                        received = events.recv() => received,
                        () = stop.cancelled() => return,
                    };
                    match received {
                        Some(Received::Event(event)) => {
                            let payload = String::from_utf8_lossy(&event.payload).into_owned();
                            let name = event.row.name.to_owned();
                            let event = Event { name, payload_json: payload, time: clock.now() };
                            if to.send(Arc::new(event)).is_err() {
                                return;
                            }
                        }
                        Some(Received::Lagged(_)) => {}
                        None => return,
                    }
                }
            });
            Ok(from)
        })
    }

    fn call(&self, request: Call) -> Answer<'_, v1::CallResponse> {
        Box::pin(async move {
            let params = request.params.as_deref().map(serde_json::value::RawValue::get);
            Ok(match self.parts.api.call(&self.caller, &request.method, params).await {
                Ok(payload) => v1::CallResponse {
                    ok: true,
                    payload_json: String::from_utf8_lossy(&payload).into_owned(),
                    ..v1::CallResponse::default()
                },
                Err(error) => v1::CallResponse {
                    error: Some(v1::CallError {
                        code: error.code.as_str().to_owned(),
                        message: error.message.to_string(),
                        details_json: error.details.map(|d| d.to_string()).unwrap_or_default(),
                        retryable: error.retryable,
                        retry_after_ms: error.retry_after_ms,
                    }),
                    ..v1::CallResponse::default()
                },
            })
        })
    }
}

fn trial_failed(error: trial::Error) -> Error {
    match error {
        trial::Error::Invalid(text) => Error::ConfigInvalid(text),
        trial::Error::Impossible(text) => Error::ConfigTrial(text),
    }
}

fn reload_response(report: Reloaded, dry_run: bool, config_hash: String) -> v1::ReloadResponse {
    let change = |path: String, reason: String, part: String| v1::ConfigChange { path, reason, part };
    let restart_scheduled = report.restarts;
    let mut refused: Vec<_> =
        report.refused.into_iter().map(|(path, reason)| change(path, reason, String::new())).collect();
    let waits = "takes effect when the gateway restarts";
    refused
        .extend(report.needs_restart.into_iter().map(|path| change(path, waits.to_owned(), String::new())));
    v1::ReloadResponse {
        dry_run,
        config_hash,
        applied: report.applied.into_iter().map(|path| change(path, String::new(), String::new())).collect(),
        restarted: report
            .restarted
            .into_iter()
            .map(|(part, path)| change(path, String::new(), part))
            .collect(),
        refused,
        restart_scheduled,
    }
}
