//! Rules of the chat channels that go beyond one key.

use serde_json::{Map, Value};

use super::suggest::closest;
use crate::issue::Issue;
use crate::keys::tree;

/// Channels whose direct-chat rule stands in `dmPolicy` and `allowFrom`.
const FLAT: [&str; 6] = ["telegram", "whatsapp", "signal", "imessage", "bluebubbles", "msteams"];
/// Channels whose direct-chat rule stands in `dm.policy` and `dm.allowFrom`.
const NESTED: [&str; 3] = ["discord", "slack", "googlechat"];

/// Commands of the gateway itself, which the menu already has.
const NATIVE_COMMANDS: [&str; 29] = [
    "help",
    "commands",
    "status",
    "whoami",
    "context",
    "model",
    "models",
    "think",
    "verbose",
    "reasoning",
    "elevated",
    "exec",
    "queue",
    "usage",
    "send",
    "activation",
    "new",
    "reset",
    "compact",
    "stop",
    "subagents",
    "approve",
    "allowlist",
    "config",
    "debug",
    "restart",
    "tts",
    "skill",
    "bash",
];

/// Ids that `channels` and heartbeat targets may name.
pub(super) fn is_known(config: &Value, id: &str) -> bool {
    let channels = tree().fields().get("channels");
    let built_in = id != "defaults" && channels.is_some_and(|c| c.fields().contains_key(id));
    built_in || is_of_plugin(config, id)
}

/// Whether a plugin that this daemon cannot look into may have brought the channel along.
fn is_of_plugin(config: &Value, id: &str) -> bool {
    let plugins = |key: &str| config.pointer(&format!("/plugins/{key}"));
    let named = |key: &str| plugins(key).and_then(|map| map.get(id)).is_some();
    let paths = plugins("load/paths").and_then(Value::as_array).is_some_and(|paths| !paths.is_empty());
    named("entries") || named("installs") || paths
}

pub(super) fn check(config: &Value, issues: &mut Vec<Issue>) {
    let Some(channels) = config.get("channels").and_then(Value::as_object) else { return };
    for (id, block) in channels.iter().filter(|(id, _)| *id != "defaults") {
        let path = format!("channels.{id}");
        if !is_known(config, id) {
            let known = tree().fields().get("channels").into_iter().flat_map(|c| c.fields().keys());
            let hint = closest(id, known.copied()).map(|found| format!("did you mean \"{found}\"?"));
            issues.push(Issue { path, message: format!("unknown channel id: {id}"), hint });
            continue;
        }
        let Some(block) = block.as_object() else { continue };
        check_block(id, &path, block, block, issues);
        for (account, own) in block.get("accounts").and_then(Value::as_object).into_iter().flatten() {
            if let Some(own) = own.as_object() {
                check_block(id, &format!("{path}.accounts.{account}"), own, block, issues);
            }
        }
    }
}

/// One block or account; `base` is the block that an account inherits its secret from.
fn check_block(
    id: &str,
    path: &str,
    block: &Map<String, Value>,
    base: &Map<String, Value>,
    issues: &mut Vec<Issue>,
) {
    if FLAT.contains(&id) {
        open_needs_star(path, block, "dmPolicy", "allowFrom", issues);
    }
    if NESTED.contains(&id)
        && let Some(dm) = block.get("dm").and_then(Value::as_object)
    {
        open_needs_star(&format!("{path}.dm"), dm, "policy", "allowFrom", issues);
    }
    if id == "slack" && block.get("mode").and_then(Value::as_str) == Some("http") {
        let filled = |map: &Map<String, Value>| {
            map.get("signingSecret").and_then(Value::as_str).is_some_and(|secret| !secret.is_empty())
        };
        if !filled(block) && !filled(base) {
            let message = format!("{path}.mode=\"http\" requires {path}.signingSecret");
            issues.push(Issue::new(format!("{path}.signingSecret"), message));
        }
    }
    if id == "telegram" {
        custom_commands(path, block, issues);
    }
}

fn open_needs_star(
    path: &str,
    block: &Map<String, Value>,
    policy: &str,
    list: &str,
    issues: &mut Vec<Issue>,
) {
    if block.get(policy).and_then(Value::as_str) != Some("open") {
        return;
    }
    let allowed = block.get(list).and_then(Value::as_array);
    let star = |entry: &Value| entry.as_str().is_some_and(|text| text.trim() == "*");
    if !allowed.is_some_and(|entries| entries.iter().any(star)) {
        let message = format!("{path}.{policy}=\"open\" requires {path}.{list} to include \"*\"");
        issues.push(Issue::new(format!("{path}.{policy}"), message));
    }
}

fn custom_commands(path: &str, block: &Map<String, Value>, issues: &mut Vec<Issue>) {
    let mut seen: Vec<String> = Vec::new();
    for (i, entry) in block.get("customCommands").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        let path = format!("{path}.customCommands.{i}.command");
        let written = entry.get("command").and_then(Value::as_str).unwrap_or("").trim();
        let name = written.trim_start_matches('/').to_lowercase();
        let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let message = if name.is_empty() {
            "Telegram custom command is missing a command name.".to_owned()
        } else if name.len() > 32 || !name.bytes().all(valid) {
            format!(
                "Telegram custom command \"/{name}\" is invalid (use a-z, 0-9, underscore; max 32 chars)."
            )
        } else if NATIVE_COMMANDS.contains(&name.as_str()) {
            format!("Telegram custom command \"/{name}\" conflicts with a native command.")
        } else if seen.contains(&name) {
            format!("Telegram custom command \"/{name}\" is duplicated.")
        } else {
            seen.push(name);
            continue;
        };
        issues.push(Issue::new(path, message));
    }
}
