//! Every old section finds its new place, and nothing is lost on the way.

use serde_json::json;

use super::migrate;

#[test]
fn simple_old_keys_move() {
    let old = json!({
        "gateway": {"token": "t"}, "telegram": {"botToken": "b", "requireMention": false},
        "channels": {"telegram": {"botToken": "kept"}}, "tools": {"bash": {"timeoutSec": 3}},
        "messages": {"tts": {"enabled": true}},
    });
    let new = migrate(&old).expect("all of it can be migrated");
    assert_eq!(
        new.value,
        json!({
            "gateway": {"auth": {"token": "t", "mode": "token"}},
            "channels": {"telegram": {"botToken": "kept", "groups": {"*": {"requireMention": false}}}},
            "tools": {"exec": {"timeoutSec": 3}}, "messages": {"tts": {"auto": "always"}},
        })
    );
    assert_eq!(new.changes.len(), 5);
    assert_eq!(new.changes[1], "Merged telegram → channels.telegram.");
}

#[test]
fn nothing_old_and_nothing_certain_give_nothing() {
    assert_eq!(migrate(&json!({"gateway": {}})), None);
    // No transcription program is named, a list is there already, a channel to put it into is not.
    for old in [
        json!({"gateway": {"token": "t"}, "routing": {"transcribeAudio": {"command": ["x"]}}}),
        json!({"bindings": [], "routing": {"bindings": [{"agentId": "a"}]}}),
        json!({"routing": {"allowFrom": ["+1"]}}),
    ] {
        assert_eq!(migrate(&old), None, "{old}");
    }
}

#[test]
fn the_old_agent_section_is_spread_over_its_heirs() {
    let old = json!({
        "agent": {
            "model": "a/b", "modelFallbacks": ["c/d"], "modelAliases": {"fast": "x/y.1"}, "allowedModels": ["a/b"],
            "workspace": "~/w", "tools": {"allow": ["read"]}, "elevated": {"enabled": false},
            "sandbox": {"mode": "all", "tools": {"deny": ["exec"]}},
        },
        "agents": {"defaults": {"workspace": "~/kept"}},
        "identity": {"name": "Ada"},
    });
    let new = migrate(&old).expect("all of it can be migrated");
    assert_eq!(
        new.value,
        json!({
            "agents": {
                "defaults": {
                    "workspace": "~/kept", "model": {"primary": "a/b", "fallbacks": ["c/d"]},
                    "models": {"x/y.1": {"alias": "fast"}, "a/b": {}}, "sandbox": {"mode": "all"},
                },
                "list": [{"id": "main", "identity": {"name": "Ada"}}],
            },
            "tools": {
                "allow": ["read"], "elevated": {"enabled": false}, "sandbox": {"tools": {"deny": ["exec"]}},
            },
        }),
        "{:#}",
        new.value
    );
    assert!(new.changes.contains(&"Migrated agent.model string → agent.model.primary.".to_owned()));
    assert!(new.changes.contains(&"Merged agent → agents.defaults.".to_owned()));
}

#[test]
fn the_old_routing_section_is_spread_over_its_heirs() {
    let old = json!({
        "whatsapp": {}, "routing": {
            "allowFrom": ["+1"], "defaultAgentId": "b", "queue": {"mode": "collect", "byProvider": {"slack": "steer"}},
            "agents": {"b": {"mentionPatterns": ["@b"], "workspace": "~/b"}},
            "groupChat": {"requireMention": true, "historyLimit": 5, "mentionPatterns": ["@x"]},
            "bindings": [{"agentId": "b", "match": {"provider": "slack"}}], "agentToAgent": {"enabled": true},
        },
    });
    let new = migrate(&old).expect("all of it can be migrated");
    assert_eq!(
        new.value,
        json!({
            "channels": {"whatsapp": {"allowFrom": ["+1"], "groups": {"*": {"requireMention": true}}}},
            "agents": {"list": [
                {"id": "b", "groupChat": {"mentionPatterns": ["@b"]}, "workspace": "~/b", "default": true},
            ]},
            "bindings": [{"agentId": "b", "match": {"channel": "slack"}}],
            "tools": {"agentToAgent": {"enabled": true}},
            "messages": {
                "queue": {"mode": "collect", "byChannel": {"slack": "steer"}},
                "groupChat": {"historyLimit": 5, "mentionPatterns": ["@x"]},
            },
        }),
        "{:#}",
        new.value
    );
}

#[test]
fn renamed_keys_of_bindings_are_migrated_without_any_other_old_key() {
    let old = json!({"bindings": [{"agentId": "a", "match": {"provider": "slack", "accountID": "w"}}]});
    let new = migrate(&old).expect("is old");
    assert_eq!(new.value["bindings"][0]["match"], json!({"channel": "slack", "accountId": "w"}));
    assert_eq!(migrate(&new.value), None);
}

#[test]
fn what_a_step_does_not_know_stays_for_a_person() {
    for old in [
        json!({"routing": {"agents": {"b": 5}}}),
        json!({"agents": {"list": 5}, "routing": {"defaultAgentId": "b"}}),
        json!({"agents": {"list": {}}, "identity": {"name": "Ada"}}),
        json!({"agent": {"modelAliases": {"fast": 5}}, "agents": {"defaults": 5}}),
        json!({"identity": "Ada"}),
    ] {
        assert_eq!(migrate(&old), None, "{old}");
    }
}
