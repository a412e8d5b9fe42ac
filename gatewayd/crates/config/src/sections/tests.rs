//! What the parts see: defaults of an empty file, and values that are set.

use std::path::Path;

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use serde_json::{Value, json};

use super::*;

fn config(value: &Value) -> Config {
    let paths = Paths::resolve(&Env::from_pairs([("HOME", "/h")]), None).expect("home is set");
    let snapshot = crate::load::parse_text(&value.to_string(), &paths, &Env::default());
    assert!(snapshot.valid, "{:?}", snapshot.issues);
    (*snapshot.config).clone()
}

#[test]
fn an_empty_file_has_the_documented_defaults() {
    let c = config(&json!({}));
    assert_eq!((c.gateway.port, c.gateway.mode, c.gateway.bind), (18789, None, Bind::Loopback));
    assert!(c.gateway.control_ui.enabled && c.gateway.control_ui.base_path.is_empty());
    assert!(c.gateway.tls.auto_generate && !c.gateway.tls.enabled);
    assert_eq!(c.gateway.tls.cert_path, Path::new("/h/.clawdbot/gateway/tls/gateway-cert.pem"));
    assert_eq!((c.gateway.reload.mode, c.gateway.reload.debounce_ms), (ReloadMode::Hybrid, 300));
    assert_eq!(c.gateway.tailscale.mode, TailscaleMode::Off);
    assert_eq!((c.logging.level, c.logging.redact_sensitive), (Level::Info, true));
    assert_eq!(c.logging.file, Path::new("/h/.clawdbot/logs/gateway.log"));
    assert_eq!(c.session.scope, Scope::PerSender);
    assert_eq!((c.cron.enabled, c.commands.restart, c.discovery.mdns), (true, false, MdnsMode::Minimal));
    assert!(c.canvas_host.enabled && c.canvas_host.live_reload);
    assert_eq!(c.hooks.path, "/hooks");
    assert_eq!(c.agents.defaults.workspace, Path::new("/h/clawd"));
    assert_eq!((c.model_ref().as_str(), c.default_agent_id()), (DEFAULT_MODEL, "main"));
    assert_eq!((c.agents().len(), c.agents.listed), (1, false));
    assert_eq!(c.agents()[0].agent_dir, Path::new("/h/.clawdbot/agents/main/agent"));
}

#[test]
fn set_values_are_seen() {
    let c = config(&json!({
        "gateway": {"mode": "local", "bind": "192.168.0.5", "auth": {"token": "s", "password": ""},
                    "trustedProxies": ["10.0.0.0/8", "nonsense"], "controlUi": {"basePath": "/x/"}},
        "channels": {"defaults": {}, "telegram": {}},
        "logging": {"redactSensitive": "off", "file": "~/x.log"},
        "models": {"providers": {"p": {"baseUrl": "u", "models": [{"id": "m", "name": "M", "cost": {"input": 1.5}}]}}},
    }));
    assert_eq!(c.gateway.bind.to_string(), "192.168.0.5");
    assert!(
        c.gateway.auth.token.as_ref().is_some_and(|t| t.matches("s")) && c.gateway.auth.password.is_none()
    );
    assert_eq!(c.gateway.trusted_proxies.len(), 1);
    assert_eq!(c.gateway.control_ui.base_path, "/x");
    assert_eq!((c.channels, c.logging.redact_sensitive), (vec!["telegram".to_owned()], false));
    assert_eq!(c.logging.file, Path::new("/h/x.log"));
    let model = &c.models.providers["p"].models[0];
    assert_eq!((model.context_window, model.max_tokens, model.cost.input), (Some(200_000), Some(8192), 1.5));
}

#[test]
fn bind_words_and_addresses() {
    for word in ["auto", "lan", "loopback", "custom", "tailnet", "::1", "0.0.0.0"] {
        assert_eq!(word.parse::<Bind>().map(|b| b.to_string()), Ok(word.to_owned()));
    }
    assert_eq!("[::1]".parse::<Bind>().map(|b| b.to_string()), Ok("::1".to_owned()));
    assert_eq!("localhost".parse::<Bind>(), Err(NotABind));
}

#[test]
fn secrets_do_not_print() {
    let c = config(
        &json!({"gateway": {"auth": {"token": "hunter2"}, "remote": {"password": "hunter2"}}, "talk": {"apiKey": "hunter2"}}),
    );
    assert!(!format!("{c:?}").contains("hunter2"));
}

#[test]
fn agents_and_their_folders() {
    let c = config(
        &json!({"agents": {"defaults": {"workspace": "~/w"}, "list": [{"id": "A b"}, {"id": "x", "default": true}, {"id": "y", "workspace": "/y"}]}}),
    );
    assert_eq!(c.default_agent_id(), "x");
    let folders: Vec<_> = c.agents().iter().map(|a| (a.id.as_str(), a.workspace.to_str())).collect();
    assert_eq!(folders, [("a-b", Some("/h/clawd-a-b")), ("x", Some("/h/w")), ("y", Some("/y"))]);
}

#[test]
fn heartbeats_are_inherited_and_exclusive() {
    let c = config(&json!({"agents": {"list": [{"id": "a"}, {"id": "b"}]}}));
    assert_eq!(c.heartbeat_agents(), ["a"]);
    let beat = c.heartbeat("a");
    assert_eq!((beat.enabled, beat.every.as_str(), beat.every_ms), (true, "30m", Some(1_800_000)));
    assert_eq!((beat.target.as_str(), beat.ack_max_chars, beat.session.as_str()), ("last", 300, "main"));
    let beat = c.heartbeat("b");
    assert_eq!((beat.enabled, beat.every.as_str(), beat.every_ms), (false, "disabled", None));

    let c = config(&json!({"agents": {
        "defaults": {"heartbeat": {"every": "1h", "target": "none", "activeHours": {"start": "08:00"}}},
        "list": [{"id": "a"}, {"id": "b", "heartbeat": {"every": "0m", "ackMaxChars": 5}}, {"id": "c", "heartbeat": {}}],
    }}));
    assert_eq!(c.heartbeat_agents(), ["b", "c"]);
    assert_eq!((c.heartbeat("b").every_ms, c.heartbeat("b").ack_max_chars), (None, 5));
    let beat = c.heartbeat("c");
    assert_eq!((beat.every_ms, beat.target.as_str()), (Some(3_600_000), "none"));
    assert_eq!(beat.active_hours.and_then(|h| h.start).as_deref(), Some("08:00"));
}

#[test]
fn the_model_goes_through_the_aliases() {
    let c = config(
        &json!({"agents": {"defaults": {"model": {"primary": "opus"}, "models": {"anthropic/claude-opus-4-5": {}}}}}),
    );
    assert_eq!(c.model_ref(), "anthropic/claude-opus-4-5");
    let c = config(
        &json!({"agents": {"defaults": {"model": {"primary": "fast"}, "models": {"groq/x": {"alias": "Fast"}}}}}),
    );
    assert_eq!(c.model_ref(), "groq/x");
    assert_eq!(c.resolve_model("gpt-x").to_string(), "anthropic/gpt-x");
}
