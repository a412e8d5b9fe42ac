//! Heartbeats: who has them and with which settings.

use serde_json::Value;

use super::agents::Agents;
use super::duration::parse_ms;
use super::view::whole;
use crate::keys::default_of;

/// The message of a heartbeat when none is configured.
pub const DEFAULT_PROMPT: &str = "Read HEARTBEAT.md in the workspace if there is one, and do strictly what it says. \
     Do not take up old tasks from earlier messages. If nothing needs attention, answer HEARTBEAT_OK.";

/// The interval when none is configured.
const DEFAULT_EVERY: &str = "30m";

/// The heartbeat of one agent, everything inherited filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Whether the agent takes part.
    pub enabled: bool,
    /// The interval as written, or `disabled`.
    pub every: String,
    /// The interval in milliseconds; nothing when it is switched off.
    pub every_ms: Option<u64>,
    /// The message.
    pub prompt: String,
    /// `last`, `none` or a channel.
    pub target: String,
    /// Target on that channel.
    pub to: Option<String>,
    /// Model, if it has its own.
    pub model: Option<String>,
    /// Longest text beside the acknowledgement that is not sent on.
    pub ack_max_chars: u64,
    /// Session in which it runs.
    pub session: String,
    /// Send the reasoning too.
    pub include_reasoning: bool,
    /// Hours in which it runs: start, end, time zone.
    pub active_hours: Option<ActiveHours>,
}

/// The hours in which heartbeats run, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActiveHours {
    /// First time of day.
    pub start: Option<String>,
    /// Last time of day.
    pub end: Option<String>,
    /// Time zone.
    pub timezone: Option<String>,
}

/// Whether `agent` has heartbeats: once any agent has a block of its own, only those with one; else the default.
pub(super) fn takes_part(agents: &Agents, agent: &str) -> bool {
    if agents.list.iter().any(|a| a.heartbeat.is_some()) {
        agents.list.iter().any(|a| a.id == agent && a.heartbeat.is_some())
    } else {
        agent == agents.default_id()
    }
}

pub(super) fn resolve(agents: &Agents, agent: &str) -> Heartbeat {
    let enabled = takes_part(agents, agent);
    let own = agents.list.iter().find(|a| a.id == agent).and_then(|a| a.heartbeat.as_ref());
    let mut block = agents.defaults.heartbeat.clone();
    for (key, value) in own.into_iter().flatten() {
        block.insert(key.clone(), value.clone());
    }
    let text = |key: &str| {
        block.get(key).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned)
    };
    let every = text("every").unwrap_or_else(|| DEFAULT_EVERY.to_owned());
    let hours = block.get("activeHours").map(|hours| {
        let text = |key: &str| hours.get(key).and_then(Value::as_str).map(str::to_owned);
        ActiveHours { start: text("start"), end: text("end"), timezone: text("timezone") }
    });
    let ack =
        block.get("ackMaxChars").cloned().or_else(|| default_of("agents.defaults.heartbeat.ackMaxChars"));
    Heartbeat {
        enabled,
        every_ms: parse_ms(&every).filter(|ms| enabled && *ms > 0),
        every: if enabled { every } else { "disabled".to_owned() },
        prompt: text("prompt").unwrap_or_else(|| DEFAULT_PROMPT.to_owned()),
        target: text("target").unwrap_or_else(|| "last".to_owned()),
        to: text("to"),
        model: text("model"),
        ack_max_chars: ack.as_ref().and_then(whole).unwrap_or(300),
        session: text("session").unwrap_or_else(|| "main".to_owned()),
        include_reasoning: block.get("includeReasoning").and_then(Value::as_bool).unwrap_or(false),
        active_hours: hours,
    }
}
