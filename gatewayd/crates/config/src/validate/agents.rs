//! Rules of agents: own folders, pictures inside the workspace, heartbeats that can be kept.

use std::path::{Component, Path};

use indexmap::IndexMap;
use serde_json::Value;

use super::channels;
use crate::issue::Issue;
use crate::load::Place;
use crate::sections::{normal_agent_id, parse_ms};

pub(super) fn check(config: &Value, place: &Place<'_>, issues: &mut Vec<Issue>) {
    let list = config.pointer("/agents/list").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    agent_dirs(list, place, issues);
    for (i, agent) in list.iter().enumerate() {
        let path = format!("agents.list.{i}");
        if let Some(avatar) = agent.pointer("/identity/avatar").and_then(Value::as_str)
            && let Some(message) = avatar_problem(avatar)
        {
            issues.push(Issue::new(format!("{path}.identity.avatar"), message));
        }
        heartbeat(config, agent.get("heartbeat"), &format!("{path}.heartbeat"), issues);
    }
    heartbeat(config, config.pointer("/agents/defaults/heartbeat"), "agents.defaults.heartbeat", issues);
}

fn agent_dirs(list: &[Value], place: &Place<'_>, issues: &mut Vec<Issue>) {
    let mut by_dir: IndexMap<std::path::PathBuf, Vec<String>> = IndexMap::new();
    for agent in list {
        let id = normal_agent_id(agent.get("id").and_then(Value::as_str).unwrap_or("main"));
        let dir = agent.get("agentDir").and_then(Value::as_str).map(str::trim).filter(|dir| !dir.is_empty());
        let dir =
            dir.map_or_else(|| crate::sections::agent_dir(place.paths, &id), |dir| place.paths.expand(dir));
        by_dir.entry(dir).or_default().push(id);
    }
    let clashes: Vec<String> = by_dir
        .iter()
        .filter(|(_, ids)| ids.len() > 1)
        .map(|(dir, ids)| {
            let ids: Vec<String> = ids.iter().map(|id| format!("\"{id}\"")).collect();
            format!("- {}: {}", dir.display(), ids.join(", "))
        })
        .collect();
    if !clashes.is_empty() {
        let message = format!(
            "Duplicate agentDir detected (multi-agent config).\n{}\nGive each agent its own id or agentDir: two \
             agents in one folder would share credentials and sessions.",
            clashes.join("\n")
        );
        issues.push(Issue::new("agents.list", message));
    }
}

fn avatar_problem(avatar: &str) -> Option<&'static str> {
    let avatar = avatar.trim();
    let lower = avatar.to_ascii_lowercase();
    if avatar.is_empty() || ["http://", "https://", "data:"].iter().any(|scheme| lower.starts_with(scheme)) {
        return None;
    }
    let has_scheme = avatar.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    });
    if avatar.starts_with(['~', '/', '\\']) || has_scheme {
        return Some("identity.avatar must be a workspace-relative path, http(s) URL, or data URI.");
    }
    let mut depth = 0_i32;
    for part in Path::new(&avatar.replace('\\', "/")).components() {
        depth += match part {
            Component::ParentDir => -1,
            Component::Normal(_) => 1,
            _ => 0,
        };
        if depth < 0 {
            return Some("identity.avatar must stay within the agent workspace.");
        }
    }
    None
}

fn heartbeat(config: &Value, block: Option<&Value>, path: &str, issues: &mut Vec<Issue>) {
    let Some(block) = block else { return };
    let text = |key: &str| block.get(key).and_then(Value::as_str);
    if let Some(every) = text("every")
        && parse_ms(every).is_none()
    {
        issues.push(Issue::new(format!("{path}.every"), "invalid duration (use ms, s, m, h)"));
    }
    if let Some(target) = text("target") {
        let target = target.trim().to_lowercase();
        let message = match target.as_str() {
            "" => Some("heartbeat target must not be empty".to_owned()),
            "last" | "none" => None,
            id if channels::is_known(config, id) => None,
            id => Some(format!("unknown heartbeat target: {id}")),
        };
        issues.extend(message.map(|message| Issue::new(format!("{path}.target"), message)));
    }
    for (key, latest) in [("start", "23:59"), ("end", "24:00")] {
        let time = block.pointer(&format!("/activeHours/{key}")).and_then(Value::as_str);
        if time.is_some_and(|time| !is_time(time) || time > latest) {
            let message = "invalid time (use \"HH:MM\" 24h format)";
            issues.push(Issue::new(format!("{path}.activeHours.{key}"), message));
        }
    }
}

/// `HH:MM` from 00:00 to 24:00.
fn is_time(text: &str) -> bool {
    let Some((hours, minutes)) = text.split_once(':') else { return false };
    let two = |part: &str| -> Option<u8> {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok()).flatten()
    };
    matches!((two(hours), two(minutes)), (Some(0..=23), Some(0..=59)) | (Some(24), Some(0)))
}
