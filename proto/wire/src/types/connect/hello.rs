//! The answer to a successful `connect`. Its large parts are the same for many connections, so they come as
//! finished JSON and a hello is mostly a copy.

use serde::{Deserialize, Serialize};

use crate::events::EVENTS;
use crate::frame::json;
use crate::session_key::Scope;
use crate::types::common::StateVersion;
use crate::version::PROTOCOL;
use crate::{limits, methods};

/// Everything that makes one `hello-ok`.
#[derive(Clone, Copy, Debug)]
pub struct HelloParts<'a> {
    /// The server and the connection.
    pub server: Server<'a>,
    /// [`Features`] as JSON.
    pub features: &'a [u8],
    /// The list of presence entries as JSON.
    pub presence: &'a [u8],
    /// The last health summary as JSON; `{}` when there is none yet.
    pub health: &'a [u8],
    /// Both counters.
    pub state_version: StateVersion,
    /// How long the process has been up.
    pub uptime_ms: u64,
    /// The absolute path of the configuration file.
    pub config_path: &'a str,
    /// The absolute path of the state directory.
    pub state_dir: &'a str,
    /// How clients compute session keys.
    pub session_defaults: &'a SessionDefaults,
    /// Where the canvas is served, without a trailing slash.
    pub canvas_host_url: Option<&'a str>,
    /// The device token, when a device connected.
    pub auth: Option<&'a HelloAuth>,
    /// The limits of this connection.
    pub policy: Policy,
}

/// The server and the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server<'a> {
    /// The server's version; not empty.
    pub version: &'a str,
    /// The commit it was built from; not empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<&'a str>,
    /// The host's name.
    pub host: &'a str,
    /// The id of this connection.
    pub conn_id: &'a str,
}

/// The names of what the server can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features<'a> {
    /// The methods.
    #[serde(borrow)]
    pub methods: Vec<&'a str>,
    /// The events.
    pub events: Vec<&'a str>,
}

impl Features<'static> {
    /// What the two tables list.
    #[must_use]
    pub fn listed() -> Self {
        Self {
            methods: methods::listed().map(|method| method.name).collect(),
            events: EVENTS.iter().map(|event| event.name).collect(),
        }
    }
}

impl Features<'_> {
    /// The JSON to keep for [`HelloParts::features`].
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut buf = Vec::with_capacity(2048);
        json(&mut buf, self);
        buf
    }
}

/// How clients compute session keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionDefaults {
    /// The default agent.
    pub default_agent_id: String,
    /// The configured main key.
    pub main_key: String,
    /// The key of the default agent's main session.
    pub main_session_key: String,
    /// Whether senders share one session.
    pub scope: Scope,
}

/// The device token that a client keeps and sends from now on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HelloAuth {
    /// The token.
    pub device_token: String,
    /// The role it is for.
    pub role: String,
    /// The scopes it covers.
    pub scopes: Vec<String>,
    /// When it was made or rotated.
    pub issued_at_ms: u64,
}

impl std::fmt::Debug for HelloAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HelloAuth")
            .field("device_token", &"***")
            .field("role", &self.role)
            .field("scopes", &self.scopes)
            .field("issued_at_ms", &self.issued_at_ms)
            .finish()
    }
}

/// The limits of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Largest inbound message in bytes.
    pub max_payload: usize,
    /// Bytes that may wait for this client.
    pub max_buffered_bytes: usize,
    /// Period of the `tick` event.
    pub tick_interval_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_payload: limits::MAX_PAYLOAD,
            max_buffered_bytes: limits::MAX_BUFFERED,
            tick_interval_ms: limits::TICK_INTERVAL_MS,
        }
    }
}

/// Appends the payload of `hello-ok`.
pub fn write_hello(buf: &mut Vec<u8>, parts: &HelloParts<'_>) {
    buf.reserve(parts.features.len() + parts.presence.len() + parts.health.len() + 1024);
    buf.extend_from_slice(br#"{"type":"hello-ok""#);
    field(buf, "protocol", &PROTOCOL);
    field(buf, "server", &parts.server);
    raw(buf, "features", parts.features);
    buf.extend_from_slice(br#","snapshot":{"presence":"#);
    buf.extend_from_slice(parts.presence);
    raw(buf, "health", parts.health);
    field(buf, "stateVersion", &parts.state_version);
    field(buf, "uptimeMs", &parts.uptime_ms);
    field(buf, "configPath", parts.config_path);
    field(buf, "stateDir", parts.state_dir);
    field(buf, "sessionDefaults", parts.session_defaults);
    buf.push(b'}');
    if let Some(url) = parts.canvas_host_url {
        field(buf, "canvasHostUrl", url);
    }
    if let Some(auth) = parts.auth {
        field(buf, "auth", auth);
    }
    field(buf, "policy", &parts.policy);
    buf.push(b'}');
}

fn field<T: Serialize + ?Sized>(buf: &mut Vec<u8>, name: &str, value: &T) {
    raw(buf, name, &[]);
    json(buf, value);
}

fn raw(buf: &mut Vec<u8>, name: &str, value: &[u8]) {
    buf.extend_from_slice(b",\"");
    buf.extend_from_slice(name.as_bytes());
    buf.extend_from_slice(b"\":");
    buf.extend_from_slice(value);
}
