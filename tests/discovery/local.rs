//! The local network: what is told, what is not, and what happens when two have one name.

use std::sync::Arc;

use anyhow::{Context, ensure};
use gateway_tests::home::Home;
use gateway_tests::wait::until;
use serde_json::{Value, json};

use crate::gateway::{Gateway, found};
use crate::network::{End, in_a_network};

fn texts(beacons: &[Value], key: &str) -> Vec<String> {
    let mut all: Vec<String> =
        beacons.iter().map(|beacon| beacon[key].as_str().unwrap_or_default().to_owned()).collect();
    all.sort();
    all
}

#[test]
fn a_gateway_is_found_with_the_least_that_is_needed() {
    in_a_network(|network| async move {
        let gateway = Gateway::start(&network, End::Left, "studio.example.com", 18789, "}").await?;
        let [beacon] = &found(&network, End::Right, 1, &[]).await?[..] else { unreachable!() };
        let expected = json!({
            "instanceName": "studio example com (Clawdbot)", "domain": "local.", "displayName": "studio.example.com",
            "host": "studio.local", "port": 18789, "lanHost": "studio.local", "gatewayPort": 18789,
            "role": "gateway", "transport": "gateway", "wsUrl": "ws://studio.local:18789",
            "txt": {"displayName": "studio.example.com", "gatewayPort": "18789", "lanHost": "studio.local",
                "role": "gateway", "transport": "gateway"},
        });
        ensure!(*beacon == expected, "{beacon:#}");
        gateway.says("bonjour: advertised gateway fqdn=studio example com (Clawdbot)._clawdbot-gw._tcp.local. host=studio.local. port=18789 state=announced").await?;
        let home = Home::new()?;
        let text = network.ctl(End::Right, &home, &["discover"], &[]).await?;
        let lines = "- studio.example.com local.\n  lan: studio.local\n  host: studio.local\n  ws: ws://studio.local:18789\n  role: gateway\n  transport: gateway\n";
        let head = "Gateway Discovery\nFound 1 gateway(s) · domains: local., clawdbot.internal.\n";
        ensure!(text.stdout == format!("{head}{lines}") && text.stderr.is_empty(), "{text:?}");
        let probe = network.ctl(End::Right, &home, &["probe"], &[]).await?;
        let section = "\n\nDiscovery (this machine)\nFound 1 gateway(s) via Bonjour (local. + clawdbot.internal.)\n\
            - studio.example.com  ws://studio.local:18789  local.\n\nTargets\n";
        ensure!(probe.stdout.contains(section), "{probe:?}");
        let probe = network.ctl(End::Right, &home, &["probe", "--json"], &[]).await?;
        let probe: Value = serde_json::from_str(&probe.stdout)?;
        ensure!(probe["discovery"]["beacons"][0]["wsUrl"] == "ws://studio.local:18789", "{probe:#}");
        ensure!(gateway.stop().await?.success(), "it stops in order");
        found(&network, End::Right, 0, &[]).await.map(drop)
    });
}

#[test]
fn in_full_mode_and_with_tls_it_tells_more() {
    in_a_network(|network| async move {
        let config = "tls: { enabled: true, autoGenerate: true } }, discovery: { mdns: { mode: 'full' } }";
        let home = Arc::new(Home::new()?);
        let env = [("CLAWDBOT_SSH_PORT", "2222"), ("CLAWDBOT_TAILNET_DNS", "studio.tail1.ts.net")];
        let gateway = Gateway::start_in(&network, End::Left, "studio", 18790, &home, config, &env).await?;
        let [beacon] = &found(&network, End::Right, 1, &[]).await?[..] else { unreachable!() };
        let stdout = gateway.stdout()?;
        let fingerprint = stdout
            .lines()
            .find_map(|line| line.strip_prefix("✓ tls fingerprint: sha256:"))
            .context("it is told")?;
        let cli = beacon["cliPath"].as_str().context("the path of the controller")?;
        ensure!(cli.ends_with("/gatewayctl"), "{cli}");
        let expected = json!({
            "instanceName": "studio (Clawdbot)", "domain": "local.", "displayName": "studio",
            "host": "studio.local", "port": 18790, "lanHost": "studio.local",
            "tailnetDns": "studio.tail1.ts.net", "gatewayPort": 18790, "sshPort": 2222, "gatewayTls": true,
            "gatewayTlsFingerprintSha256": fingerprint, "cliPath": cli, "role": "gateway", "transport": "gateway",
            "wsUrl": "wss://studio.tail1.ts.net:18790",
            "txt": {"cliPath": cli, "displayName": "studio", "gatewayPort": "18790", "gatewayTls": "1",
                "gatewayTlsSha256": fingerprint, "lanHost": "studio.local", "role": "gateway", "sshPort": "2222",
                "tailnetDns": "studio.tail1.ts.net", "transport": "gateway"},
        });
        ensure!(*beacon == expected, "{beacon:#}");
        Ok(())
    });
}

#[test]
fn it_can_be_switched_off_in_two_ways() {
    in_a_network(|network| async move {
        let home = Arc::new(Home::new()?);
        let env = [("CLAWDBOT_DISABLE_BONJOUR", "yes")];
        let _by_env = Gateway::start_in(&network, End::Left, "one", 18791, &home, "}", &env).await?;
        let off = "}, discovery: { mdns: { mode: 'off' } }";
        let _by_config = Gateway::start(&network, End::Left, "two", 18792, off).await?;
        let _on = Gateway::start(&network, End::Left, "three", 18793, "}").await?;
        let beacons = found(&network, End::Right, 1, &[]).await?;
        ensure!(texts(&beacons, "displayName") == ["three"], "{beacons:#?}");
        let home = Home::new()?;
        let probe = network.ctl(End::Right, &home, &["probe", "--json"], &env).await?;
        let probe: Value = serde_json::from_str(&probe.stdout)?;
        ensure!(probe["discovery"].is_null(), "nobody was looked for: {probe:#}");
        Ok(())
    });
}

#[test]
fn two_machines_of_one_name_get_two() {
    in_a_network(|network| async move {
        let _first = Gateway::start(&network, End::Left, "studio", 18789, "}").await?;
        found(&network, End::Right, 1, &[]).await?;
        let second = Gateway::start(&network, End::Right, "studio", 18789, "}").await?;
        second.says("bonjour: gateway name conflict resolved; newName=\"studio (Clawdbot) (2)\"").await?;
        second.says("bonjour: gateway hostname conflict resolved; newHostname=\"studio-2\"").await?;
        second.says("fqdn=studio (Clawdbot) (2)._clawdbot-gw._tcp.local. host=studio-2.local.").await?;
        for end in [End::Left, End::Right] {
            let beacons = found(&network, end, 2, &[]).await?;
            ensure!(
                texts(&beacons, "instanceName") == ["studio (Clawdbot)", "studio (Clawdbot) (2)"],
                "{beacons:#?}"
            );
            ensure!(texts(&beacons, "lanHost") == ["studio-2.local", "studio.local"], "{beacons:#?}");
            ensure!(texts(&beacons, "host") == ["studio-2.local", "studio.local"], "{beacons:#?}");
        }
        Ok(())
    });
}

#[test]
fn two_gateways_of_one_machine_share_its_name() {
    in_a_network(|network| async move {
        let _first = Gateway::start(&network, End::Left, "Studio", 18789, "}").await?;
        found(&network, End::Right, 1, &[]).await?;
        let _second = Gateway::start(&network, End::Left, "Studio", 18790, "}").await?;
        let beacons = found(&network, End::Right, 2, &[]).await?;
        ensure!(
            texts(&beacons, "instanceName") == ["Studio (Clawdbot)", "Studio (Clawdbot) (2)"],
            "{beacons:#?}"
        );
        ensure!(
            texts(&beacons, "wsUrl") == ["ws://Studio.local:18789", "ws://Studio.local:18790"],
            "{beacons:#?}"
        );
        Ok(())
    });
}

#[test]
fn nobody_is_found_in_an_empty_network() {
    in_a_network(|network| async move {
        let home = Home::new()?;
        let alone = network.ctl(End::Left, &home, &["discover", "--timeout", "300"], &[]).await?;
        let expected = "Gateway Discovery\nFound 0 gateway(s) · domains: local., clawdbot.internal.\n";
        ensure!(alone.code == Some(0) && alone.stdout == expected && alone.stderr.is_empty(), "{alone:?}");
        let wrong = network.ctl(End::Left, &home, &["discover", "--timeout", "x"], &[]).await?;
        ensure!(wrong.code == Some(2) && wrong.stdout.is_empty(), "{wrong:?}");
        Ok(())
    });
}

#[test]
fn two_machines_of_one_name_that_start_together_get_two() {
    in_a_network(|network| async move {
        let (one, other) = tokio::join!(
            Gateway::start(&network, End::Left, "studio", 18789, "}"),
            Gateway::start(&network, End::Right, "studio", 18789, "}"),
        );
        let _gateways = (one?, other?);
        for end in [End::Left, End::Right] {
            // Who yields announces the new host a moment before the text that names it.
            let beacons = until("each to have names of its own", || async {
                let beacons = found(&network, end, 2, &[]).await?;
                Ok((texts(&beacons, "lanHost") == texts(&beacons, "host")).then_some(beacons))
            })
            .await?;
            let names = texts(&beacons, "instanceName");
            ensure!(names == ["studio (Clawdbot)", "studio (Clawdbot) (2)"], "{beacons:#?}");
            ensure!(texts(&beacons, "host") == ["studio-2.local", "studio.local"], "{beacons:#?}");
        }
        Ok(())
    });
}
