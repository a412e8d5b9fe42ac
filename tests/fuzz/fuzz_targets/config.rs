//! Configuration text: loading ends in a configuration or in reasons, never in a panic, and editing what parses keeps
//! it readable with the new value in it.
#![no_main]

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_config::edit::Document;
use gateway_config::load;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let env = Env::from_pairs([("HOME", "/nonexistent"), ("SET", "value")]);
    let paths = Paths::resolve(&env, None).expect("a home is set");
    let snapshot = load::parse_text(text, &paths, &env);
    assert!(snapshot.valid == snapshot.issues.is_empty(), "refused exactly for a reason");

    let Ok(mut document) = Document::parse(text) else { return };
    let path = gateway_config::path::parse("gateway.port").expect("a path");
    let port = serde_json::json!(18789);
    if document.set(&path, &port).is_ok() {
        let edited = Document::parse(&document.to_string()).expect("an edit keeps the text readable");
        assert_eq!(edited.value()["gateway"]["port"], port);
    }
});
