//! What others see of the records: results of `device.pair.*` and the payloads of its events (ws-protocol 5.12). A
//! token's text is in none of them.

use std::cmp::Reverse;

use gateway_base::clock::UnixMs;
use serde::Serialize;

use super::record::{Device, Meta, Request};
use super::table::Table;

/// Result of `device.pair.list`.
#[derive(Clone, Debug, Serialize)]
pub struct PairList {
    /// Requests that wait.
    pub pending: Vec<DevicePending>,
    /// Paired devices.
    pub paired: Vec<PairedDevice>,
}

/// Result of `device.pair.approve`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Approved {
    /// The request.
    pub request_id: String,
    /// The device as it is now.
    pub device: PairedDevice,
}

/// Result of `device.pair.reject`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    /// The request.
    pub request_id: String,
    /// The device it was for.
    pub device_id: String,
}

/// A request that waits, and the payload of `device.pair.requested`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DevicePending {
    /// Its id.
    pub request_id: String,
    /// The device.
    pub device_id: String,
    /// Its key.
    pub public_key: String,
    /// Its description.
    #[serde(flatten)]
    pub meta: Meta,
    /// The role.
    pub role: String,
    /// The role once more, as the original sends it.
    pub roles: Vec<String>,
    /// The scopes.
    pub scopes: Vec<String>,
    /// Whether a local peer asked.
    pub silent: bool,
    /// Whether the device is paired already.
    pub is_repair: bool,
    /// Since when.
    pub ts: UnixMs,
}

/// A paired device.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PairedDevice {
    /// Its id.
    pub device_id: String,
    /// Its key.
    pub public_key: String,
    /// Its description.
    #[serde(flatten)]
    pub meta: Meta,
    /// The role it used last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// First approval.
    pub created_at_ms: UnixMs,
    /// Last approval.
    pub approved_at_ms: UnixMs,
    /// Its tokens, by role.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenSummary>,
}

/// A token without its text.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenSummary {
    /// The role it is for.
    pub role: String,
    /// What it grants.
    pub scopes: Vec<String>,
    /// When the role got its first one.
    pub created_at_ms: UnixMs,
    /// When this one was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotated_at_ms: Option<UnixMs>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<UnixMs>,
    /// When it last let its device in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at_ms: Option<UnixMs>,
}

/// Payload of `device.pair.resolved`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolved {
    request_id: String,
    device_id: String,
    decision: &'static str,
    ts: UnixMs,
}

pub fn list(table: &Table, now: UnixMs) -> PairList {
    let mut pending: Vec<_> =
        table.requests.values().filter(|e| !e.value.is_expired(now)).map(|e| pending(&e.value)).collect();
    pending.sort_by(|a, b| Reverse(a.ts).cmp(&Reverse(b.ts)).then_with(|| a.request_id.cmp(&b.request_id)));
    let mut paired: Vec<_> = table.devices.values().map(|e| paired(&e.value)).collect();
    paired.sort_by(|a, b| {
        Reverse(a.approved_at_ms).cmp(&Reverse(b.approved_at_ms)).then_with(|| a.device_id.cmp(&b.device_id))
    });
    PairList { pending, paired }
}

pub fn pending(request: &Request) -> DevicePending {
    DevicePending {
        request_id: request.request_id.clone(),
        device_id: request.device_id.clone(),
        public_key: request.public_key.clone(),
        meta: request.meta.clone(),
        role: request.role.clone(),
        roles: vec![request.role.clone()],
        scopes: request.scopes.clone(),
        silent: request.silent,
        is_repair: request.is_repair,
        ts: request.ts,
    }
}

pub fn paired(device: &Device) -> PairedDevice {
    let tokens = device.tokens.iter().map(|(role, token)| TokenSummary {
        role: role.clone(),
        scopes: token.scopes.clone(),
        created_at_ms: token.created_at_ms,
        rotated_at_ms: token.rotated_at_ms,
        revoked_at_ms: token.revoked_at_ms,
        last_used_at_ms: token.last_used_at_ms,
    });
    PairedDevice {
        device_id: device.device_id.clone(),
        public_key: device.public_key.clone(),
        meta: device.meta.clone(),
        role: device.role.clone(),
        roles: device.roles.clone(),
        scopes: device.scopes.clone(),
        created_at_ms: device.created_at_ms,
        approved_at_ms: device.approved_at_ms,
        tokens: tokens.collect(),
    }
}

pub fn resolved(request: &Request, approved: bool, now: UnixMs) -> Resolved {
    Resolved {
        request_id: request.request_id.clone(),
        device_id: request.device_id.clone(),
        decision: if approved { "approved" } else { "rejected" },
        ts: now,
    }
}
