//! The committed schema is the one the code makes.

use super::*;

/// Run with `BLESS=1` to rewrite the file.
#[test]
fn the_committed_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/clawdbot.schema.json");
    let made = format!("{}\n", serde_json::to_string_pretty(&json_schema()).expect("serialises"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/schema")).expect("folder");
        std::fs::write(path, &made).expect("write");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == made, "{path} is out of date; run this test with BLESS=1 and review the difference");
}

#[test]
fn it_says_what_the_table_says() {
    let schema = json_schema();
    let at = |pointer: &str| schema.pointer(pointer).expect(pointer).clone();
    assert_eq!(at("/$schema"), "http://json-schema.org/draft-07/schema#");
    assert_eq!(at("/additionalProperties"), false);
    let port = at("/properties/gateway/properties/port");
    assert_eq!(
        (&port["type"], &port["minimum"], &port["maximum"], &port["default"]),
        (&"integer".into(), &1.into(), &65535.into(), &18789.into())
    );
    assert_eq!(at("/properties/agents/properties/list/items/required/0"), "id");
    assert_eq!(
        at("/properties/bindings/items/properties/match/properties/peer/required"),
        serde_json::json!(["kind", "id"])
    );
    assert_eq!(at("/properties/env/additionalProperties/type"), "string");
}

#[test]
fn hints_cover_groups_and_secrets() {
    let hints = ui_hints();
    assert_eq!(hints["gateway"]["label"], "Gateway");
    assert_eq!(hints["gateway.auth.token"]["sensitive"], true);
    assert_eq!(hints["gateway.trustedProxies"]["label"], "Trusted Proxies");
    assert_eq!(hints["models.providers.*.apiKey"]["group"], "Models");
    assert!(hints["agents.list.id"]["help"].is_string());
    assert!(hints["gateway.port"].get("sensitive").is_none());
}
