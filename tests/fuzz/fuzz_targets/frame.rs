//! Frames from clients: whatever the bytes, parsing ends in a request, an explanation of bounded size, or silence; and
//! the parameters of a request for any known method are admitted or explained.
#![no_main]

use gateway_wire::frame::{ParseError, parse, write_ok};
use gateway_wire::{methods, validate};
use libfuzzer_sys::fuzz_target;

/// Far above anything an honest problem needs, far below the frame that caused it.
const LONGEST: usize = 64 * 1024;

fuzz_target!(|bytes: &[u8]| match parse(bytes) {
    Ok(request) => {
        assert!(!request.id.is_empty() && !request.method.is_empty());
        if let Some(schema) = methods::find(&request.method).and_then(|method| method.params) {
            if let Err(problems) = validate::check_raw(schema, request.params) {
                assert!(!problems.is_empty() && problems.len() < LONGEST);
            }
        }
        let mut out = Vec::new();
        write_ok(&mut out, &request.id, b"null");
        let _: serde_json::Value = serde_json::from_slice(&out).expect("an answer is JSON");
    }
    Err(ParseError::Invalid { problems, .. }) => assert!(!problems.is_empty() && problems.len() < LONGEST),
    Err(ParseError::NotJson) => {}
});
