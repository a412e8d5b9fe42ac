use serde_json::{Value, from_value, json};

use super::*;
use crate::frame::write_ok_with;
use crate::session_key::Scope;
use crate::types::common::StateVersion;
use crate::validate;

fn read(params: Value) -> ConnectParams {
    validate::check("ConnectParams", &params).unwrap();
    from_value(params).unwrap()
}

/// A connect of the command line as it was seen on the wire.
fn cli() -> Value {
    json!({
        "minProtocol": 3, "maxProtocol": 3,
        "client": {"id": "cli", "version": "dev", "platform": "linux", "mode": "cli",
            "instanceId": "d8dd04d2-08ed-4df3-914b-2c6a206cb951"},
        "caps": [], "auth": {"token": "t"}, "role": "operator",
        "scopes": ["operator.admin", "operator.approvals", "operator.pairing"],
        "device": {"id": "143394be", "publicKey": "yBo4-HSH", "signature": "2JkO46jw",
            "signedAt": 1_795_345_819_848_u64, "nonce": "ef263dac-b24e-40c2-a7f6-13f968e83ad0"},
    })
}

#[test]
fn a_real_connect_is_read_whole() {
    let params = read(cli());
    assert_eq!(serde_json::to_value(&params).unwrap(), cli());
    assert_eq!((params.role(), params.token(), params.password()), ("operator", Some("t"), None));
    assert_eq!(params.requested_scopes().len(), 3);
    assert!(params.client.mode.is_cli() && !params.client.is_webchat() && !params.client.is_control_ui());
    assert_eq!(params.client.label(), "cli");
}

#[test]
fn the_least_connect_has_defaults() {
    let params = read(json!({
        "minProtocol": 1.0, "maxProtocol": 1e30,
        "client": {"id": "webchat-ui", "displayName": "My page", "version": "1", "platform": "MacIntel", "mode": "ui"},
        "auth": {"token": "", "password": "p"},
        "device": {"id": "d", "publicKey": "k", "signature": "s", "signedAt": 5.0},
    }));
    assert_eq!((params.min_protocol, params.max_protocol), (1, u64::MAX));
    assert_eq!((params.role(), params.token(), params.password()), ("operator", None, Some("p")));
    assert!(params.requested_scopes().is_empty());
    assert!(params.client.is_webchat());
    assert_eq!(params.client.label(), "My page");
    assert_eq!(params.device.unwrap().signed_at, 5);
}

#[test]
fn every_id_and_mode_of_the_schema_is_known() {
    for id in ClientId::ALL {
        for mode in ClientMode::ALL {
            let mut params = cli();
            params["client"]["id"] = json!(id.as_str());
            params["client"]["mode"] = json!(mode.as_str());
            let client = read(params).client;
            assert_eq!((client.id, client.mode), (*id, *mode));
            let webchat = id.as_str() == "webchat-ui" || mode.as_str() == "webchat";
            assert_eq!(client.is_webchat(), webchat);
            assert_eq!(client.is_control_ui(), id.as_str() == "clawdbot-control-ui");
        }
    }
    let schemas: Value = serde_json::from_str(include_str!("../../../schema/params.json")).unwrap();
    let names = |field| {
        schemas["ConnectParams"]["properties"]["client"]["properties"][field]["anyOf"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((ClientId::ALL.len(), ClientMode::ALL.len()), (names("id"), names("mode")));
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let params = read(cli());
    let auth = Auth { token: Some("tok-secret".to_owned()), password: Some("pass-secret".to_owned()) };
    let hello = HelloAuth {
        device_token: "device-secret".to_owned(),
        role: "operator".to_owned(),
        scopes: Vec::new(),
        issued_at_ms: 1,
    };
    let text = format!("{params:?} {auth:?} {hello:?}");
    assert!(!text.contains("secret") && text.contains("***"), "{text}");
}

fn defaults() -> SessionDefaults {
    SessionDefaults {
        default_agent_id: "main".to_owned(),
        main_key: "main".to_owned(),
        main_session_key: "agent:main:main".to_owned(),
        scope: Scope::PerSender,
    }
}

fn parts(defaults: &SessionDefaults) -> HelloParts<'_> {
    HelloParts {
        server: Server { version: "dev", commit: None, host: "myhost", conn_id: "a4dbce2c" },
        features: br#"{"methods":["health","logs.tail"],"events":["connect.challenge","agent"]}"#,
        presence: br#"[{"host":"myhost","ts":1795344966956}]"#,
        health: b"{}",
        state_version: StateVersion { presence: 1, health: 2 },
        uptime_ms: 48_643,
        config_path: "/home/a/.clawdbot/clawdbot.json",
        state_dir: "/home/a/.clawdbot",
        session_defaults: defaults,
        canvas_host_url: None,
        auth: None,
        policy: Policy::default(),
    }
}

#[test]
fn a_hello_is_written_in_the_order_of_the_original() {
    let defaults = defaults();
    let auth = HelloAuth {
        device_token: "b7b00350f9d44970bd6df66124681806".to_owned(),
        role: "operator".to_owned(),
        scopes: vec!["operator.admin".to_owned()],
        issued_at_ms: 1_795_345_005_138,
    };
    let mut hello = parts(&defaults);
    hello.server.commit = Some("abc");
    hello.canvas_host_url = Some("http://127.0.0.1:18789");
    hello.auth = Some(&auth);
    let mut buf = Vec::new();
    write_ok_with(&mut buf, "r1", |buf| write_hello(buf, &hello));
    let want = concat!(
        r#"{"type":"res","id":"r1","ok":true,"payload":{"type":"hello-ok","protocol":3,"#,
        r#""server":{"version":"dev","commit":"abc","host":"myhost","connId":"a4dbce2c"},"#,
        r#""features":{"methods":["health","logs.tail"],"events":["connect.challenge","agent"]},"#,
        r#""snapshot":{"presence":[{"host":"myhost","ts":1795344966956}],"health":{},"#,
        r#""stateVersion":{"presence":1,"health":2},"uptimeMs":48643,"#,
        r#""configPath":"/home/a/.clawdbot/clawdbot.json","stateDir":"/home/a/.clawdbot","#,
        r#""sessionDefaults":{"defaultAgentId":"main","mainKey":"main","mainSessionKey":"agent:main:main","scope":"per-sender"}},"#,
        r#""canvasHostUrl":"http://127.0.0.1:18789","#,
        r#""auth":{"deviceToken":"b7b00350f9d44970bd6df66124681806","role":"operator","scopes":["operator.admin"],"issuedAtMs":1795345005138},"#,
        r#""policy":{"maxPayload":524288,"maxBufferedBytes":1572864,"tickIntervalMs":30000}}}"#,
    );
    assert_eq!(String::from_utf8(buf).unwrap(), want);
}

#[test]
fn what_a_hello_does_not_have_is_left_out() {
    let mut buf = Vec::new();
    write_hello(&mut buf, &parts(&defaults()));
    let hello: Value = serde_json::from_slice(&buf).unwrap();
    for (place, key) in [("", "canvasHostUrl"), ("", "auth"), ("/server", "commit")] {
        assert!(hello.pointer(place).unwrap().get(key).is_none(), "{key}");
    }
    assert_eq!(hello["policy"]["maxPayload"], 524_288);
}

#[test]
fn the_features_are_those_of_the_tables() {
    let features: Value = serde_json::from_slice(&Features::listed().to_json()).unwrap();
    assert_eq!(features["methods"].as_array().unwrap().len(), 79);
    assert_eq!(features["methods"][0], "health");
    assert_eq!(features["events"].as_array().unwrap().len(), 18);
    assert_eq!(features["events"][0], "connect.challenge");
}
