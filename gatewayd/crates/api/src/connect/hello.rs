//! The answer to a successful `connect`: mostly bytes that exist already, copied.

use bytes::Bytes;
use gateway_wire::frame;
use gateway_wire::types::connect::{
    Features, HelloAuth, HelloParts, Policy, Server, write_hello as write_parts,
};

use super::Admitted;
use crate::caller::Role;
use crate::context::Context;

/// The lists of methods and events, serialised once.
#[must_use]
pub fn features() -> Bytes {
    Features::listed().to_json().into()
}

/// Appends the response to `connect`, with `hello-ok` as its payload.
pub(crate) fn write_hello(cx: &Context, admitted: &Admitted, out: &mut Vec<u8>) {
    let auth = admitted.issued.as_ref().map(|issued| HelloAuth {
        device_token: issued.token.expose().to_owned(),
        role: issued.role.clone(),
        scopes: issued.scopes.clone(),
        issued_at_ms: u64::try_from(issued.issued_at_ms).unwrap_or_default(),
    });
    let presence = cx.domain.presence.json();
    let health = cx.domain.health.json();
    let defaults = cx.domain.agents.session_defaults();
    let parts = HelloParts {
        server: Server {
            version: &cx.about.version,
            commit: cx.about.commit.as_deref(),
            host: &cx.about.host,
            conn_id: &admitted.caller.conn_id,
        },
        features: &cx.features,
        presence: &presence,
        health: &health,
        state_version: cx.domain.versions.current(),
        uptime_ms: u64::try_from(cx.about.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        config_path: &cx.about.config_path,
        state_dir: &cx.about.state_dir,
        session_defaults: &defaults,
        canvas_host_url: None,
        auth: auth.as_ref(),
        policy: Policy::default(),
    };
    frame::write_ok_with(out, &admitted.request, |out| write_parts(out, &parts));
}

/// Events that only this client is sent, right after its hello, by name: a node learns the wake words.
pub(crate) fn greetings(cx: &Context, admitted: &Admitted) -> Vec<(&'static str, Vec<u8>)> {
    if admitted.caller.role != Role::Node {
        return Vec::new();
    }
    let (name, mut event) = ("voicewake.changed", Vec::new());
    frame::write_event(&mut event, name, &cx.domain.voicewake.json(), None, None);
    vec![(name, event)]
}
