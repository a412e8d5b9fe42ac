//! Ticks, heartbeats and system events.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The payload of `tick`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickEvent {
    /// The server's clock.
    pub ts: u64,
}

/// How a heartbeat went: the payload of the `heartbeat` event and the result of `last-heartbeat`, which is `null`
/// before the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatEvent {
    /// When.
    pub ts: u64,
    /// How it ended.
    pub status: HeartbeatStatus,
    /// Who was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The first 200 characters of what was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Whether media was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_media: Option<bool>,
    /// Why it was skipped or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Whether nothing was sent although there was something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<bool>,
    /// What an indicator should show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub indicator_type: Option<HeartbeatIndicator>,
}

/// How a heartbeat ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeartbeatStatus {
    /// Something was said.
    Sent,
    /// The answer was empty.
    OkEmpty,
    /// The answer was the agreed "nothing to report".
    OkToken,
    /// It did not run.
    Skipped,
    /// It failed.
    Failed,
}

/// What a heartbeat indicator shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeartbeatIndicator {
    /// All is well.
    Ok,
    /// There is something to read.
    Alert,
    /// It failed.
    Error,
}

/// The parameters of `set-heartbeats`. There is no schema, but a check of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct SetHeartbeatsParams {
    /// Whether agents may beat.
    pub enabled: bool,
}

impl TryFrom<Value> for SetHeartbeatsParams {
    type Error = &'static str;

    fn try_from(params: Value) -> Result<Self, Self::Error> {
        let enabled = params.get("enabled").and_then(Value::as_bool);
        let enabled = enabled.ok_or("invalid set-heartbeats params: enabled (boolean) required")?;
        Ok(Self { enabled })
    }
}

/// The result of `set-heartbeats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetHeartbeatsResult {
    /// Always true.
    pub ok: bool,
    /// Whether agents may beat.
    pub enabled: bool,
}

/// The parameters of `system-event`. There is no schema: fields of a wrong type count as absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Value")]
pub struct SystemEventParams {
    /// What to tell, trimmed; when empty the method answers `text required`.
    pub text: String,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// What it is used as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Its family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_family: Option<String>,
    /// Its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_identifier: Option<String>,
    /// Why it reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long ago a person used it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_input_seconds: Option<f64>,
    /// Its roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Its scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Free labels; accepted and not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

impl From<Value> for SystemEventParams {
    fn from(params: Value) -> Self {
        let text = |key: &str| params.get(key).and_then(Value::as_str).map(str::to_owned);
        let list = |key: &str| -> Option<Vec<String>> {
            params.get(key)?.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        };
        Self {
            text: params.get("text").and_then(Value::as_str).unwrap_or_default().trim().to_owned(),
            device_id: text("deviceId"),
            instance_id: text("instanceId"),
            host: text("host"),
            ip: text("ip"),
            mode: text("mode"),
            version: text("version"),
            platform: text("platform"),
            device_family: text("deviceFamily"),
            model_identifier: text("modelIdentifier"),
            reason: text("reason"),
            last_input_seconds: params.get("lastInputSeconds").and_then(Value::as_f64),
            roles: list("roles"),
            scopes: list("scopes"),
            tags: list("tags"),
        }
    }
}
