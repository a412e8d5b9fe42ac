//! `health`, `status` and the heartbeat methods (ws-protocol 5.1 and 5.13).

use gateway_wire::types::health::HealthParams;
use gateway_wire::types::system::{SetHeartbeatsParams, SetHeartbeatsResult};

use crate::error::store;
use crate::registry::{Call, Function, Work, json, later, now};

pub(super) const BINDINGS: &[(&str, Function)] = &[
    ("health", health),
    ("status", status),
    ("last-heartbeat", last_heartbeat),
    ("set-heartbeats", set_heartbeats),
];

/// A probe looks now; otherwise the last summary is the answer and a fresh one is announced soon.
fn health(call: Call<'_>) -> Work {
    let probe = call.params.is_some() && call.params::<HealthParams>().is_ok_and(|params| params.probe);
    let health = &call.cx.domain.health;
    now(|| {
        if probe {
            return Ok(health.now());
        }
        let summary = health.json();
        health.ask();
        Ok(summary)
    })
}

fn status(call: Call<'_>) -> Work {
    let domain = &call.cx.domain;
    now(|| {
        Ok(domain
            .health
            .status_with(domain.presence.system_events().waiting(&domain.agents.main_session_key())))
    })
}

fn last_heartbeat(call: Call<'_>) -> Work {
    now(|| Ok(call.cx.domain.health.heartbeats().last()))
}

fn set_heartbeats(call: Call<'_>) -> Work {
    let params: SetHeartbeatsParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let health = call.cx.domain.health.clone();
    later(async move {
        let enabled = params.enabled;
        health
            .heartbeats()
            .set(enabled)
            .await
            .map_err(|e| store("the heartbeat switch was not stored", &e))?;
        health.ask();
        json(&SetHeartbeatsResult { ok: true, enabled })
    })
}
