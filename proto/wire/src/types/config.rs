//! Reading and writing the configuration over the wire. These types carry the user's secrets, so they have no
//! debug form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::integer;

/// The parameters of `config.set`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSetParams {
    /// The whole configuration as JSON5.
    pub raw: String,
    /// The hash of the text that was edited; required when a file exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_hash: Option<String>,
}

/// The parameters of `config.patch` and `config.apply`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigApplyParams {
    /// `config.patch`: a merge patch as JSON5; `config.apply`: the whole configuration.
    pub raw: String,
    /// The hash of the text that was edited; required when a file exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_hash: Option<String>,
    /// The session to wake after the restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key: Option<String>,
    /// A note for that session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How long to wait before the restart; 2000 when absent, at most 60000.
    #[serde(default, deserialize_with = "integer::optional", skip_serializing_if = "Option::is_none")]
    pub restart_delay_ms: Option<u64>,
}

/// The result of `config.get`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSnapshot {
    /// The absolute path of the file.
    pub path: String,
    /// Whether it is there.
    pub exists: bool,
    /// Its text, not redacted; `null` when there is no file.
    pub raw: Option<String>,
    /// The text as parsed.
    pub parsed: Value,
    /// Whether it may be used.
    pub valid: bool,
    /// The configuration with defaults applied, not redacted.
    pub config: Value,
    /// SHA-256 of the text in hex; of the empty text when there is no file.
    pub hash: String,
    /// Why it may not be used.
    pub issues: Vec<ConfigIssue>,
    /// What should be looked at.
    pub warnings: Vec<ConfigIssue>,
    /// Old keys that were found.
    pub legacy_issues: Vec<Value>,
}

/// Something about one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigIssue {
    /// The key, as a dotted path; empty for the whole file.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// The result of `config.schema`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSchemaResult {
    /// A JSON Schema, draft-07.
    pub schema: Value,
    /// Per path how to show it.
    pub ui_hints: BTreeMap<String, ConfigUiHint>,
    /// The version of the program.
    pub version: String,
    /// When it was made, as ISO text.
    pub generated_at: String,
}

/// How to show one key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigUiHint {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The group it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its place in the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<i64>,
    /// Whether it is hidden at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advanced: Option<bool>,
    /// Whether it is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<bool>,
    /// What an empty field shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<String>,
    /// What a new list item starts as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_template: Option<Value>,
}

/// The result of `config.set`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigSetResult {
    /// Always true.
    pub ok: bool,
    /// The absolute path of the file.
    pub path: String,
    /// The configuration as written.
    pub config: Value,
}

/// The result of `config.patch` and `config.apply`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigApplyResult {
    /// Always true.
    pub ok: bool,
    /// The absolute path of the file.
    pub path: String,
    /// The configuration as written.
    pub config: Value,
    /// The restart that follows; `null` when the change needs none.
    pub restart: Option<Restart>,
    /// The note that the next start finds.
    pub sentinel: Sentinel,
}

/// A restart that was scheduled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    /// Whether it was scheduled.
    pub ok: bool,
    /// The process.
    pub pid: u32,
    /// Always `SIGUSR1`.
    pub signal: String,
    /// How long until then.
    pub delay_ms: u64,
    /// The method that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How.
    pub mode: RestartMode,
}

/// How a restart is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RestartMode {
    /// Within the process.
    Emit,
    /// By a signal.
    Signal,
}

/// The note that the next start turns into a system event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentinel {
    /// Where it was written; `null` when it could not be.
    pub path: Option<String>,
    /// What it says.
    pub payload: SentinelPayload,
}

/// What the note says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentinelPayload {
    /// What happened.
    pub kind: SentinelKind,
    /// `ok`, `error` or `skipped`.
    pub status: String,
    /// When.
    pub ts: u64,
    /// The session to wake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key: Option<String>,
    /// The caller's note.
    pub message: Option<String>,
    /// What to run when something is wrong.
    pub doctor_hint: String,
    /// Details.
    pub stats: SentinelStats,
}

/// What happened before a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SentinelKind {
    /// The configuration was changed.
    ConfigApply,
    /// The program was updated.
    Update,
}

/// Details of what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentinelStats {
    /// The method.
    pub mode: String,
    /// The file or folder it was about.
    pub root: String,
}
