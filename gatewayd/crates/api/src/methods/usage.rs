//! `usage.status` and `usage.cost` (ws-protocol 5.3).

use gateway_wire::types::usage::UsageCostParams;

use crate::error::thrown;
use crate::registry::{Call, Function, Work, json, later, now};

pub(super) const BINDINGS: &[(&str, Function)] = &[("usage.status", status), ("usage.cost", cost)];

/// No provider credentials are kept yet, so there is nobody to ask.
fn status(call: Call<'_>) -> Work {
    now(|| json(&call.cx.domain.usage.status()))
}

fn cost(call: Call<'_>) -> Work {
    let params: UsageCostParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let usage = call.cx.domain.usage.clone();
    later(async move { json(&usage.cost(params.days).await.map_err(|error| thrown(&error))?) })
}
