//! `connect` after the handshake: it is a row of the table, but it belongs before everything else.

use gateway_wire::error::ErrorShape;

use crate::registry::{Call, Function, Work};

pub(super) const BINDINGS: &[(&str, Function)] = &[("connect", again)];

fn again(_: Call<'_>) -> Work {
    Work::Done(Err(ErrorShape::invalid("connect is only valid as the first request")))
}
