//! `device.pair.*` and `device.token.*` (ws-protocol 5.12).

use gateway_wire::types::devices::{
    DevicePairDecideParams, DeviceTokenRevokeParams, DeviceTokenRotateParams,
};
use serde_json::json as value;

use crate::error::device;
use crate::registry::{Call, Function, Work, json, later};

pub(super) const BINDINGS: &[(&str, Function)] = &[
    ("device.pair.list", list),
    ("device.pair.approve", approve),
    ("device.pair.reject", reject),
    ("device.token.rotate", rotate),
    ("device.token.revoke", revoke),
];

fn list(call: Call<'_>) -> Work {
    if let Err(error) = call.no_params() {
        return Work::Done(Err(error));
    }
    let devices = call.cx.domain.devices.clone();
    later(async move { json(&devices.list().await.map_err(|e| device(&e))?) })
}

fn approve(call: Call<'_>) -> Work {
    let params: DevicePairDecideParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let (devices, caller) = (call.cx.domain.devices.clone(), call.caller.clone());
    later(
        async move { json(&devices.approve(&caller.scopes, &params.request_id).await.map_err(|e| device(&e))?) },
    )
}

fn reject(call: Call<'_>) -> Work {
    let params: DevicePairDecideParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let devices = call.cx.domain.devices.clone();
    later(async move { json(&devices.reject(&params.request_id).await.map_err(|e| device(&e))?) })
}

fn rotate(call: Call<'_>) -> Work {
    let params: DeviceTokenRotateParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let (devices, caller) = (call.cx.domain.devices.clone(), call.caller.clone());
    later(async move {
        let issued = devices.rotate(&caller.scopes, &params.device_id, &params.role, params.scopes).await;
        let issued = issued.map_err(|e| device(&e))?;
        json(&value!({
            "deviceId": issued.device_id,
            "role": issued.role,
            "token": issued.token.expose(),
            "scopes": issued.scopes,
            "rotatedAtMs": issued.issued_at_ms,
        }))
    })
}

fn revoke(call: Call<'_>) -> Work {
    let params: DeviceTokenRevokeParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let devices = call.cx.domain.devices.clone();
    later(async move {
        let revoked = devices.revoke(&params.device_id, &params.role).await.map_err(|e| device(&e))?;
        json(&value!({
            "deviceId": revoked.device_id,
            "role": revoked.role,
            "revokedAtMs": revoked.revoked_at_ms,
        }))
    })
}
