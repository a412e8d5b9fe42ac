//! `devices`: who is paired, who asks to be, and their tokens.

use gateway_base::clock::iso_utc;
use serde_json::{Value, json};

use crate::app::App;
use crate::args::DevicesCommand;
use crate::exit::{Exit, Failure};
use crate::gateway;
use crate::phrase::age;
use crate::text::{Style, Text};

/// Runs one of the commands.
pub async fn run(app: &App, command: &DevicesCommand) -> Result<Exit, Failure> {
    let (method, params) = request(command);
    let answer = gateway::call(app, command.client(), method, params, false).await?;
    if app.out.is_json() {
        app.out.json(&answer)?;
    } else {
        app.out.print(&render(command, &answer, app.clock.now()))?;
    }
    Ok(Exit::Ok)
}

fn request(command: &DevicesCommand) -> (&'static str, Value) {
    match command {
        DevicesCommand::List { .. } => ("device.pair.list", json!({})),
        DevicesCommand::Approve { request, .. } => ("device.pair.approve", json!({"requestId": request})),
        DevicesCommand::Reject { request, .. } => ("device.pair.reject", json!({"requestId": request})),
        DevicesCommand::Rotate { device, scopes, .. } => {
            let mut params = json!({"deviceId": device.device, "role": device.role});
            if !scopes.is_empty() {
                params["scopes"] = json!(scopes);
            }
            ("device.token.rotate", params)
        }
        DevicesCommand::Revoke { device, .. } => {
            ("device.token.revoke", json!({"deviceId": device.device, "role": device.role}))
        }
    }
}

fn render(command: &DevicesCommand, answer: &Value, now: i64) -> Text {
    let mut text = Text::default();
    let word = |key: &str| answer[key].as_str().unwrap_or("?");
    match command {
        DevicesCommand::List { .. } => return list(answer, now),
        DevicesCommand::Approve { .. } => {
            let device = &answer["device"];
            text.styled(Style::Good, format!("✓ approved {}", name(device)));
            text.push(format!("  device {}", field(device, "deviceId")).into());
        }
        DevicesCommand::Reject { .. } => text.styled(Style::Good, format!("✓ rejected {}", word("deviceId"))),
        DevicesCommand::Rotate { .. } => {
            text.styled(Style::Good, format!("✓ new token for {} as {}", word("deviceId"), word("role")));
            text.push(format!("Token: {}", word("token")).into());
            text.push(format!("Scopes: {}", joined(&answer["scopes"])).into());
        }
        DevicesCommand::Revoke { .. } => {
            text.styled(Style::Good, format!("✓ token of {} as {} revoked", word("deviceId"), word("role")));
            text.say("Connections that are open stay open.");
        }
    }
    text
}

fn list(answer: &Value, now: i64) -> Text {
    let none = Vec::new();
    let rows = |key: &str| answer[key].as_array().unwrap_or(&none);
    let mut text = Text::default();
    text.styled(Style::Strong, format!("Pending ({})", rows("pending").len()));
    for request in rows("pending") {
        let asked = request["ts"]
            .as_i64()
            .map(|ts| format!(", asked {} ago", age(now.saturating_sub(ts))))
            .unwrap_or_default();
        let from = request["remoteIp"].as_str().map(|ip| format!(" from {ip}")).unwrap_or_default();
        text.push(format!("- {}: {}{from}{asked}", field(request, "requestId"), name(request)).into());
        text.push(
            format!(
                "  {} · wants {} · {}",
                field(request, "deviceId"),
                roles(request),
                joined(&request["scopes"])
            )
            .into(),
        );
    }
    text.gap();
    text.styled(Style::Strong, format!("Paired ({})", rows("paired").len()));
    for device in rows("paired") {
        text.push(format!("- {}: {}", field(device, "deviceId"), name(device)).into());
        let since = device["approvedAtMs"].as_i64().map(iso_utc).unwrap_or_else(|| "?".to_owned());
        text.push(format!("  {} · {} · since {since}", roles(device), joined(&device["scopes"])).into());
        for token in device["tokens"].as_array().unwrap_or(&none) {
            let state = match (token["revokedAtMs"].as_i64(), token["lastUsedAtMs"].as_i64()) {
                (Some(at), _) => format!("revoked {} ago", age(now.saturating_sub(at))),
                (None, Some(at)) => format!("used {} ago", age(now.saturating_sub(at))),
                (None, None) => "not used yet".to_owned(),
            };
            text.push(
                format!("  token {}: {} · {state}", field(token, "role"), joined(&token["scopes"])).into(),
            );
        }
    }
    text
}

fn field<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or("?")
}

fn name(of: &Value) -> String {
    let shown = of["displayName"].as_str().or_else(|| of["clientId"].as_str()).unwrap_or("unnamed");
    match of["platform"].as_str() {
        Some(platform) => format!("{shown} ({platform})"),
        None => shown.to_owned(),
    }
}

fn roles(of: &Value) -> String {
    match &of["roles"] {
        Value::Array(roles) if !roles.is_empty() => joined(&of["roles"]),
        _ => field(of, "role").to_owned(),
    }
}

fn joined(list: &Value) -> String {
    let words: Vec<&str> = list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if words.is_empty() { "no scopes".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    fn answer() -> Value {
        json!({
            "pending": [{"requestId": "r1", "deviceId": "d1", "publicKey": "k", "displayName": "Phone\u{1b}[2J", "platform": "iOS 18.2",
                "role": "node", "roles": ["node"], "remoteIp": "192.168.1.7", "silent": false, "ts": 1_000_000}],
            "paired": [{"deviceId": "d2", "publicKey": "k", "clientId": "cli", "platform": "linux", "role": "operator",
                "roles": ["operator"], "scopes": ["operator.admin"], "createdAtMs": 0, "approvedAtMs": 0,
                "tokens": [{"role": "operator", "scopes": ["operator.admin"], "createdAtMs": 0, "lastUsedAtMs": 940_000}]}],
        })
    }

    #[test]
    fn the_list_is_readable_and_harmless() {
        insta::assert_snapshot!(list(&answer(), 1_060_000).plain(), @r"
        Pending (1)
        - r1: Phone\u{1b}[2J (iOS 18.2) from 192.168.1.7, asked 1m ago
          d1 · wants node · no scopes

        Paired (1)
        - d2: cli (linux)
          operator · operator.admin · since 1970-01-01T00:00:00.000Z
          token operator: operator.admin · used 2m ago
        ");
        assert_schema("devices-list", &answer());
        assert_schema("devices-approve", &json!({"requestId": "r1", "device": answer()["paired"][0]}));
        assert_schema("devices-reject", &json!({"requestId": "r1", "deviceId": "d1"}));
        assert_schema(
            "devices-rotate",
            &json!({"deviceId": "d", "role": "operator", "token": "t", "scopes": [], "rotatedAtMs": 1}),
        );
        assert_schema("devices-revoke", &json!({"deviceId": "d", "role": "operator", "revokedAtMs": 1}));
        let _ = list(&json!({"pending": [1], "paired": "x"}), 0);
    }

    #[test]
    fn scopes_are_sent_only_when_given() {
        use clap::Parser;
        let parse =
            |line: &str| crate::args::Cli::try_parse_from(line.split_whitespace()).expect("parses").command;
        let crate::args::Command::Devices(rotate) = parse("x devices rotate --device d --role operator")
        else {
            panic!("devices")
        };
        assert_eq!(request(&rotate), ("device.token.rotate", json!({"deviceId": "d", "role": "operator"})));
        let crate::args::Command::Devices(rotate) =
            parse("x devices rotate --device d --role r --scope a --scope b")
        else {
            panic!("devices")
        };
        assert_eq!(request(&rotate).1["scopes"], json!(["a", "b"]));
    }
}
