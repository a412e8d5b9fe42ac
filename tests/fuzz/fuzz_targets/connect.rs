//! Connect parameters: what the schema admits, the type reads.
#![no_main]

use gateway_wire::types::connect::ConnectParams;
use gateway_wire::validate;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    match validate::check("ConnectParams", &value) {
        Ok(()) => {
            let _: ConnectParams = serde_json::from_value(value).expect("the schema admitted it");
        }
        Err(problems) => assert!(!problems.is_empty() && problems.len() < 64 * 1024),
    }
});
