//! The text of `probe`: several targets side by side, and each in the original's form.

use serde_json::Value;

use super::discovery;
use super::report::{Report, TargetReport};
use super::table::table;
use crate::text::{Line, Style, Text};

/// What was asked: whether there is a gateway, and what is odd about it.
pub fn verdict(report: &Report) -> Text {
    let mut text = Text::default();
    text.styled(Style::Strong, "Gateway Status");
    let (style, word) = if report.ok {
        (Style::Good, "yes")
    } else if report.targets.iter().any(|target| target.refused) {
        (Style::Bad, "no (refused)")
    } else {
        (Style::Bad, "no")
    };
    text.push(Line::from("Reachable: ").with(style, word));
    text.say(format!("Probe budget: {}ms", report.timeout_ms));
    if !report.warnings.is_empty() {
        text.gap();
        text.styled(Style::Warn, "Warning:");
        for warning in &report.warnings {
            text.say(format!("- {}", warning.message));
        }
    }
    text
}

/// Who else was found, and each target in full.
pub fn details(report: &Report) -> Text {
    let mut text = Text::default();
    if let Some(found) = &report.discovery {
        text.push(Line::default());
        discovery::render(&mut text, found);
    }
    text.push(Line::default());
    text.styled(Style::Strong, "Targets");
    if report.targets.len() > 1 {
        text.append(table(&report.targets));
        text.gap();
    }
    for (index, of) in report.targets.iter().enumerate() {
        if index > 0 {
            text.gap();
        }
        target(&mut text, of);
    }
    text
}

fn target(text: &mut Text, of: &TargetReport) {
    text.push(format!("{} {}", of.of.heading(), of.url).into());
    if let Some(tunnel) = of.tunnel.as_ref().and_then(|tunnel| tunnel["target"].as_str()) {
        text.push(format!("  ssh: {tunnel}").into());
    }
    answer(text, of);
    if !of.timing.is_empty() {
        let steps: Vec<String> = of.timing.iter().map(|(step, took)| format!("{step} {took}ms")).collect();
        text.push(format!("  Timing: {}", steps.join(" · ")).into());
    }
}

fn answer(text: &mut Text, of: &TargetReport) {
    if !of.connect.ok {
        let why = of.connect.error.as_deref().unwrap_or("timeout");
        text.push(
            Line::from("  Connect: ").with(Style::Bad, "failed").with(Style::Plain, format!(" - {why}")),
        );
        return;
    }
    let took = of.connect.latency_ms.map(|ms| format!(" ({ms}ms)")).unwrap_or_default();
    let line =
        Line::from("  Connect: ").with(Style::Good, "ok").with(Style::Plain, format!("{took} · RPC: "));
    text.push(match &of.rpc_error {
        None => line.with(Style::Good, "ok"),
        Some(error) => line.with(Style::Bad, "failed").with(Style::Plain, format!(" - {error}")),
    });
    if let Some(own) = &of.own {
        let word = |key: &str| own[key].as_str().unwrap_or("unknown");
        let ip = own["ip"].as_str().map(|ip| format!(" ({ip})")).unwrap_or_default();
        text.push(
            format!("  Gateway: {}{ip} · {} · app {}", word("host"), word("platform"), word("version"))
                .into(),
        );
    }
    if let Some(config) = &of.config {
        let word = match config["discovery"]["wideAreaEnabled"] {
            Value::Bool(true) => "enabled",
            Value::Bool(false) => "disabled",
            _ => "unknown",
        };
        text.say(format!("  Wide-area discovery: {word}"));
    }
}
