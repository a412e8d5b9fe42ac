//! What others see of the records: results of `device.pair.*` and the payloads of its events (ws-protocol 5.12). A
//! token's text is in none of them.

use std::cmp::Reverse;

use gateway_base::clock::UnixMs;
use gateway_wire::types::devices::{
    DevicePairListResult, DevicePairResolvedEvent, DevicePending, DeviceTokenSummary, PairDecision,
    PairedDevice,
};

use super::record::{Device, Request};
use super::table::Table;
use super::token::Token;
use crate::time::to_wire;

pub fn list(table: &Table, steady: UnixMs) -> DevicePairListResult {
    let mut pending: Vec<_> =
        table.requests.values().filter(|e| !e.is_expired(steady)).map(|e| pending(&e.value)).collect();
    pending.sort_by(|a, b| (Reverse(a.ts), &a.request_id).cmp(&(Reverse(b.ts), &b.request_id)));
    let mut paired: Vec<_> = table.devices.values().map(|e| paired(&e.value)).collect();
    paired.sort_by(|a, b| {
        (Reverse(a.approved_at_ms), &a.device_id).cmp(&(Reverse(b.approved_at_ms), &b.device_id))
    });
    DevicePairListResult { pending, paired }
}

pub fn pending(request: &Request) -> DevicePending {
    let meta = request.meta.clone();
    DevicePending {
        request_id: request.request_id.clone(),
        device_id: request.device_id.clone(),
        public_key: request.public_key.clone(),
        display_name: meta.display_name,
        platform: meta.platform,
        client_id: meta.client_id,
        client_mode: meta.client_mode,
        role: Some(request.role.clone()),
        roles: Some(vec![request.role.clone()]),
        scopes: Some(request.scopes.clone()),
        remote_ip: meta.remote_ip,
        silent: Some(request.silent),
        is_repair: Some(request.is_repair),
        ts: to_wire(request.ts),
    }
}

pub fn paired(device: &Device) -> PairedDevice {
    let meta = device.meta.clone();
    let tokens: Vec<_> = device.tokens.iter().map(|(role, token)| summary(role, token)).collect();
    PairedDevice {
        device_id: device.device_id.clone(),
        public_key: device.public_key.clone(),
        display_name: meta.display_name,
        platform: meta.platform,
        client_id: meta.client_id,
        client_mode: meta.client_mode,
        role: device.role.clone(),
        roles: Some(device.roles.clone()),
        scopes: Some(device.scopes.clone()),
        remote_ip: meta.remote_ip,
        tokens: (!tokens.is_empty()).then_some(tokens),
        created_at_ms: to_wire(device.created_at_ms),
        approved_at_ms: to_wire(device.approved_at_ms),
    }
}

pub fn resolved(request: &Request, decision: PairDecision, now: UnixMs) -> DevicePairResolvedEvent {
    DevicePairResolvedEvent {
        request_id: request.request_id.clone(),
        device_id: request.device_id.clone(),
        decision,
        ts: to_wire(now),
    }
}

fn summary(role: &str, token: &Token) -> DeviceTokenSummary {
    DeviceTokenSummary {
        role: role.to_owned(),
        scopes: token.scopes.clone(),
        created_at_ms: to_wire(token.created_at_ms),
        rotated_at_ms: token.rotated_at_ms.map(to_wire),
        revoked_at_ms: token.revoked_at_ms.map(to_wire),
        last_used_at_ms: token.last_used_at_ms.map(to_wire),
    }
}
