//! `models.list`, `agents.list` and `agent.identity.get` (ws-protocol 5.9).

use gateway_wire::error::ErrorShape;
use gateway_wire::types::agents::AgentIdentityParams;

use crate::registry::{Call, Function, Work, json, now};

pub(super) const BINDINGS: &[(&str, Function)] =
    &[("models.list", models), ("agents.list", agents), ("agent.identity.get", identity)];

fn models(call: Call<'_>) -> Work {
    now(|| {
        call.no_params()?;
        Ok(call.cx.domain.models.json())
    })
}

fn agents(call: Call<'_>) -> Work {
    now(|| {
        call.no_params()?;
        Ok(call.cx.domain.agents.json())
    })
}

fn identity(call: Call<'_>) -> Work {
    now(|| {
        let params: AgentIdentityParams = call.params()?;
        let found = call.cx.domain.agents.identity(params.agent_id.as_deref(), params.session_key.as_deref());
        json(&found.map_err(|e| ErrorShape::invalid(format!("invalid agent.identity.get params: {e}")))?)
    })
}
