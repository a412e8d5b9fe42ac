//! Device pairing and device tokens. Token values leave the gateway in two places only: `hello-ok` and a rotation.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The parameters of `device.pair.approve` and `device.pair.reject`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DevicePairDecideParams {
    /// The pending request.
    pub request_id: String,
}

/// The parameters of `device.token.rotate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceTokenRotateParams {
    /// The paired device.
    pub device_id: String,
    /// The role of the token.
    pub role: String,
    /// The new scopes; absent means those of the old token, or else the device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// The parameters of `device.token.revoke`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceTokenRevokeParams {
    /// The paired device.
    pub device_id: String,
    /// The role of the token.
    pub role: String,
}

/// A device that waits for approval; also the payload of `device.pair.requested`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DevicePending {
    /// The request.
    pub request_id: String,
    /// The device.
    pub device_id: String,
    /// Its key, as base64url.
    pub public_key: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The program that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What the program is used as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_mode: Option<String>,
    /// The role it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The same, as a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The scopes it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Where it connected from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_ip: Option<String>,
    /// Whether it is approved without a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<bool>,
    /// Whether the device was paired already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_repair: Option<bool>,
    /// When it asked.
    pub ts: u64,
}

/// A paired device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PairedDevice {
    /// The device.
    pub device_id: String,
    /// Its key, as base64url.
    pub public_key: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The program that connected last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What the program is used as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_mode: Option<String>,
    /// The role of the last connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Every role it was approved for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Every scope it was approved for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Where it connected from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_ip: Option<String>,
    /// Its tokens without their values, sorted by role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<DeviceTokenSummary>>,
    /// When it was first paired.
    pub created_at_ms: u64,
    /// When it was last approved.
    pub approved_at_ms: u64,
}

/// A device token without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceTokenSummary {
    /// The role it is for.
    pub role: String,
    /// The scopes it covers, sorted.
    pub scopes: Vec<String>,
    /// When the first token of this role was made.
    pub created_at_ms: u64,
    /// When it was last replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at_ms: Option<u64>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<u64>,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at_ms: Option<u64>,
}

/// The result of `device.pair.list`; both newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicePairListResult {
    /// Who waits.
    pub pending: Vec<DevicePending>,
    /// Who is paired.
    pub paired: Vec<PairedDevice>,
}

/// The result of `device.pair.approve`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DevicePairApproveResult {
    /// The request.
    pub request_id: String,
    /// The device, now paired.
    pub device: PairedDevice,
}

/// The result of `device.pair.reject`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DevicePairRejectResult {
    /// The request.
    pub request_id: String,
    /// The device.
    pub device_id: String,
}

/// The result of `device.token.rotate`. The token does not show in debug output.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceTokenRotateResult {
    /// The device.
    pub device_id: String,
    /// The role of the token.
    pub role: String,
    /// The new token.
    pub token: String,
    /// The scopes it covers.
    pub scopes: Vec<String>,
    /// When it was made.
    pub rotated_at_ms: u64,
}

impl fmt::Debug for DeviceTokenRotateResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceTokenRotateResult")
            .field("device_id", &self.device_id)
            .field("role", &self.role)
            .field("token", &"***")
            .field("scopes", &self.scopes)
            .field("rotated_at_ms", &self.rotated_at_ms)
            .finish()
    }
}

/// The result of `device.token.revoke`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceTokenRevokeResult {
    /// The device.
    pub device_id: String,
    /// The role of the token.
    pub role: String,
    /// When it was revoked.
    pub revoked_at_ms: u64,
}

/// How a pairing request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PairDecision {
    /// The device may connect.
    Approved,
    /// It may not.
    Rejected,
}

/// The payload of `device.pair.resolved`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DevicePairResolvedEvent {
    /// The request.
    pub request_id: String,
    /// The device.
    pub device_id: String,
    /// How it ended.
    pub decision: PairDecision,
    /// When.
    pub ts: u64,
}
