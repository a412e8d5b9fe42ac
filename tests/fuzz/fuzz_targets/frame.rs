//! Frames from clients: whatever the bytes, parsing ends in a request, an explanation of bounded size, or silence.
#![no_main]

use gateway_wire::frame::{ParseError, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| match parse(bytes) {
    Ok(request) => {
        assert!(!request.id.is_empty() && !request.method.is_empty());
        let _ = gateway_wire::methods::find(&request.method);
        let mut out = Vec::new();
        gateway_wire::frame::write_ok(&mut out, &request.id, b"null");
        let _: serde_json::Value = serde_json::from_slice(&out).expect("an answer is JSON");
    }
    Err(ParseError::Invalid { problems, .. }) => assert!(!problems.is_empty() && problems.len() < 64 * 1024),
    Err(ParseError::NotJson) => {}
});
