//! `models.list`, `agents.list` and `agent.identity.get` (ws-protocol 5.9).

use gateway_wire::error::ErrorShape;
use gateway_wire::types::agents::AgentIdentityParams;

use crate::registry::{Call, Function, Work, json, later, now};

pub(super) const BINDINGS: &[(&str, Function)] =
    &[("models.list", models), ("agents.list", agents), ("agent.identity.get", identity)];

fn models(call: Call<'_>) -> Work {
    now(|| {
        call.no_params()?;
        Ok(call.cx.domain.models.json())
    })
}

fn agents(call: Call<'_>) -> Work {
    if let Err(error) = call.no_params() {
        return Work::Done(Err(error));
    }
    let agents = call.cx.domain.agents.clone();
    later(async move { Ok(agents.list().await) })
}

fn identity(call: Call<'_>) -> Work {
    now(|| {
        let params: AgentIdentityParams = call.params()?;
        let found = call.cx.domain.agents.identity(&params);
        json(&found.map_err(|error| ErrorShape::invalid(error.to_string()))?)
    })
}
