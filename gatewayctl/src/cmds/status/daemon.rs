//! What the daemon says of itself over its private socket.

use std::time::Duration;

use gateway_admin::connect::Error as SocketError;
use gateway_admin::time;
use gateway_admin::v1::{HealthRequest, HealthResponse, Listener, StatusRequest, StatusResponse};
use gateway_base::clock::iso_utc;
use serde::Serialize;

use crate::admin;
use crate::app::App;
use crate::cmds::health::{Part, part, phase_word, state_word};

/// How long a daemon that is there may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The daemon's part of the report.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Daemon {
    /// Its process.
    pub pid: u32,
    /// Its release.
    pub version: String,
    /// What it was built from.
    pub commit: String,
    /// The day it was built.
    pub build_date: String,
    /// Where it is in its life.
    pub phase: &'static str,
    /// When it was started.
    pub started_at: Option<String>,
    /// How long it has run.
    pub uptime_ms: u64,
    /// Where it listens.
    pub listeners: Vec<String>,
    /// Its bind mode.
    pub bind_mode: String,
    /// How clients prove themselves.
    pub auth_mode: String,
    /// The model of the default agent.
    pub agent_model: String,
    /// Its log.
    pub log_file: String,
    /// Why it does not run on the configuration file, if so.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub config_degraded: String,
    /// The last reload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_reload: Option<Reload>,
    /// The configuration change that waits to be confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// Whether its program on disk is another one by now, or gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
    /// Open connections.
    pub connections: u32,
    /// Its resident memory.
    pub resident_bytes: u64,
    /// Whether a service manager runs it.
    pub supervised: bool,
    /// How it is as a whole, in its own word. A part that fails can leave it degraded.
    pub health: &'static str,
    /// Its parts.
    pub parts: Vec<Part>,
    /// Its listeners in full.
    #[serde(skip)]
    pub endpoints: Vec<Listener>,
}

/// How the last reload ended.
#[derive(Debug, Serialize)]
pub struct Reload {
    /// When.
    pub at: Option<String>,
    /// Whether the new configuration is in force.
    pub ok: bool,
    /// In a line.
    pub summary: String,
}

/// A configuration change that will be taken back unless somebody confirms it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// When it began.
    pub since: Option<String>,
    /// How long is left.
    pub left_ms: u64,
    /// The keys it changed.
    pub changed: Vec<String>,
}

impl Daemon {
    /// Whether its store does not take or know everything.
    pub fn store_is_troubled(&self) -> bool {
        self.parts.iter().any(|part| part.name == "store" && part.state == "degraded")
    }

    /// Whether it is of another release than this program.
    pub fn is_other_version(&self) -> bool {
        !self.version.is_empty() && self.version != env!("CARGO_PKG_VERSION")
    }
}

/// What asking the socket gave.
#[derive(Debug)]
pub enum Asked {
    /// An answer.
    Answered(Box<Daemon>),
    /// No daemon there.
    NotRunning,
    /// A daemon of another user.
    Refused(String),
    /// A socket that does not answer.
    Silent(String),
    /// The report is about another machine.
    Elsewhere,
}

/// Asks the daemon of this machine, and waits for `limit` at most.
pub async fn ask(app: &App, limit: Duration) -> Asked {
    let mut client = match admin::connect(app).await {
        Ok(client) => client,
        Err(SocketError::NotRunning { .. }) => return Asked::NotRunning,
        Err(error @ (SocketError::Refused { .. } | SocketError::Foreign { .. })) => {
            return Asked::Refused(error.to_string());
        }
        Err(error) => return Asked::Silent(error.to_string()),
    };
    let limit = limit.min(PATIENCE);
    let status = match client.status(admin::within(StatusRequest {}, limit)).await {
        Ok(status) => status.into_inner(),
        Err(status) if status.code() == tonic::Code::PermissionDenied => {
            return Asked::Refused(status.message().to_owned());
        }
        Err(status) => return Asked::Silent(status.message().to_owned()),
    };
    let health = client.health(admin::within(HealthRequest {}, limit)).await;
    Asked::Answered(Box::new(describe(status, health.map(tonic::Response::into_inner).unwrap_or_default())))
}

/// The report on an answer.
pub fn describe(status: StatusResponse, health: HealthResponse) -> Daemon {
    let phase = phase_word(status.phase());
    let process = status.process.unwrap_or_default();
    let config = status.config.unwrap_or_default();
    let build = status.build.unwrap_or_default();
    let when = |at: Option<&_>| at.map(|at| iso_utc(time::unix_ms(at)));
    let uptime = process.uptime.as_ref().and_then(time::length).unwrap_or_default();
    Daemon {
        pid: process.pid,
        version: build.version,
        commit: build.commit,
        build_date: build.date,
        phase,
        started_at: when(process.started_at.as_ref()),
        uptime_ms: millis(uptime),
        listeners: status.listeners.iter().map(|listener| listener.url.clone()).collect(),
        bind_mode: status.bind_mode,
        auth_mode: status.auth_mode,
        agent_model: status.agent_model,
        log_file: status.log_file,
        config_degraded: config.degraded_reason,
        last_reload: config.last_reload.map(|reload| Reload {
            at: when(reload.at.as_ref()),
            ok: reload.ok,
            summary: reload.summary,
        }),
        trial: config.trial.map(|trial| Trial {
            since: when(trial.since.as_ref()),
            left_ms: millis(trial.left.as_ref().and_then(time::length).unwrap_or_default()),
            changed: trial.changed,
        }),
        replaced: is_replaced(process.pid),
        connections: status.connections.unwrap_or_default().total,
        resident_bytes: process.resident_bytes,
        supervised: status.supervised,
        health: state_word(health.state()),
        parts: health.parts.iter().map(part).collect(),
        endpoints: status.listeners,
    }
}

fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// Whether the file that this process runs is no longer the one under its name. Linux alone tells.
fn is_replaced(pid: u32) -> bool {
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    program.to_str().is_some_and(|path| path.contains("gatewayd") && path.ends_with(" (deleted)"))
}
