//! `voicewake.*` and `talk.mode` (ws-protocol 5.9).

use gateway_domain::talk;
use gateway_wire::error::ErrorShape;
use gateway_wire::types::talk::TalkModeParams;
use gateway_wire::types::voicewake::VoicewakeSetParams;

use crate::error::store;
use crate::registry::{Call, Function, Work, json, later, now};

pub(super) const BINDINGS: &[(&str, Function)] =
    &[("voicewake.get", get), ("voicewake.set", set), ("talk.mode", talk_mode)];

fn get(call: Call<'_>) -> Work {
    now(|| Ok(call.cx.domain.voicewake.json()))
}

fn set(call: Call<'_>) -> Work {
    let params: VoicewakeSetParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let voicewake = call.cx.domain.voicewake.clone();
    later(async move {
        let words = voicewake.set(&params.triggers).await;
        json(&words.map_err(|e| store("the wake words were not stored", &e))?)
    })
}

/// A chat page may only switch talk mode while a phone could speak; there are no nodes yet, so it may not.
fn talk_mode(call: Call<'_>) -> Work {
    now(|| {
        if call.caller.is_webchat() {
            return Err(ErrorShape::unavailable("talk disabled: no connected iOS/Android nodes"));
        }
        let params: TalkModeParams = call.params()?;
        json(&talk::set_mode(&call.cx.domain.bus, &call.cx.clock, params))
    })
}
