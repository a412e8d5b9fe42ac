use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};

use super::agents::{
    AgentIdentity, AgentIdentityParams, AgentIdentityResult, AgentSummary, AgentsListResult,
};
use super::channels::{ChannelAccountSnapshot, ChannelMeta, ChannelsStatusParams, ChannelsStatusResult};
use super::common::{Done, NoParams, SessionKind};
use super::config::*;
use super::devices::*;
use super::health::*;
use super::logs::{LogsTailParams, LogsTailResult};
use super::models::{ModelChoice, ModelsListResult};
use super::presence::{PresenceEntry, PresenceEvent};
use super::shutdown::ShutdownEvent;
use super::status::*;
use super::system::*;
use super::talk::{TalkMode, TalkModeParams};
use super::usage::*;
use super::voicewake::{Voicewake, VoicewakeSetParams};
use super::wizard::*;
use crate::methods;
use crate::session_key::Scope;
use crate::validate;

/// Reads parameters that the method's schema admits.
fn admitted<T: DeserializeOwned>(method: &str, params: Value) -> T {
    let schema = methods::find(method).unwrap().params.unwrap();
    validate::check(schema, &params).unwrap();
    from_value(params).unwrap()
}

/// Checks the wire form, its order included, and that it reads back.
fn same<T: Serialize + DeserializeOwned>(value: &T, wire: &Value) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(text, wire.to_string());
    let back: T = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
}

#[test]
fn the_wizard() {
    let start: WizardStartParams = admitted("wizard.start", json!({"mode": "remote", "workspace": ""}));
    assert_eq!((start.mode, start.workspace.as_deref()), (Some(WizardMode::Remote), Some("")));
    let start: WizardStartParams = admitted("wizard.start", json!({}));
    assert_eq!(start, WizardStartParams::default());
    let next = json!({"sessionId": "s", "answer": {"stepId": "x", "value": "canary"}});
    let next: WizardNextParams = admitted("wizard.next", next);
    assert!(!format!("{next:?}").contains("canary"), "an answer may be a secret");
    let next: WizardNextParams =
        admitted("wizard.next", json!({"sessionId": "s", "answer": {"stepId": "x"}}));
    assert!(next.answer.is_some_and(|answer| answer.value.is_null()));
    for method in ["wizard.cancel", "wizard.status"] {
        let session: WizardSessionParams = admitted(method, json!({"sessionId": "s"}));
        assert_eq!(session.session_id, "s");
    }
    let (title, options) =
        (None, Some(vec![WizardOption { value: json!("a"), label: "A".into(), hint: None }]));
    let step = WizardStep {
        id: "i".into(),
        kind: WizardKind::Select,
        title,
        message: Some("Which?".into()),
        options,
        initial_value: Some(json!("a")),
        placeholder: None,
        sensitive: None,
        executor: Some(WizardExecutor::Client),
    };
    let next = WizardNext { done: false, step: Some(step), status: Some(WizardState::Running), error: None };
    let wire = json!({
        "sessionId": "s", "done": false,
        "step": {
            "id": "i", "type": "select", "message": "Which?", "options": [{"value": "a", "label": "A"}],
            "initialValue": "a", "executor": "client",
        },
        "status": "running",
    });
    same(&WizardStarted { session_id: "s".into(), next }, &wire);
    let ended = WizardStatus { status: WizardState::Cancelled, error: Some("cancelled".into()) };
    same(&ended, &json!({"status": "cancelled", "error": "cancelled"}));
}

#[test]
fn parameters_without_fields() {
    for method in ["config.get", "config.schema", "models.list", "agents.list", "device.pair.list"] {
        let _: NoParams = admitted(method, json!({}));
    }
}

#[test]
fn parameters_with_a_schema() {
    let logs: LogsTailParams = admitted("logs.tail", json!({"cursor": 1e300, "limit": 500.0, "maxBytes": 1}));
    assert_eq!((logs.cursor, logs.limit, logs.max_bytes), (Some(u64::MAX), Some(500), Some(1)));
    let logs: LogsTailParams = admitted("logs.tail", json!({}));
    assert_eq!(logs, LogsTailParams::default());

    let channels: ChannelsStatusParams = admitted("channels.status", json!({"probe": true, "timeoutMs": 0}));
    assert_eq!((channels.probe, channels.timeout_ms), (Some(true), Some(0)));

    let set: ConfigSetParams = admitted("config.set", json!({"raw": "{}"}));
    assert!(set.raw == "{}" && set.base_hash.is_none());
    for method in ["config.patch", "config.apply"] {
        let full = json!({"raw": "{}", "baseHash": "h", "sessionKey": "", "note": "", "restartDelayMs": 7.0});
        let apply: ConfigApplyParams = admitted(method, full);
        assert!(apply.base_hash.as_deref() == Some("h") && apply.session_key.as_deref() == Some(""));
        assert!(apply.note.as_deref() == Some("") && apply.restart_delay_ms == Some(7));
        let _: ConfigApplyParams = admitted(method, json!({"raw": " "}));
    }

    let talk: TalkModeParams = admitted("talk.mode", json!({"enabled": false, "phase": ""}));
    assert_eq!((talk.enabled, talk.phase.as_deref()), (false, Some("")));
    let identity: AgentIdentityParams = admitted("agent.identity.get", json!({"sessionKey": ""}));
    assert_eq!((identity.agent_id, identity.session_key.as_deref()), (None, Some("")));

    for method in ["device.pair.approve", "device.pair.reject"] {
        let decide: DevicePairDecideParams = admitted(method, json!({"requestId": "r"}));
        assert_eq!(decide.request_id, "r");
    }
    let rotate: DeviceTokenRotateParams =
        admitted("device.token.rotate", json!({"deviceId": "d", "role": "r", "scopes": []}));
    assert_eq!(rotate.scopes, Some(Vec::new()));
    let revoke: DeviceTokenRevokeParams =
        admitted("device.token.revoke", json!({"deviceId": "d", "role": "r"}));
    assert_eq!((revoke.device_id.as_str(), revoke.role.as_str()), ("d", "r"));
}

#[test]
fn parameters_without_a_schema_take_anything() {
    let odd = [json!(null), json!([]), json!([1]), json!(7), json!("x"), json!({}), json!({"x": {}})];
    for value in odd {
        assert_eq!(from_value::<HealthParams>(value.clone()).unwrap(), HealthParams { probe: false });
        assert_eq!(from_value::<UsageCostParams>(value.clone()).unwrap(), UsageCostParams { days: 30 });
        assert_eq!(from_value::<SystemEventParams>(value.clone()).unwrap(), SystemEventParams::default());
        let heartbeats = from_value::<SetHeartbeatsParams>(value.clone()).unwrap_err();
        assert_eq!(heartbeats.to_string(), "invalid set-heartbeats params: enabled (boolean) required");
        let voicewake = from_value::<VoicewakeSetParams>(value).unwrap_err();
        assert_eq!(voicewake.to_string(), "voicewake.set requires triggers: string[]");
    }
}

#[test]
fn only_the_literal_true_probes() {
    for (given, want) in
        [(json!(true), true), (json!(false), false), (json!(1), false), (json!("true"), false)]
    {
        assert_eq!(from_value::<HealthParams>(json!({"probe": given})).unwrap().probe, want);
    }
}

#[test]
fn days_are_floored_and_at_least_one() {
    for (given, want) in [
        (json!(7), 7),
        (json!(7.9), 7),
        (json!(0), 1),
        (json!(-3.5), 1),
        (json!("14"), 14),
        (json!(" 2.5 "), 2),
        (json!("many"), 30),
        (json!(""), 30),
        (json!("inf"), 30),
        (json!("NaN"), 30),
        (json!(null), 30),
        (json!([5]), 30),
        (json!(1e300), u64::MAX),
    ] {
        assert_eq!(from_value::<UsageCostParams>(json!({"days": given})).unwrap().days, want, "{given}");
    }
}

#[test]
fn system_event_fields_of_a_wrong_type_are_absent() {
    let event: SystemEventParams = from_value(json!({
        "text": "  Node: a  ", "deviceId": "d", "instanceId": 5, "host": "h", "ip": null, "mode": "ui", "version": "1",
        "platform": "p", "deviceFamily": "f", "modelIdentifier": "m", "reason": [], "lastInputSeconds": 1.5,
        "roles": ["operator"], "scopes": ["a", 1], "tags": [], "more": true,
    }))
    .unwrap();
    let want = json!({
        "text": "Node: a", "deviceId": "d", "host": "h", "mode": "ui", "version": "1", "platform": "p", "deviceFamily": "f",
        "modelIdentifier": "m", "lastInputSeconds": 1.5, "roles": ["operator"], "tags": [],
    });
    same(&event, &want);
    let set: SetHeartbeatsParams = from_value(json!({"enabled": false})).unwrap();
    assert!(!set.enabled);
    let triggers: VoicewakeSetParams = from_value(json!({"triggers": ["a", 1, null, " b "]})).unwrap();
    assert_eq!(triggers.triggers, ["a", " b "]);
}

#[test]
fn presence() {
    same(&PresenceEntry { ts: 1, ..Default::default() }, &json!({"ts": 1}));
    let full = json!({
        "host": "myhost", "ip": "192.0.2.2", "version": "unknown", "platform": "linux 6.18.44", "deviceFamily": "Linux",
        "modelIdentifier": "x64", "mode": "gateway", "lastInputSeconds": 3, "reason": "self", "tags": ["t"], "text": "Gateway",
        "ts": 2, "deviceId": "d", "roles": ["operator"], "scopes": [], "instanceId": "i",
    });
    let entry: PresenceEntry = from_value(full.clone()).unwrap();
    same(&entry, &full);
    same(&PresenceEvent { presence: vec![entry] }, &json!({"presence": [full]}));
}

#[test]
fn health() {
    let sessions = SessionsHealth {
        path: "/s".to_owned(),
        count: 1,
        recent: vec![RecentSession { key: "agent:main:main".to_owned(), updated_at: None, age: Some(5) }],
    };
    let summary = HealthSummary {
        ok: true,
        ts: 1,
        duration_ms: 0,
        channels: serde_json::Map::new(),
        channel_order: Vec::new(),
        channel_labels: serde_json::Map::new(),
        heartbeat_seconds: 1800,
        default_agent_id: "main".to_owned(),
        agents: vec![AgentHealth {
            agent_id: "main".to_owned(),
            name: None,
            is_default: true,
            heartbeat: AgentHeartbeat {
                enabled: false,
                every: "disabled".to_owned(),
                every_ms: None,
                prompt: "p".to_owned(),
                target: "last".to_owned(),
                model: None,
                ack_max_chars: 300,
            },
            sessions: sessions.clone(),
        }],
        sessions,
        problems: Vec::new(),
    };
    let sessions = json!({"path": "/s", "count": 1, "recent": [{"key": "agent:main:main", "updatedAt": null, "age": 5}]});
    let mut want = json!({
        "ok": true, "ts": 1, "durationMs": 0, "channels": {}, "channelOrder": [], "channelLabels": {},
        "heartbeatSeconds": 1800, "defaultAgentId": "main",
        "agents": [{"agentId": "main", "isDefault": true, "heartbeat": {"enabled": false, "every": "disabled", "everyMs": null,
            "prompt": "p", "target": "last", "ackMaxChars": 300}, "sessions": sessions}],
        "sessions": sessions,
    });
    same(&summary, &want);
    want["problems"] = json!(["the store was damaged"]);
    same(&HealthSummary { problems: vec!["the store was damaged".to_owned()], ..summary }, &want);
}

#[test]
fn status() {
    let bare = json!({
        "key": "global", "kind": "global", "updatedAt": null, "age": null, "totalTokens": null, "remainingTokens": null,
        "percentUsed": null, "model": null, "contextTokens": null, "flags": [],
    });
    let row: StatusSessionRow = from_value(bare.clone()).unwrap();
    assert_eq!(row.kind, SessionKind::Global);
    same(&row, &bare);
    let full = json!({
        "agentId": "main", "key": "k", "kind": "direct", "sessionId": "s", "updatedAt": 1, "age": 2, "thinkingLevel": "low",
        "verboseLevel": "on", "reasoningLevel": "on", "elevatedLevel": "ask", "systemSent": true, "abortedLastRun": false,
        "inputTokens": 1, "outputTokens": 2, "totalTokens": 3, "remainingTokens": 4, "percentUsed": 5, "model": "m",
        "contextTokens": 6, "flags": ["system"],
    });
    same(&from_value::<StatusSessionRow>(full.clone()).unwrap(), &full);
    let want = json!({
        "linkChannel": {"id": "whatsapp", "label": "WhatsApp", "linked": false, "authAgeMs": null},
        "heartbeat": {"defaultAgentId": "main", "agents": [{"agentId": "main", "enabled": true, "every": "30m", "everyMs": 1_800_000}]},
        "channelSummary": [], "queuedSystemEvents": ["x"],
        "sessions": {"paths": ["/s"], "count": 0, "defaults": {"model": null, "contextTokens": null}, "recent": [full],
            "byAgent": [{"agentId": "main", "path": "/s", "count": 1, "recent": [bare]}]},
    });
    let status: StatusResult = from_value(want.clone()).unwrap();
    same(&status, &want);
    same(&StatusResult { link_channel: None, ..status }, &{
        let mut want = want;
        want.as_object_mut().unwrap().shift_remove("linkChannel");
        want
    });
}

#[test]
fn devices() {
    let pending = json!({
        "requestId": "r", "deviceId": "d", "publicKey": "k", "displayName": "n", "platform": "p", "clientId": "cli",
        "clientMode": "cli", "role": "operator", "roles": ["operator"], "scopes": ["operator.read"], "remoteIp": "127.0.0.1",
        "silent": false, "isRepair": true, "ts": 9,
    });
    same(&from_value::<DevicePending>(pending.clone()).unwrap(), &pending);
    same(&DevicePending::default(), &json!({"requestId": "", "deviceId": "", "publicKey": "", "ts": 0}));
    let token = json!({"role": "operator", "scopes": [], "createdAtMs": 1, "rotatedAtMs": 2, "revokedAtMs": 3, "lastUsedAtMs": 4});
    let paired = json!({
        "deviceId": "d", "publicKey": "k", "displayName": "n", "platform": "p", "clientId": "cli", "clientMode": "cli",
        "role": "operator", "roles": ["operator"], "scopes": [], "remoteIp": "::1",
        "tokens": [token, {"role": "node", "scopes": [], "createdAtMs": 1}], "createdAtMs": 1, "approvedAtMs": 2,
    });
    let device: PairedDevice = from_value(paired.clone()).unwrap();
    same(&device, &paired);
    same(
        &DevicePairListResult { pending: Vec::new(), paired: vec![device.clone()] },
        &json!({"pending": [], "paired": [paired]}),
    );
    same(
        &DevicePairApproveResult { request_id: "r".to_owned(), device },
        &json!({"requestId": "r", "device": paired}),
    );
    let rejected = DevicePairRejectResult { request_id: "r".to_owned(), device_id: "d".to_owned() };
    same(&rejected, &json!({"requestId": "r", "deviceId": "d"}));
    let rotated = DeviceTokenRotateResult {
        device_id: "d".to_owned(),
        role: "node".to_owned(),
        token: "secret".to_owned(),
        scopes: Vec::new(),
        rotated_at_ms: 3,
    };
    same(
        &rotated,
        &json!({"deviceId": "d", "role": "node", "token": "secret", "scopes": [], "rotatedAtMs": 3}),
    );
    assert!(!format!("{rotated:?}").contains("secret"));
    let revoked =
        DeviceTokenRevokeResult { device_id: "d".to_owned(), role: "node".to_owned(), revoked_at_ms: 4 };
    same(&revoked, &json!({"deviceId": "d", "role": "node", "revokedAtMs": 4}));
    let resolved = DevicePairResolvedEvent {
        request_id: "r".to_owned(),
        device_id: "d".to_owned(),
        decision: PairDecision::Approved,
        ts: 1,
    };
    same(&resolved, &json!({"requestId": "r", "deviceId": "d", "decision": "approved", "ts": 1}));
    assert_eq!(json!(PairDecision::Rejected), json!("rejected"));
}

#[test]
fn config() {
    let missing = json!({
        "path": "/c", "exists": false, "raw": null, "parsed": {}, "valid": true, "config": {}, "hash": "e3b0", "issues": [],
        "warnings": [{"path": "a.b", "message": "m"}], "legacyIssues": [{"path": "x"}],
    });
    same(&from_value::<ConfigSnapshot>(missing.clone()).unwrap(), &missing);
    let schema = json!({"schema": true, "uiHints": {"a": {}, "b": {"label": "l", "help": "h", "group": "g", "order": -1,
        "advanced": true, "sensitive": true, "placeholder": "p", "itemTemplate": {}}}, "version": "1", "generatedAt": "2026"});
    same(&from_value::<ConfigSchemaResult>(schema.clone()).unwrap(), &schema);
    same(
        &ConfigSetResult { ok: true, path: "/c".to_owned(), config: json!({"b": 1, "a": 2}) },
        &json!({"ok": true, "path": "/c", "config": {"b": 1, "a": 2}}),
    );
    let mut applied = json!({
        "ok": true, "path": "/c", "config": {},
        "restart": {"ok": true, "pid": 32152, "signal": "SIGUSR1", "delayMs": 700, "reason": "config.patch", "mode": "emit"},
        "sentinel": {"path": "/s", "payload": {"kind": "config-apply", "status": "ok", "ts": 1_795_345_346_792_u64,
            "sessionKey": "main", "message": "n1", "doctorHint": "Run: clawdbot doctor --non-interactive",
            "stats": {"mode": "config.patch", "root": "/c"}}},
    });
    same(&from_value::<ConfigApplyResult>(applied.clone()).unwrap(), &applied);
    applied["restart"] = Value::Null;
    applied["sentinel"]["path"] = Value::Null;
    applied["sentinel"]["payload"]["message"] = Value::Null;
    same(&from_value::<ConfigApplyResult>(applied.clone()).unwrap(), &applied);
}

#[test]
fn lists_of_models_agents_and_log_lines() {
    let models = json!({"models": [
        {"id": "m", "name": "M", "provider": "p"},
        {"id": "n", "name": "N", "provider": "p", "contextWindow": 200_000, "reasoning": true, "input": ["text", "image"]},
    ]});
    same(&from_value::<ModelsListResult>(models.clone()).unwrap(), &models);
    same(&ModelChoice::default(), &json!({"id": "", "name": "", "provider": ""}));

    let identity = AgentIdentity { avatar_url: Some("data:,".to_owned()), ..Default::default() };
    let agents = AgentsListResult {
        default_id: "main".to_owned(),
        main_key: "main".to_owned(),
        scope: Scope::Global,
        agents: vec![AgentSummary { id: "main".to_owned(), name: None, identity: Some(identity) }],
    };
    same(
        &agents,
        &json!({"defaultId": "main", "mainKey": "main", "scope": "global",
            "agents": [{"id": "main", "identity": {"avatarUrl": "data:,"}}]}),
    );
    let identity = AgentIdentityResult {
        agent_id: "main".to_owned(),
        name: "Assistant".to_owned(),
        avatar: "A".to_owned(),
    };
    same(&identity, &json!({"agentId": "main", "name": "Assistant", "avatar": "A"}));

    let tail = LogsTailResult {
        file: "/l".to_owned(),
        cursor: 5,
        size: 5,
        lines: vec!["{}".to_owned()],
        truncated: true,
        reset: false,
    };
    same(
        &tail,
        &json!({"file": "/l", "cursor": 5, "size": 5, "lines": ["{}"], "truncated": true, "reset": false}),
    );
}

#[test]
fn channels_keep_null_apart_from_absent() {
    same(
        &ChannelsStatusResult { ts: 1, ..Default::default() },
        &json!({"ts": 1, "channelOrder": [], "channelLabels": {}, "channelDetailLabels": {}, "channelSystemImages": {},
            "channelMeta": [], "channels": {}, "channelAccounts": {}, "channelDefaultAccountId": {}}),
    );
    let meta = ChannelMeta {
        id: "telegram".to_owned(),
        label: "Telegram".to_owned(),
        detail_label: "Telegram Bot".to_owned(),
        system_image: None,
    };
    same(&meta, &json!({"id": "telegram", "label": "Telegram", "detailLabel": "Telegram Bot"}));
    let account = json!({"accountId": "default", "configured": false, "lastInboundAt": null, "lastOutboundAt": 5, "mode": null,
        "port": 1, "extra": [1]});
    let read: ChannelAccountSnapshot = from_value(account.clone()).unwrap();
    assert_eq!(
        (read.last_inbound_at, read.last_outbound_at, read.last_probe_at),
        (Some(None), Some(Some(5)), None)
    );
    same(&read, &account);
}

#[test]
fn usage() {
    let status = json!({"updatedAt": 1, "providers": [{"provider": "anthropic", "displayName": "Claude",
        "windows": [{"label": "5h", "usedPercent": 12.5, "resetAt": 9}, {"label": "Week", "usedPercent": 0.5}],
        "plan": "Max", "error": "e"}]});
    same(&from_value::<UsageStatusResult>(status.clone()).unwrap(), &status);
    let totals = json!({"input": 1, "output": 2, "cacheRead": 3, "cacheWrite": 4, "totalTokens": 10, "totalCost": 0.25, "missingCostEntries": 1});
    let mut day = json!({"date": "2026-01-24"});
    day.as_object_mut().unwrap().extend(totals.as_object().unwrap().clone());
    let cost = json!({"updatedAt": 1, "days": 30, "daily": [day], "totals": totals});
    same(&from_value::<UsageCostResult>(cost.clone()).unwrap(), &cost);
}

#[test]
fn events_and_small_answers() {
    same(&Done::OK, &json!({"ok": true}));
    same(&TickEvent { ts: 1 }, &json!({"ts": 1}));
    same(&SetHeartbeatsResult { ok: true, enabled: false }, &json!({"ok": true, "enabled": false}));
    same(&TalkMode { enabled: true, phase: None, ts: 1 }, &json!({"enabled": true, "phase": null, "ts": 1}));
    same(&Voicewake { triggers: vec!["clawd".to_owned()] }, &json!({"triggers": ["clawd"]}));
    same(&ShutdownEvent::stopping(), &json!({"reason": "gateway stopping", "restartExpectedMs": null}));
    same(&ShutdownEvent::restarting(), &json!({"reason": "gateway restarting", "restartExpectedMs": 1500}));
    let heartbeat = json!({"ts": 1, "status": "ok-token", "to": "t", "preview": "p", "durationMs": 2, "hasMedia": false,
        "reason": "r", "channel": "c", "silent": true, "indicatorType": "alert"});
    same(&from_value::<HeartbeatEvent>(heartbeat.clone()).unwrap(), &heartbeat);
    for status in ["sent", "ok-empty", "ok-token", "skipped", "failed"] {
        let least = json!({"ts": 1, "status": status});
        same(&from_value::<HeartbeatEvent>(least.clone()).unwrap(), &least);
    }
}
