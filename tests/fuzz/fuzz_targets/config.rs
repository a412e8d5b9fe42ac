//! Configuration text: loading never panics, and editing what parses keeps it parsing.
#![no_main]

use gateway_config::edit::Document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(mut document) = Document::parse(text) else { return };
    let path = gateway_config::path::parse("gateway.port").expect("a path");
    if document.set(&path, &serde_json::json!(18789)).is_ok() {
        let edited = document.to_string();
        Document::parse(&edited).expect("an edit keeps the text readable");
    }
});
