//! `channels.status` (ws-protocol 5.2). No channel is built yet, so every list is empty, as the original's is without
//! channel plugins.

use gateway_wire::types::channels::{ChannelsStatusParams, ChannelsStatusResult};

use crate::registry::{Call, Function, Work, json, now};

pub(super) const BINDINGS: &[(&str, Function)] = &[("channels.status", status)];

fn status(call: Call<'_>) -> Work {
    now(|| {
        let _: ChannelsStatusParams = call.params()?;
        let ts = u64::try_from(call.cx.clock.now()).unwrap_or_default();
        json(&ChannelsStatusResult { ts, ..ChannelsStatusResult::default() })
    })
}
