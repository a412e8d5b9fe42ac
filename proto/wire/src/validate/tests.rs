use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;
use crate::methods::METHODS;

fn problems(schema: &str, value: &Value) -> String {
    check(schema, value).unwrap_err()
}

fn connect() -> Value {
    json!({
        "minProtocol": 3, "maxProtocol": 3,
        "client": {"id": "cli", "version": "dev", "platform": "linux", "mode": "cli"},
    })
}

#[test]
fn every_schema_is_understood() {
    for definition in schema::DEFINITIONS.values() {
        definition.schema();
    }
    assert!(schema::DEFINITIONS.len() > 60);
}

/// The examples that were seen on the wire.
#[test]
fn the_words_of_the_original() {
    let mut operator = connect();
    operator["client"]["id"] = json!("ios-node");
    assert_eq!(
        problems("ConnectParams", &operator),
        "at /client/id: must be equal to constant; at /client/id: must match a schema in anyOf"
    );
    assert_eq!(
        problems("CronUpdateParams", &json!({"id": "x"})),
        "must have required property 'patch'; must have required property 'jobId'; at root: unexpected property 'id'; must match a schema in anyOf"
    );
    assert_eq!(problems("LogsTailParams", &json!({"limit": 0})), "at /limit: must be >= 1");
    assert_eq!(
        problems("SessionsPatchParams", &json!({"key": "k", "label": 5})),
        "at /label: must be string; at /label: must be null; at /label: must match a schema in anyOf"
    );
    assert_eq!(
        problems("NodeEventParams", &json!({"event": "e", "payloadJSON": null})),
        "at /payloadJSON: must be string"
    );
    assert_eq!(problems("ConfigGetParams", &json!([])), "must be object");
    assert_eq!(problems("ConfigGetParams", &json!(1)), "must be object");
}

#[test]
fn each_violation_has_its_words() {
    for (schema, value, want) in [
        ("WakeParams", json!({}), "must have required property 'mode'; must have required property 'text'"),
        ("ConfigGetParams", json!({"x": 1}), "at root: unexpected property 'x'"),
        ("LogsTailParams", json!({"limit": 5001}), "at /limit: must be <= 5000"),
        ("LogsTailParams", json!({"limit": "5"}), "at /limit: must be integer"),
        ("LogsTailParams", json!({"limit": 1.5}), "at /limit: must be integer"),
        ("LogsTailParams", json!({"limit": 0.5}), "at /limit: must be integer; at /limit: must be >= 1"),
        (
            "LogsTailParams",
            json!({"cursor": null, "limit": true}),
            "at /cursor: must be integer; at /limit: must be integer",
        ),
        ("TalkModeParams", json!({"enabled": "yes"}), "at /enabled: must be boolean"),
        (
            "SessionsListParams",
            json!({"label": "x".repeat(65)}),
            "at /label: must NOT have more than 64 characters",
        ),
        ("SessionsListParams", json!({"label": ""}), "at /label: must NOT have fewer than 1 characters"),
        (
            "DeviceTokenRotateParams",
            json!({"deviceId": "d", "role": "r", "scopes": ["a", "", 3]}),
            "at /scopes/1: must NOT have fewer than 1 characters; at /scopes/2: must be string",
        ),
        (
            "DeviceTokenRotateParams",
            json!({"deviceId": "d", "role": "r", "scopes": {}}),
            "at /scopes: must be array",
        ),
        (
            "PollParams",
            json!({"to": "t", "question": "q", "options": ["a"], "idempotencyKey": "k"}),
            "at /options: must NOT have fewer than 2 items",
        ),
        (
            "PollParams",
            json!({"to": "t", "question": "q", "options": vec!["a"; 13], "idempotencyKey": "k"}),
            "at /options: must NOT have more than 12 items",
        ),
        (
            "SkillsUpdateParams",
            json!({"skillKey": "k", "env": {"a/b~c": 1, "ok": "x"}}),
            "at /env/a~1b~0c: must be string",
        ),
        (
            "ExecApprovalsSetParams",
            json!({"file": {"version": 2}}),
            "at /file/version: must be equal to constant",
        ),
        (
            "ExecApprovalsSetParams",
            json!({"file": {"version": "1"}}),
            "at /file/version: must be number; at /file/version: must be equal to constant",
        ),
        (
            "ExecApprovalsSetParams",
            json!({"file": {"version": 1, "agents": {"m": {"x": 1}}}}),
            "at /file/agents/m: unexpected property 'x'",
        ),
    ] {
        assert_eq!(problems(schema, &value), want, "{schema} {value}");
    }
}

#[test]
fn missing_then_unknown_then_present_in_schema_order() {
    let value = json!({"zz": 1, "client": {"mode": 1, "b": 2, "a": 3}, "yy": 1, "maxProtocol": 0});
    let want = [
        "must have required property 'minProtocol'",
        "at root: unexpected property 'zz'",
        "at root: unexpected property 'yy'",
        "at /maxProtocol: must be >= 1",
        "at /client: must have required property 'id'",
        "at /client: must have required property 'version'",
        "at /client: must have required property 'platform'",
        "at /client: unexpected property 'b'",
        "at /client: unexpected property 'a'",
        "at /client/mode: must be string",
        "at /client/mode: must be equal to constant",
        "at /client/mode: must match a schema in anyOf",
    ];
    assert_eq!(problems("ConnectParams", &value), want.join("; "));
}

#[test]
fn good_values_pass() {
    let full = json!({
        "minProtocol": 3.0, "maxProtocol": 3e0,
        "client": {"id": "clawdbot-ios", "displayName": "é", "version": "1", "platform": "iOS 18.2", "deviceFamily": "iPhone",
            "modelIdentifier": "iPhone17,1", "mode": "node", "instanceId": "i"},
        "caps": ["canvas"], "commands": ["camera.snap"], "permissions": {"camera": true, "": false, "a\nb": "not matched"},
        "pathEnv": "", "role": "node", "scopes": [],
        "device": {"id": "d", "publicKey": "k", "signature": "s", "signedAt": 1_769_500_000_000_u64, "nonce": "n"},
        "auth": {"token": "", "password": ""}, "locale": "de", "userAgent": "x",
    });
    assert_eq!(check("ConnectParams", &full), Ok(()));
    assert_eq!(check("ConnectParams", &connect()), Ok(()));
    assert_eq!(check("SessionsListParams", &json!({"label": "😀".repeat(64)})), Ok(()));
    assert_eq!(
        check("SessionsPatchParams", &json!({"key": "k", "label": null, "sendPolicy": "deny"})),
        Ok(())
    );
    assert_eq!(check("ExecApprovalsSetParams", &json!({"file": {"version": 1.0}})), Ok(()));
    assert_eq!(check("LogsTailParams", &json!({"cursor": 1e300, "limit": 5000.0})), Ok(()));
    assert_eq!(check("CronUpdateParams", &json!({"jobId": "j", "patch": {"agentId": null}})), Ok(()));
}

#[test]
fn raw_parameters() {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    assert_eq!(check_raw("ConfigGetParams", None), Ok(json!({})));
    assert_eq!(check_raw("ConfigGetParams", Some(&raw("null"))), Ok(json!({})));
    assert_eq!(check_raw("LogsTailParams", Some(&raw(r#"{"limit":7}"#))), Ok(json!({"limit": 7})));
    assert_eq!(check_raw("LogsTailParams", Some(&raw("[]"))), Err("must be object".to_owned()));
    let huge = check_raw("LogsTailParams", Some(&raw(r#"{"limit":1e999}"#))).unwrap_err();
    assert!(huge.starts_with("cannot be read: number out of range"), "{huge}");
    let half = check_raw("WakeParams", Some(&raw(r#"{"mode":"now","text":"\ud800"}"#))).unwrap_err();
    assert!(half.starts_with("cannot be read: "), "{half}");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(check_raw("LogsTailParams", Some(&raw(&deep))).is_err());
}

#[test]
fn an_unknown_schema_refuses() {
    assert!(!has_schema("Nothing"));
    assert_eq!(problems("Nothing", &json!({})), "there is no schema named Nothing");
}

#[test]
fn odd_values_against_every_schema_end_in_bounds() {
    let long = "k".repeat(100_000);
    let many: Value =
        (0..5_000).map(|n| (format!("k{n}"), json!([{"a": null}]))).collect::<serde_json::Map<_, _>>().into();
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5),
        json!(""),
        json!([]),
        json!({}),
        json!([[[{}]]]),
        json!({"": ""}),
        json!({"file": {"version": 1, "agents": many}}),
        json!({"env": many, "skillKey": "x"}),
        json!({"id": many, "patch": {"payload": many, "schedule": many}}),
        json!({"keys": vec![""; 50_000]}),
        json!({long.as_str(): 1, "client": {long.as_str(): {}}}),
        many,
    ];
    for schema in METHODS.iter().filter_map(|method| method.params).chain(["RequestFrame"]) {
        for value in &odd {
            if let Err(text) = check(schema, value) {
                assert!(!text.is_empty() && text.len() < 64 * 500, "{schema}: {}", text.len());
            }
        }
    }
    let collected = problems("SessionsPreviewParams", &json!({"keys": vec![""; 50_000]}));
    assert!(collected.ends_with("; and more"));
}
