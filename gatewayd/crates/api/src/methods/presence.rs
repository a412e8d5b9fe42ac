//! `system-presence` and `system-event` (ws-protocol 5.13).

use gateway_wire::error::ErrorShape;
use gateway_wire::types::common::Done;
use gateway_wire::types::system::SystemEventParams;

use crate::registry::{Call, Function, Work, json, now};

pub(super) const BINDINGS: &[(&str, Function)] =
    &[("system-presence", system_presence), ("system-event", system_event)];

fn system_presence(call: Call<'_>) -> Work {
    now(|| Ok(call.cx.domain.presence.json()))
}

fn system_event(call: Call<'_>) -> Work {
    now(|| {
        let params: SystemEventParams = call.params()?;
        if params.text.is_empty() {
            return Err(ErrorShape::invalid("text required"));
        }
        let session = &call.cx.domain.agents.session_defaults().main_session_key;
        call.cx.domain.presence.system_event(&params, session);
        json(&Done::OK)
    })
}
