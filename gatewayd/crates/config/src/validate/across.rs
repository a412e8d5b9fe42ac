//! The remaining rules between keys, and the doubts that do not make a configuration invalid.

use serde_json::{Map, Value};

use super::suggest::closest;
use crate::issue::Issue;
use crate::sections::{Network, normal_agent_id};

/// Plugins that come with the original.
const BUNDLED_PLUGINS: [&str; 29] = [
    "bluebubbles",
    "copilot-proxy",
    "diagnostics-otel",
    "discord",
    "google-antigravity-auth",
    "google-gemini-cli-auth",
    "googlechat",
    "imessage",
    "line",
    "llm-task",
    "lobster",
    "matrix",
    "mattermost",
    "memory-core",
    "memory-lancedb",
    "msteams",
    "nextcloud-talk",
    "nostr",
    "open-prose",
    "qwen-portal-auth",
    "signal",
    "slack",
    "telegram",
    "tlon",
    "twitch",
    "voice-call",
    "whatsapp",
    "zalo",
    "zalouser",
];

pub(super) fn check(config: &Value, issues: &mut Vec<Issue>, warnings: &mut Vec<Issue>) {
    browser_profiles(config, issues);
    broadcast(config, issues);
    executables(config, issues);
    plugins(config, warnings);
    proxies(config, warnings);
    let main_key = config.pointer("/session/mainKey").and_then(Value::as_str).map(str::trim);
    if main_key.is_some_and(|key| !key.is_empty() && key != "main") {
        warnings.push(Issue::new(
            "session.mainKey",
            "session.mainKey is ignored; main session is always \"main\".",
        ));
    }
}

fn browser_profiles(config: &Value, issues: &mut Vec<Issue>) {
    let profiles = config.pointer("/browser/profiles").and_then(Value::as_object);
    for (name, profile) in profiles.into_iter().flatten() {
        let path = format!("browser.profiles.{name}");
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            issues.push(Issue::new(&path, "Profile names must be lower-case letters, digits and hyphens"));
        }
        if profile.get("cdpPort").is_none() && profile.get("cdpUrl").is_none() {
            issues.push(Issue::new(&path, "Profile must set cdpPort or cdpUrl"));
        }
    }
}

fn broadcast(config: &Value, issues: &mut Vec<Issue>) {
    let list = config.pointer("/agents/list").and_then(Value::as_array);
    let Some(list) = list.filter(|list| !list.is_empty()) else { return };
    let ids: Vec<&str> = list.iter().filter_map(|agent| agent.get("id")?.as_str()).collect();
    let groups = config.get("broadcast").and_then(Value::as_object);
    for (peer, agents) in groups.into_iter().flatten().filter(|(peer, _)| *peer != "strategy") {
        for (i, agent) in agents.as_array().into_iter().flatten().enumerate() {
            let Some(agent) = agent.as_str() else { continue };
            if !ids.iter().any(|id| *id == agent || normal_agent_id(id) == agent) {
                let hint = closest(agent, ids.iter().copied()).map(|id| format!("did you mean \"{id}\"?"));
                let message = format!("Unknown agent id \"{agent}\" (not in agents.list).");
                issues.push(Issue { path: format!("broadcast.{peer}.{i}"), message, hint });
            }
        }
    }
}

/// Values that are run as programs.
fn executables(config: &Value, issues: &mut Vec<Issue>) {
    let mut check = |path: String, value: Option<&Value>| {
        if let Some(text) = value.and_then(Value::as_str)
            && !is_safe_executable(text)
        {
            issues.push(Issue::new(path, "expected safe executable name or path"));
        }
    };
    for id in ["signal", "imessage"] {
        let Some(block) = config.pointer(&format!("/channels/{id}")) else { continue };
        check(format!("channels.{id}.cliPath"), block.get("cliPath"));
        for (name, account) in block.get("accounts").and_then(Value::as_object).into_iter().flatten() {
            check(format!("channels.{id}.accounts.{name}.cliPath"), account.get("cliPath"));
        }
    }
    let lists = ["media", "media.image", "media.audio", "media.video", "links"];
    for list in lists {
        let models = config.pointer(&format!("/tools/{}/models", list.replace('.', "/")));
        for (i, model) in models.and_then(Value::as_array).into_iter().flatten().enumerate() {
            check(format!("tools.{list}.models.{i}.command"), model.get("command"));
        }
    }
    let transcription = config.pointer("/audio/transcription/command").and_then(Value::as_array);
    if let Some(command) = transcription {
        check("audio.transcription.command.0".to_owned(), command.first());
    }
}

/// A bare program name, or a path; nothing a shell or an option parser would take for more than that.
fn is_safe_executable(text: &str) -> bool {
    let text = text.trim();
    let bad = |c: char| c.is_control() || matches!(c, ';' | '&' | '|' | '`' | '$' | '<' | '>' | '"' | '\'');
    if text.is_empty() || text.chars().any(bad) {
        return false;
    }
    let drive = text.as_bytes().get(1) == Some(&b':') && text.as_bytes()[0].is_ascii_alphabetic();
    if text.starts_with(['.', '~']) || text.contains(['/', '\\']) || drive {
        return true;
    }
    !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'+' | b'-'))
}

fn plugins(config: &Value, warnings: &mut Vec<Issue>) {
    let Some(plugins) = config.get("plugins").and_then(Value::as_object) else { return };
    let installed = plugins.get("installs").and_then(Value::as_object);
    let elsewhere = plugins.get("load").and_then(|l| l.get("paths")).and_then(Value::as_array);
    if elsewhere.is_some_and(|paths| !paths.is_empty()) {
        return;
    }
    let known = |id: &str| BUNDLED_PLUGINS.contains(&id) || installed.is_some_and(|map| map.contains_key(id));
    let entries = plugins.get("entries").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    let entries = entries.map(|id| (format!("plugins.entries.{id}"), id.as_str()));
    let lists = ["allow", "deny"].into_iter().flat_map(|list| {
        let ids = plugins.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        ids.map(move |id| (format!("plugins.{list}"), id))
    });
    let slot = plugins.get("slots").and_then(|slots| slots.get("memory")).and_then(Value::as_str);
    let slot = slot.filter(|id| *id != "none").map(|id| ("plugins.slots.memory".to_owned(), id));
    for (path, id) in entries.chain(lists).chain(slot) {
        if !known(id) {
            warnings.push(Issue::new(path, format!("plugin not found: {id}")));
        }
    }
}

fn proxies(config: &Value, warnings: &mut Vec<Issue>) {
    let list = config.pointer("/gateway/trustedProxies").and_then(Value::as_array);
    for (i, entry) in list.into_iter().flatten().enumerate() {
        let Some(text) = entry.as_str() else { continue };
        if text.parse::<Network>().is_err() {
            let message =
                format!("\"{text}\" is not an IP address or CIDR range, so it never matches a proxy");
            warnings.push(Issue::new(format!("gateway.trustedProxies.{i}"), message));
        }
    }
}
