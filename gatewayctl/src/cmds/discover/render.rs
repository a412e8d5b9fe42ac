//! The text of `discover`, in the original's form.

use super::report::{Found, Report};
use crate::text::{Line, Style, Text};

/// The longest name or value that is shown.
const SHOWN: usize = 255;

/// The report for people.
pub fn render(report: &Report) -> Text {
    let mut text = Text::default();
    text.styled(Style::Strong, "Gateway Discovery");
    text.say(format!("Found {} gateway(s) · domains: {}", report.count, report.domains.join(", ")));
    for found in &report.beacons {
        gateway(&mut text, found);
    }
    text
}

fn gateway(text: &mut Text, found: &Found) {
    let beacon = &found.beacon;
    let title = Line::from("- ").with(Style::Strong, short(beacon.name()));
    text.push(title.with(Style::Faint, format!(" {}", beacon.domain)));
    let tls = beacon.gateway_tls.filter(|on| *on).map(|_| match &beacon.gateway_tls_fingerprint_sha256 {
        Some(fingerprint) => format!("sha256 {fingerprint}"),
        None => "enabled".to_owned(),
    });
    let ssh = beacon.ssh_port.zip(beacon.best_host()).map(|(port, host)| {
        let gateway = beacon.gateway_port.or(beacon.port).unwrap_or(gateway_base::paths::DEFAULT_PORT);
        format!("ssh -N -L 18789:127.0.0.1:{gateway} <user>@{host} -p {port}")
    });
    let lines = [
        ("tailnet", &beacon.tailnet_dns),
        ("lan", &beacon.lan_host),
        ("host", &beacon.host),
        ("ws", &found.ws_url),
        ("role", &beacon.role),
        ("transport", &beacon.transport),
        ("tls", &tls),
        ("ssh", &ssh),
    ];
    for (label, value) in lines {
        if let Some(value) = value {
            text.push(
                Line::from("  ").with(Style::Faint, label).with(Style::Plain, format!(": {}", short(value))),
            );
        }
    }
}

fn short(text: &str) -> &str {
    let end = text.char_indices().nth(SHOWN).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gateway_discovery::Beacon;

    use super::*;
    use crate::cmds::testing::assert_schema;

    fn report(beacons: Vec<Beacon>) -> Report {
        let report = Report::new(Duration::from_secs(2), beacons);
        assert_schema("discover", &report);
        report
    }

    fn beacon() -> Beacon {
        Beacon {
            instance_name: "Studio (Clawdbot)".to_owned(),
            domain: "local.".to_owned(),
            display_name: Some("Studio".to_owned()),
            host: Some("studio.local".to_owned()),
            port: Some(18789),
            lan_host: Some("studio.local".to_owned()),
            gateway_port: Some(18789),
            role: Some("gateway".to_owned()),
            transport: Some("gateway".to_owned()),
            ..Beacon::default()
        }
    }

    #[test]
    fn nobody_reads_as_the_original_writes_it() {
        assert_eq!(
            render(&report(Vec::new())).plain(),
            "Gateway Discovery\nFound 0 gateway(s) · domains: local., clawdbot.internal.\n"
        );
    }

    #[test]
    fn a_gateway_is_told_line_by_line() {
        let full = Beacon {
            tailnet_dns: Some("studio.tail1.ts.net".to_owned()),
            ssh_port: Some(22),
            gateway_tls: Some(true),
            gateway_tls_fingerprint_sha256: Some("ab".repeat(32)),
            cli_path: Some("/usr/bin/gatewayctl".to_owned()),
            txt: [("role".to_owned(), "gateway".to_owned())].into(),
            ..beacon()
        };
        let tls = Beacon {
            instance_name: "x".to_owned(),
            domain: "clawdbot.internal.".to_owned(),
            gateway_tls: Some(true),
            ..Beacon::default()
        };
        insta::assert_snapshot!(render(&report(vec![beacon(), full, tls])).plain(), @r"
        Gateway Discovery
        Found 3 gateway(s) · domains: local., clawdbot.internal.
        - Studio local.
          lan: studio.local
          host: studio.local
          ws: ws://studio.local:18789
          role: gateway
          transport: gateway
        - Studio local.
          tailnet: studio.tail1.ts.net
          lan: studio.local
          host: studio.local
          ws: wss://studio.tail1.ts.net:18789
          role: gateway
          transport: gateway
          tls: sha256 abababababababababababababababababababababababababababababababab
          ssh: ssh -N -L 18789:127.0.0.1:18789 <user>@studio.tail1.ts.net -p 22
        - x clawdbot.internal.
          tls: enabled
        ");
    }

    #[test]
    fn what_others_say_is_shown_and_not_obeyed() {
        let hostile = Beacon {
            display_name: Some(format!("\u{1b}[2J\n  ws: ws://bank{}", "x".repeat(5000))),
            role: Some("\u{7}".to_owned()),
            ..beacon()
        };
        let text = render(&report(vec![hostile])).plain();
        assert!(
            text.contains("- \\u{1b}[2J\\n  ws: ws://bankxxx") && text.contains("role: \\u{7}\n"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.len() < 400), "{text}");
    }
}
