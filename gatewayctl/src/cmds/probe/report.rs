//! What `probe` found out, in the original's JSON form.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::discovery::Discovery;
use super::kind::Kind;

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether any target is reachable.
    pub ok: bool,
    /// When it was asked.
    pub ts: i64,
    /// How long everything took.
    pub duration_ms: u64,
    /// How long it might have taken.
    pub timeout_ms: u64,
    /// The best reachable target.
    pub primary_target_id: Option<&'static str>,
    /// What is odd.
    pub warnings: Vec<Warning>,
    /// Where a gateway of this machine would be.
    pub network: Network,
    /// Gateways that announce themselves; absent when they were not looked for.
    pub discovery: Option<Discovery>,
    /// The targets in order.
    pub targets: Vec<TargetReport>,
}

/// Something odd.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// The word for programs.
    pub code: &'static str,
    /// The sentence for people.
    pub message: String,
    /// What it is about.
    pub target_ids: Vec<&'static str>,
}

impl Warning {
    /// A warning that is about no target.
    pub const fn about(code: &'static str, message: String) -> Self {
        Self { code, message, target_ids: Vec::new() }
    }
}

/// Where a gateway of this machine would be.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Over loopback.
    pub local_loopback_url: String,
    /// Over the tailnet.
    pub local_tailnet_url: Option<String>,
    /// Our address there.
    #[serde(rename = "tailnetIPv4")]
    pub tailnet_ipv4: Option<String>,
}

/// One target.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetReport {
    /// Its id.
    pub id: &'static str,
    /// Its kind, the same word.
    pub kind: &'static str,
    /// Where it is.
    pub url: String,
    /// Whether it is the one that commands would use.
    pub active: bool,
    /// How long it might have taken.
    pub budget_ms: u64,
    /// The tunnel that leads to it.
    pub tunnel: Option<Value>,
    /// How connecting went.
    pub connect: Connect,
    /// What it says of itself.
    #[serde(rename = "self")]
    pub own: Option<Value>,
    /// Its configuration, without any secret.
    pub config: Option<Value>,
    /// Its health.
    pub health: Option<Value>,
    /// Its status.
    pub summary: Option<Value>,
    /// Who is connected to it.
    pub presence: Option<Value>,
    /// What it said of itself when it greeted us.
    pub server: Option<Server>,
    /// How long each step took, in milliseconds; of a failure, the steps before it.
    pub timing: Map<String, Value>,
    /// Its state folder.
    #[serde(skip)]
    pub state_dir: Option<PathBuf>,
    /// How the questions went, once connected.
    #[serde(skip)]
    pub rpc_error: Option<String>,
    /// Whether it answered and refused.
    #[serde(skip)]
    pub refused: bool,
    /// Its kind.
    #[serde(skip)]
    pub of: Kind,
}

/// The program that greeted us.
#[derive(Debug, Serialize)]
pub struct Server {
    /// Its release.
    pub version: String,
    /// Its host.
    pub host: String,
    /// The protocol it speaks.
    pub protocol: u64,
}

/// How connecting went.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connect {
    /// Well.
    pub ok: bool,
    /// How long it took.
    pub latency_ms: Option<u64>,
    /// Why not.
    pub error: Option<String>,
    /// How it was closed.
    pub close: Option<Value>,
}

impl TargetReport {
    /// A target that was not asked yet.
    pub fn new(of: Kind, url: String, active: bool) -> Self {
        Self {
            id: of.id(),
            kind: of.id(),
            url,
            active,
            budget_ms: 0,
            tunnel: None,
            connect: Connect::default(),
            own: None,
            config: None,
            health: None,
            summary: None,
            presence: None,
            server: None,
            timing: Map::new(),
            state_dir: None,
            rpc_error: None,
            refused: false,
            of,
        }
    }

    /// Notes how long a step took, to a tenth of a millisecond.
    pub fn took(&mut self, step: &str, took: Duration) {
        let tenths = (took.as_secs_f64() * 10_000.0).round() / 10.0;
        self.timing.insert(step.to_owned(), tenths.into());
    }

    /// Whether it is connected to and answered everything.
    pub const fn is_reachable(&self) -> bool {
        self.connect.ok
    }

    /// Whether `other` is another way to this very gateway, as far as their words go. Two ports of one machine are two
    /// gateways.
    pub fn is_same_gateway(&self, other: &Self) -> bool {
        let place = |of: &Self| Some((of.server.as_ref()?.host.clone(), of.state_dir.clone()?));
        let port = |of: &Self| is_loopback(&of.url).then(|| of.url.rsplit(':').next().map(str::to_owned));
        let ports = port(self).zip(port(other));
        place(self).is_some_and(|own| place(other) == Some(own)) && ports.is_none_or(|(a, b)| a == b)
    }
}

fn is_loopback(url: &str) -> bool {
    ["://127.0.0.1:", "://localhost:", "://[::1]:"].iter().any(|host| url.contains(host))
}

/// The gateway's own entry in its presence list.
pub fn own_entry(presence: &Value) -> Option<Value> {
    let own =
        presence.as_array()?.iter().find(|entry| entry["mode"] == "gateway" && entry["reason"] == "self")?;
    Some(
        json!({"host": own["host"], "ip": own["ip"], "version": own["version"], "platform": own["platform"]}),
    )
}

/// What may be told of a configuration: that secrets are set, never which.
pub fn config_facts(snapshot: &Value) -> Value {
    let config = &snapshot["config"];
    let gateway = &config["gateway"];
    let set = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    json!({
        "path": snapshot["path"],
        "exists": snapshot["exists"],
        "valid": snapshot["valid"],
        "issues": list(&snapshot["issues"]),
        "legacyIssues": list(&snapshot["legacyIssues"]),
        "gateway": {
            "mode": gateway["mode"],
            "bind": gateway["bind"],
            "port": gateway["port"],
            "controlUiEnabled": gateway["controlUi"]["enabled"],
            "controlUiBasePath": gateway["controlUi"]["basePath"],
            "authMode": gateway["auth"]["mode"],
            "authTokenConfigured": set(&gateway["auth"]["token"]),
            "authPasswordConfigured": set(&gateway["auth"]["password"]),
            "remoteUrl": gateway["remote"]["url"],
            "remoteTokenConfigured": set(&gateway["remote"]["token"]),
            "remotePasswordConfigured": set(&gateway["remote"]["password"]),
            "tailscaleMode": gateway["tailscale"]["mode"],
        },
        "discovery": {"wideAreaEnabled": config["discovery"]["wideArea"]["enabled"]},
    })
}

fn list(value: &Value) -> Value {
    if value.is_array() { value.clone() } else { json!([]) }
}
