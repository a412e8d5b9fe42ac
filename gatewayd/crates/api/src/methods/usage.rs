//! `usage.status` and `usage.cost` (ws-protocol 5.3).

use gateway_wire::types::usage::{UsageCostParams, UsageStatusResult};

use crate::error::thrown;
use crate::registry::{Call, Function, Work, json, later, now};

pub(super) const BINDINGS: &[(&str, Function)] = &[("usage.status", status), ("usage.cost", cost)];

/// No provider credentials are kept yet, so there is nobody to ask.
fn status(call: Call<'_>) -> Work {
    now(|| {
        let updated_at = u64::try_from(call.cx.clock.now()).unwrap_or_default();
        json(&UsageStatusResult { updated_at, providers: Vec::new() })
    })
}

fn cost(call: Call<'_>) -> Work {
    let params: UsageCostParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let usage = call.cx.domain.usage.clone();
    later(async move { usage.cost(params.days).await.map_err(|error| thrown(&error)) })
}
