//! The health summary: the result of `health` and the payload of the `health` event.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The parameters of `health`. There is no schema: only the literal `true` asks for a probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Value")]
pub struct HealthParams {
    /// Whether to ask the channels anew.
    pub probe: bool,
}

impl From<Value> for HealthParams {
    fn from(params: Value) -> Self {
        Self { probe: params.get("probe") == Some(&Value::Bool(true)) }
    }
}

/// How the gateway is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthSummary {
    /// Always true: a gateway that answers is up.
    pub ok: bool,
    /// When the summary was made.
    pub ts: u64,
    /// How long that took.
    pub duration_ms: u64,
    /// Per channel its own summary, with `configured`, `accountId` and `accounts`.
    pub channels: Map<String, Value>,
    /// The channels in the order to show.
    pub channel_order: Vec<String>,
    /// Names of the channels for people.
    pub channel_labels: Map<String, Value>,
    /// Interval of the default agent's heartbeat; 0 when heartbeats are off.
    pub heartbeat_seconds: u64,
    /// The default agent.
    pub default_agent_id: String,
    /// Every agent.
    pub agents: Vec<AgentHealth>,
    /// The sessions of the default agent.
    pub sessions: SessionsHealth,
    /// What is wrong, in sentences. An addition to the original, left out when there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// One agent in the summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentHealth {
    /// The agent.
    pub agent_id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is the default agent.
    pub is_default: bool,
    /// Its heartbeat.
    pub heartbeat: AgentHeartbeat,
    /// Its sessions.
    pub sessions: SessionsHealth,
}

/// The heartbeat of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgentHeartbeat {
    /// Whether it beats.
    pub enabled: bool,
    /// The interval for people, such as `30m` or `disabled`.
    pub every: String,
    /// The interval; `null` when it does not beat.
    pub every_ms: Option<u64>,
    /// What the agent is asked.
    pub prompt: String,
    /// Where an alert goes.
    pub target: String,
    /// The model, when it is not the agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How long an answer may be to count as "nothing to report".
    pub ack_max_chars: u64,
}

/// The sessions of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsHealth {
    /// Where they are kept.
    pub path: String,
    /// How many there are.
    pub count: u64,
    /// At most 5, newest first, without `global` and `unknown`.
    pub recent: Vec<RecentSession>,
}

/// One recent session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentSession {
    /// The session key.
    pub key: String,
    /// When it last changed.
    pub updated_at: Option<u64>,
    /// How long ago that was, in milliseconds.
    pub age: Option<u64>,
}
