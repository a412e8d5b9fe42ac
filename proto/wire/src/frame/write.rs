//! Writing response and event frames by appending to a buffer. Payloads come as finished JSON, so that what is
//! sent to many is encoded once. Absent parts are left out: TS clients drop a frame with `"error":null` or
//! `"seq":null` without a word.

use serde::Serialize;

use crate::error::ErrorShape;
use crate::types::common::StateVersion;

/// Appends a successful response; `payload` is JSON.
pub fn write_ok(buf: &mut Vec<u8>, id: &str, payload: &[u8]) {
    buf.reserve(payload.len() + id.len() + 64);
    write_ok_with(buf, id, |buf| buf.extend_from_slice(payload));
}

/// Appends a successful response whose payload is written in place.
pub fn write_ok_with(buf: &mut Vec<u8>, id: &str, payload: impl FnOnce(&mut Vec<u8>)) {
    head(buf, id);
    buf.extend_from_slice(br#","ok":true,"payload":"#);
    payload(buf);
    buf.push(b'}');
}

/// Appends a failed response. A few methods send a payload beside the error.
pub fn write_err(buf: &mut Vec<u8>, id: &str, payload: Option<&[u8]>, error: &ErrorShape) {
    head(buf, id);
    buf.extend_from_slice(br#","ok":false"#);
    if let Some(payload) = payload {
        buf.extend_from_slice(br#","payload":"#);
        buf.extend_from_slice(payload);
    }
    buf.extend_from_slice(br#","error":"#);
    json(buf, error);
    buf.push(b'}');
}

/// Appends an event; `payload` is JSON. Directed events have no `seq`.
pub fn write_event(
    buf: &mut Vec<u8>,
    name: &str,
    payload: &[u8],
    seq: Option<u64>,
    state: Option<StateVersion>,
) {
    buf.reserve(payload.len() + name.len() + 128);
    buf.extend_from_slice(br#"{"type":"event","event":"#);
    json(buf, name);
    buf.extend_from_slice(br#","payload":"#);
    buf.extend_from_slice(payload);
    if let Some(seq) = seq {
        buf.extend_from_slice(br#","seq":"#);
        json(buf, &seq);
    }
    if let Some(state) = state {
        buf.extend_from_slice(br#","stateVersion":"#);
        json(buf, &state);
    }
    buf.push(b'}');
}

fn head(buf: &mut Vec<u8>, id: &str) {
    buf.extend_from_slice(br#"{"type":"res","id":"#);
    json(buf, id);
}

/// Appends a value as JSON. `null` stands in for a value that has no JSON form, so that the frame stays whole.
pub(crate) fn json<T: Serialize + ?Sized>(buf: &mut Vec<u8>, value: &T) {
    let start = buf.len();
    if serde_json::to_writer(&mut *buf, value).is_err() {
        buf.truncate(start);
        buf.extend_from_slice(b"null");
    }
}
