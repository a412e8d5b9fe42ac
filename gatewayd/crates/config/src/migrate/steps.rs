//! The migrations that need no choice, in the order of the original's: channel blocks, the gateway token, models, the
//! old routing and agent sections, the speech switch and the command tool. They are frozen: they work on plain values and are never changed to follow newer types.

use serde_json::{Map, Value, json};

use super::agents;
use super::legacy::legacy_issues;

const CHANNELS: [&str; 7] = ["whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams"];

/// A configuration without old keys, and what was done to get there.
#[derive(Clone, Debug, PartialEq)]
pub struct Migrated {
    /// The new value.
    pub value: Value,
    /// One line per change, such as `Moved telegram → channels.telegram.`.
    pub changes: Vec<String>,
}

/// Migrates `value`; nothing when there is nothing old in it, or something these steps cannot decide.
#[must_use]
pub fn migrate(value: &Value) -> Option<Migrated> {
    let mut changed = value.clone();
    let mut changes = Vec::new();
    let root = changed.as_object_mut()?;
    require_mention(root, &mut changes);
    channel_blocks(root, &mut changes);
    gateway_token(root, &mut changes);
    agents::routing(root, &mut changes);
    agents::providers(root, &mut changes);
    tools_bash(root, &mut changes);
    speech(root, &mut changes);
    agents::agent(root, &mut changes);
    (!changes.is_empty() && legacy_issues(&changed).is_empty())
        .then_some(Migrated { value: changed, changes })
}

fn require_mention(root: &mut Map<String, Value>, changes: &mut Vec<String>) {
    let Some(Value::Object(telegram)) = root.get_mut("telegram") else { return };
    let Some(flag) = telegram.shift_remove("requireMention") else { return };
    let target = "channels.telegram.groups.\"*\".requireMention";
    let groups = telegram.entry("groups").or_insert_with(|| json!({}));
    let Some(all) =
        groups.as_object_mut().and_then(|g| g.entry("*").or_insert_with(|| json!({})).as_object_mut())
    else {
        return;
    };
    if all.contains_key("requireMention") {
        changes.push(format!("Removed telegram.requireMention ({target} already set)."));
    } else {
        all.insert("requireMention".to_owned(), flag);
        changes.push(format!("Moved telegram.requireMention → {target}."));
    }
}

fn channel_blocks(root: &mut Map<String, Value>, changes: &mut Vec<String>) {
    for name in CHANNELS {
        let Some(Value::Object(old)) = root.get(name).cloned() else { continue };
        let channels = root.entry("channels").or_insert_with(|| json!({}));
        let Some(channels) = channels.as_object_mut() else { return };
        let merged = channels.contains_key(name);
        let block = channels.entry(name).or_insert_with(|| json!({}));
        let Some(block) = block.as_object_mut() else { continue };
        for (key, value) in old {
            block.entry(key).or_insert(value);
        }
        root.shift_remove(name);
        let word = if merged { "Merged" } else { "Moved" };
        changes.push(format!("{word} {name} → channels.{name}."));
    }
}

fn gateway_token(root: &mut Map<String, Value>, changes: &mut Vec<String>) {
    let Some(Value::Object(gateway)) = root.get_mut("gateway") else { return };
    let Some(token) = gateway.get("token").cloned() else { return };
    let Some(auth) = gateway.entry("auth").or_insert_with(|| json!({})).as_object_mut() else { return };
    if auth.contains_key("token") {
        changes.push("Removed gateway.token (gateway.auth.token already set).".to_owned());
    } else {
        auth.insert("token".to_owned(), token);
        auth.entry("mode").or_insert_with(|| json!("token"));
        changes.push("Moved gateway.token → gateway.auth.token.".to_owned());
    }
    gateway.shift_remove("token");
}

fn tools_bash(root: &mut Map<String, Value>, changes: &mut Vec<String>) {
    let Some(Value::Object(tools)) = root.get_mut("tools") else { return };
    let Some(bash) = tools.shift_remove("bash") else { return };
    if tools.contains_key("exec") {
        changes.push("Removed tools.bash (tools.exec already set).".to_owned());
    } else {
        tools.insert("exec".to_owned(), bash);
        changes.push("Moved tools.bash → tools.exec.".to_owned());
    }
}

fn speech(root: &mut Map<String, Value>, changes: &mut Vec<String>) {
    let tts = root.get_mut("messages").and_then(|m| m.get_mut("tts")).and_then(Value::as_object_mut);
    let Some(tts) = tts else { return };
    let Some(enabled) = tts.shift_remove("enabled") else { return };
    if tts.contains_key("auto") {
        changes.push("Removed messages.tts.enabled (messages.tts.auto already set).".to_owned());
    } else {
        let auto = if enabled == json!(true) { "always" } else { "off" };
        tts.insert("auto".to_owned(), json!(auto));
        changes.push(format!("Moved messages.tts.enabled → messages.tts.auto ({auto})."));
    }
}
