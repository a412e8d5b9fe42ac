//! The text of `health`: the tutorial's three lines, then the channels in the original's words.

use serde_json::Value;

use super::parts::Part;
use crate::phrase::age;
use crate::text::{Line, Style, Text};

/// The text for a gateway that answered. `healthy` and `parts` are the daemon's word, when it could be asked.
pub fn render(health: &Value, healthy: bool, parts: &[Part], verbose: Option<&Text>) -> Text {
    let mut text = Text::default();
    let line = |style, mark: &str, rest: &str| {
        Line::default().with(style, mark).with(Style::Plain, format!(" {rest}"))
    };
    if healthy {
        text.push(line(Style::Good, "✓", "Gateway is healthy"));
    } else {
        text.push(line(Style::Bad, "✗", "Gateway is not healthy"));
    }
    text.push(line(Style::Good, "✓", "WebSocket connection: OK"));
    text.push(line(Style::Good, "✓", "RPC methods: available"));
    for part in parts.iter().filter(|part| part.is_troubled()) {
        text.push(part.line());
    }
    if let Some(details) = verbose {
        text.say("Gateway connection:");
        for detail in details.plain().lines() {
            text.say(format!("  {detail}"));
        }
    }
    for channel in channel_lines(health) {
        text.push(channel.into());
    }
    if verbose.is_some() {
        agents(&mut text, health);
    }
    text
}

/// One line per channel, in the gateway's order.
fn channel_lines(health: &Value) -> Vec<String> {
    let Some(channels) = health["channels"].as_object() else { return Vec::new() };
    let order = health["channelOrder"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut ids: Vec<&str> = order.filter(|id| channels.contains_key(*id)).collect();
    ids.extend(
        channels
            .keys()
            .map(String::as_str)
            .filter(|id| !health["channelOrder"].as_array().is_some_and(|o| o.iter().any(|x| x == id))),
    );
    ids.into_iter()
        .map(|id| {
            let label = health["channelLabels"][id].as_str().unwrap_or(id);
            format!("{label}: {}", channel(&channels[id]))
        })
        .collect()
}

fn channel(of: &Value) -> String {
    if let Some(linked) = of["linked"].as_bool() {
        let since = of["authAgeMs"].as_i64().map(|ms| format!(" (auth age {})", age(ms))).unwrap_or_default();
        return if linked { format!("linked{since}") } else { "not linked".to_owned() };
    }
    let probe = &of["probe"];
    match probe["ok"].as_bool() {
        Some(true) => {
            let bot = probe["bot"]["username"].as_str().map(|name| format!(" (@{name})")).unwrap_or_default();
            let took = probe["elapsedMs"].as_u64().map(|ms| format!(" ({ms}ms)")).unwrap_or_default();
            let hook = probe["webhook"]["url"].as_str().filter(|url| !url.is_empty());
            let hook = hook.map(|url| format!(" - webhook {url}")).unwrap_or_default();
            format!("ok{bot}{took}{hook}")
        }
        Some(false) => {
            let status =
                probe["status"].as_u64().map_or_else(|| "unknown".to_owned(), |status| status.to_string());
            let error = probe["error"].as_str().map(|error| format!(" - {error}")).unwrap_or_default();
            format!("failed ({status}){error}")
        }
        None => match of["configured"].as_bool() {
            Some(true) => "configured".to_owned(),
            Some(false) => "not configured".to_owned(),
            None => "unknown".to_owned(),
        },
    }
}

fn agents(text: &mut Text, health: &Value) {
    let none = Vec::new();
    let agents = health["agents"].as_array().unwrap_or(&none);
    let id = |agent: &Value| agent["agentId"].as_str().unwrap_or("?").to_owned();
    let named: Vec<String> = agents
        .iter()
        .map(|agent| if agent["isDefault"] == true { format!("{} (default)", id(agent)) } else { id(agent) })
        .collect();
    text.push(format!("Agents: {}", named.join(", ")).into());
    let beats: Vec<String> = agents
        .iter()
        .map(|agent| {
            let every = if agent["heartbeat"]["enabled"] == true {
                agent["heartbeat"]["every"].as_str()
            } else {
                None
            };
            format!("{} ({})", every.unwrap_or("disabled"), id(agent))
        })
        .collect();
    text.push(format!("Heartbeat interval: {}", beats.join(", ")).into());
    for agent in agents {
        let sessions = &agent["sessions"];
        let path = sessions["path"].as_str().unwrap_or("?");
        let count = sessions["count"].as_u64().unwrap_or_default();
        text.push(format!("Session store ({}): {path} ({count} entries)", id(agent)).into());
        for recent in sessions["recent"].as_array().into_iter().flatten().take(5) {
            let ago = recent["age"].as_i64().map(|ms| format!(" ({}m ago)", ms / 60_000)).unwrap_or_default();
            text.push(format!("- {}{ago}", recent["key"].as_str().unwrap_or("?")).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cmds::testing::assert_schema;

    fn health() -> Value {
        json!({
            "ok": true, "ts": 1, "durationMs": 0,
            "channels": {
                "slack": {"configured": true}, "discord": {"configured": false}, "x": {},
                "whatsapp": {"linked": true, "authAgeMs": 720_000},
                "telegram": {"probe": {"ok": true, "elapsedMs": 120, "bot": {"username": "bot"}, "webhook": {"url": "https://h"}}},
                "signal": {"probe": {"ok": false, "status": 401, "error": "Unauthorized\u{1b}["}},
            },
            "channelOrder": ["whatsapp", "telegram", "gone"],
            "channelLabels": {"whatsapp": "WhatsApp", "telegram": "Telegram", "slack": "Slack"},
            "heartbeatSeconds": 1800, "defaultAgentId": "main",
            "agents": [{"agentId": "main", "isDefault": true,
                "heartbeat": {"enabled": true, "every": "30m", "everyMs": 1_800_000, "prompt": "p", "target": "last", "ackMaxChars": 300},
                "sessions": {"path": "/s.json", "count": 1, "recent": [{"key": "k", "updatedAt": 1, "age": 120_000}]}}],
            "sessions": {"path": "/s.json", "count": 1, "recent": []},
        })
    }

    #[test]
    fn the_tutorials_lines_come_first() {
        let plain = render(&json!({"channels": {}}), true, &[], None).plain();
        assert_eq!(plain, "✓ Gateway is healthy\n✓ WebSocket connection: OK\n✓ RPC methods: available\n");
    }

    #[test]
    fn channels_and_details_read_as_the_original_writes_them() {
        let mut details = Text::default();
        details.say("Gateway target: ws://127.0.0.1:18789");
        insta::assert_snapshot!(render(&health(), true, &[], Some(&details)).plain(), @r"
        ✓ Gateway is healthy
        ✓ WebSocket connection: OK
        ✓ RPC methods: available
        Gateway connection:
          Gateway target: ws://127.0.0.1:18789
        WhatsApp: linked (auth age 12m)
        Telegram: ok (@bot) (120ms) - webhook https://h
        Slack: configured
        discord: not configured
        x: unknown
        signal: failed (401) - Unauthorized\u{1b}[
        Agents: main (default)
        Heartbeat interval: 30m (main)
        Session store (main): /s.json (1 entries)
        - k (2m ago)
        ");
        assert_schema("health", &health());
    }

    #[test]
    fn a_failed_part_is_not_healthy() {
        let part =
            Part { name: "store".to_owned(), state: "failed", reason: "disk full".to_owned(), since: None };
        let plain = render(&health(), false, &[part], None).plain();
        assert!(plain.starts_with("✗ Gateway is not healthy\n"), "{plain}");
        assert!(plain.contains("✗ store: failed - disk full\n"));
    }

    #[test]
    fn a_channel_is_one_line_whatever_it_says() {
        let said = json!({"channels": {"x": {"probe": {"ok": false, "error": "no\n✓ all is well"}}}});
        let plain = render(&said, true, &[], None).plain();
        assert!(plain.ends_with("\nx: failed (unknown) - no\\n✓ all is well\n"), "{plain}");
    }
}
