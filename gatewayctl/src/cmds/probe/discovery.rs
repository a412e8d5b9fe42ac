//! The part of `probe` that looks for other gateways, beside the probes.

use std::time::Duration;

use gateway_base::env::Env;
use gateway_discovery::Beacon;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::discovery;
use crate::output::Output;
use crate::text::{Style, Text, clean, cut_to_width};

/// The longest that is looked.
pub const LONGEST: Duration = Duration::from_millis(1200);

/// How many of those that were found are shown.
const SHOWN: usize = 20;
/// The widest name, and the widest address: what announces itself may call itself anything.
const NAME: usize = 40;
const ADDRESS: usize = 60;

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Discovery {
    /// How long each domain might take.
    pub timeout_ms: u64,
    /// How many there are.
    pub count: usize,
    /// The gateways.
    pub beacons: Vec<Found>,
}

/// A gateway that announces itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    instance_name: String,
    display_name: Option<String>,
    domain: String,
    host: Option<String>,
    lan_host: Option<String>,
    tailnet_dns: Option<String>,
    gateway_port: Option<u16>,
    ssh_port: Option<u16>,
    ws_url: Option<String>,
}

impl From<Beacon> for Found {
    fn from(beacon: Beacon) -> Self {
        Self {
            ws_url: beacon.ws_url(),
            instance_name: beacon.instance_name,
            display_name: beacon.display_name,
            domain: beacon.domain,
            host: beacon.host,
            lan_host: beacon.lan_host,
            tailnet_dns: beacon.tailnet_dns,
            gateway_port: beacon.gateway_port,
            ssh_port: beacon.ssh_port,
        }
    }
}

/// Looks for as long as the probes may take. `None` when that could not be done, or where the environment wants no
/// mDNS: a count of zero would be a claim.
pub async fn look(out: &Output, env: &Env, timeout: Duration) -> Option<Discovery> {
    if env.truthy("CLAWDBOT_DISABLE_BONJOUR") {
        return None;
    }
    let limit = timeout.min(LONGEST);
    match Box::pin(discovery::beacons(limit)).await {
        Ok(beacons) => Some(summary(limit, beacons)),
        Err(error) => {
            let mut text = Text::default();
            text.styled(Style::Warn, format!("Other gateways were not looked for: {error}"));
            out.note(&text);
            None
        }
    }
}

fn summary(limit: Duration, beacons: Vec<Beacon>) -> Discovery {
    Discovery {
        timeout_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
        count: beacons.len(),
        beacons: beacons.into_iter().map(Found::from).collect(),
    }
}

/// The section for people.
pub fn render(text: &mut Text, found: &Discovery) {
    text.styled(Style::Strong, "Discovery (this machine)");
    if found.count == 0 {
        text.say("Found 0 gateways via Bonjour (local. + clawdbot.internal.)");
        text.say(
            "Tip: if the gateway is remote, mDNS won\u{2019}t cross networks; use Wide-Area Bonjour (split DNS) or SSH tunnels.",
        );
    } else {
        text.say(format!("Found {} gateway(s) via Bonjour (local. + clawdbot.internal.)", found.count));
        side_by_side(text, &found.beacons);
    }
}

/// One line each; `discover` tells the rest.
fn side_by_side(text: &mut Text, found: &[Found]) {
    let rows: Vec<[String; 3]> = found.iter().take(SHOWN).map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or_default();
    let (first, second) = (width(0), width(1));
    let pad = |cell: &str, width: usize| format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())));
    for [name, address, domain] in &rows {
        text.push(format!("- {}  {}  {domain}", pad(name, first), pad(address, second)).into());
    }
    if found.len() > rows.len() {
        text.say(format!("  and {} more", found.len() - rows.len()));
    }
}

fn row(of: &Found) -> [String; 3] {
    let cell = |value: Option<&str>, most| {
        let text = clean(value.unwrap_or("-"));
        if text.width() > most { cut_to_width(&text, most) } else { text.into_owned() }
    };
    let name = of.display_name.as_deref().unwrap_or(&of.instance_name);
    [cell(Some(name), NAME), cell(of.ws_url.as_deref(), ADDRESS), cell(Some(&of.domain), NAME)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_section_reads_as_the_original_writes_it() {
        let mut text = Text::default();
        render(&mut text, &summary(LONGEST, Vec::new()));
        assert_eq!(
            text.plain(),
            "Discovery (this machine)\n\
             Found 0 gateways via Bonjour (local. + clawdbot.internal.)\n\
             Tip: if the gateway is remote, mDNS won\u{2019}t cross networks; use Wide-Area Bonjour (split DNS) or SSH tunnels.\n"
        );
        let one = Beacon { instance_name: "x".to_owned(), domain: "local.".to_owned(), ..Beacon::default() };
        let found = summary(LONGEST, vec![one]);
        let mut text = Text::default();
        render(&mut text, &found);
        assert!(
            text.plain().ends_with(
                "\nFound 1 gateway(s) via Bonjour (local. + clawdbot.internal.)\n- x  -  local.\n"
            )
        );
        assert_eq!(
            serde_json::to_value(&found).expect("is JSON"),
            json!({"timeoutMs": 1200, "count": 1, "beacons": [{"instanceName": "x", "displayName": null,
                "domain": "local.", "host": null, "lanHost": null, "tailnetDns": null, "gatewayPort": null,
                "sshPort": null, "wsUrl": null}]})
        );
    }

    #[test]
    fn several_are_shown_side_by_side_and_none_floods_the_screen() {
        let beacon = |name: &str, host: &str| Beacon {
            instance_name: name.to_owned(),
            domain: "local.".to_owned(),
            host: Some(host.to_owned()),
            gateway_port: Some(18789),
            ..Beacon::default()
        };
        let text = |beacons: Vec<Beacon>| {
            let mut text = Text::default();
            render(&mut text, &summary(LONGEST, beacons));
            text.plain()
        };
        insta::assert_snapshot!(text(vec![beacon("Laptop", "l.local"), beacon("The studio", "studio.local")]), @r"
        Discovery (this machine)
        Found 2 gateway(s) via Bonjour (local. + clawdbot.internal.)
        - Laptop      ws://l.local:18789       local.
        - The studio  ws://studio.local:18789  local.
        ");
        let loud = text(vec![beacon(&"\u{1b}[2J\n".repeat(100), &"h".repeat(250)); 1000]);
        assert!(loud.lines().count() < 30 && loud.ends_with("\n  and 980 more\n"), "{loud}");
        assert!(loud.lines().all(|line| line.width() < 150) && !loud.contains('\u{1b}'), "{loud}");
    }

    #[tokio::test]
    async fn where_mdns_is_not_wanted_nothing_is_claimed() {
        let env = Env::from_pairs([("CLAWDBOT_DISABLE_BONJOUR", "1")]);
        let out = Output::new(&env, true, true);
        assert!(look(&out, &env, LONGEST).await.is_none());
    }
}
