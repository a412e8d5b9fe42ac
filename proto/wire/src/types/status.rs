//! The result of `status`. It takes no parameters.

use serde::{Deserialize, Serialize};

use super::common::SessionKind;

/// The gateway in one view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusResult {
    /// The first channel that is linked by pairing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_channel: Option<LinkChannel>,
    /// The heartbeats.
    pub heartbeat: StatusHeartbeat,
    /// Lines to show, which may hold ANSI colours.
    pub channel_summary: Vec<String>,
    /// What waits for the next turn of the main session.
    pub queued_system_events: Vec<String>,
    /// The sessions.
    pub sessions: StatusSessions,
    /// What is wrong, in sentences. An addition to the original, left out when there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// A channel that is linked by pairing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkChannel {
    /// The channel.
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// Whether it is linked.
    pub linked: bool,
    /// How old the link is.
    pub auth_age_ms: Option<u64>,
}

/// The heartbeats of all agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusHeartbeat {
    /// The default agent.
    pub default_agent_id: String,
    /// Every agent.
    pub agents: Vec<StatusAgentHeartbeat>,
}

/// The heartbeat of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusAgentHeartbeat {
    /// The agent.
    pub agent_id: String,
    /// Whether it beats.
    pub enabled: bool,
    /// The interval for people.
    pub every: String,
    /// The interval; `null` when it does not beat.
    pub every_ms: Option<u64>,
}

/// The sessions of all agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusSessions {
    /// Where they are kept.
    pub paths: Vec<String>,
    /// How many there are.
    pub count: u64,
    /// What a session without settings uses.
    pub defaults: StatusDefaults,
    /// At most 10 of all agents, newest first.
    pub recent: Vec<StatusSessionRow>,
    /// The same per agent.
    pub by_agent: Vec<StatusAgentSessions>,
}

/// What a session without settings uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusDefaults {
    /// The model.
    pub model: Option<String>,
    /// Its context window.
    pub context_tokens: Option<u64>,
}

/// The sessions of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusAgentSessions {
    /// The agent.
    pub agent_id: String,
    /// Where its sessions are kept.
    pub path: String,
    /// How many there are.
    pub count: u64,
    /// At most 10, newest first.
    pub recent: Vec<StatusSessionRow>,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusSessionRow {
    /// The agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The session key.
    pub key: String,
    /// What it is about.
    pub kind: SessionKind,
    /// The id of its transcript.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// When it last changed.
    pub updated_at: Option<u64>,
    /// How long ago that was, in milliseconds.
    pub age: Option<u64>,
    /// The session's thinking level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thinking_level: Option<String>,
    /// The session's verbose level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbose_level: Option<String>,
    /// The session's reasoning level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_level: Option<String>,
    /// The session's elevated level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevated_level: Option<String>,
    /// Whether the system prompt was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_sent: Option<bool>,
    /// Whether the last run was aborted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aborted_last_run: Option<bool>,
    /// Tokens read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Tokens in the context.
    pub total_tokens: Option<u64>,
    /// Tokens left in the context.
    pub remaining_tokens: Option<u64>,
    /// Share of the context in use, 0 to 999.
    pub percent_used: Option<u64>,
    /// The model.
    pub model: Option<String>,
    /// Its context window.
    pub context_tokens: Option<u64>,
    /// `think:<x>`, `verbose:<x>`, `reasoning:<x>`, `elevated:<x>`, `system`, `aborted`, `id:<session id>`.
    pub flags: Vec<String>,
}
