//! A tailnet: the zone that a gateway writes is served by a real DNS server and read by the controller.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_tests::home::Home;
use gateway_tests::tailnet::Tailscale;
use serde_json::json;
use tokio::process::Child;

use crate::gateway::{Gateway, found};
use crate::network::{End, Network, in_a_network};

const CONFIG: &str = "}, discovery: { mdns: { mode: 'off' }, wideArea: { enabled: true } }";
const ZONE: &str = ".clawdbot/dns/clawdbot.internal.db";

/// A name server at the left end that serves the zone of `home`.
fn name_server(network: &Network, home: &Home) -> Result<Child> {
    let folder = home.path().display();
    home.write(
        "nsd.conf",
        &format!(
            "server:\n  ip-address: 100.64.0.1\n  username: \"\"\n  pidfile: \"\"\n  database: \"\"\n  \
             zonesdir: \"{folder}\"\n  xfrdfile: \"{folder}/xfrd\"\n  zonelistfile: \"{folder}/zones\"\n  \
             xfrdir: \"{folder}\"\nremote-control:\n  control-enable: no\n\
             zone:\n  name: clawdbot.internal\n  zonefile: \"{folder}/{ZONE}\"\n"
        ),
    )?;
    let mut command = network.on(End::Left, "studio");
    command.args(["nsd", "-d", "-c"]).arg(home.path().join("nsd.conf"));
    Ok(command.spawn()?)
}

#[test]
fn the_zone_of_a_gateway_is_read_through_a_real_name_server() {
    in_a_network(|network| async move {
        network.ip(End::Left, "addr add 100.64.0.1/10 dev eth0")?;
        network.ip(End::Left, "addr add fd7a:115c:a1e0::1/64 dev eth0 nodad")?;
        network.ip(End::Right, "addr add 100.64.0.2/10 dev eth0")?;
        let home = Arc::new(Home::new()?);
        let env = [("CLAWDBOT_TAILNET_DNS", "studio.tail1.ts.net"), ("CLAWDBOT_CLI_PATH", "/opt/my \"cli\"")];
        let start = || Gateway::start_in(&network, End::Left, "studio", 18789, &home, CONFIG, &env);
        let gateway = start().await?;
        let path = home.path().join(ZONE);
        gateway.says(&format!("wide-area DNS-SD updated (clawdbot.internal. → {})", path.display())).await?;
        let (text, file) = (home.read(ZONE)?, std::fs::metadata(&path)?.ino());
        let _server = name_server(&network, &home)?;

        let visitor = Home::new()?;
        let tailscale = Tailscale::install(&visitor)?;
        tailscale.script(
            "status",
            r#"echo '{"BackendState": "Running", "Self": {"TailscaleIPs": ["100.64.0.2"]}, "Peer": {
            "away": {"TailscaleIPs": ["100.64.0.77"], "Online": false},
            "studio": {"TailscaleIPs": ["100.64.0.1", "fd7a:115c:a1e0::1"], "Online": true},
            "elsewhere": {"TailscaleIPs": ["203.0.113.1"], "Online": true}}}'; exit"#,
        )?;
        let path_with_it = tailscale.path();
        let beacons = found(&network, End::Right, 1, &[("PATH", &path_with_it)]).await?;
        let expected = json!({
            "instanceName": "studio-gateway", "domain": "clawdbot.internal.", "displayName": "studio (Clawdbot)",
            "host": "studio.clawdbot.internal", "port": 18789, "tailnetDns": "studio.tail1.ts.net",
            "gatewayPort": 18789, "cliPath": "/opt/my \"cli\"", "role": "gateway", "transport": "gateway",
            "wsUrl": "ws://studio.tail1.ts.net:18789",
            "txt": {"displayName": "studio (Clawdbot)", "role": "gateway", "transport": "gateway",
                "gatewayPort": "18789", "tailnetDns": "studio.tail1.ts.net", "cliPath": "/opt/my \"cli\""},
        });
        ensure!(beacons[0] == expected, "{:#}", beacons[0]);

        gateway.stop().await?;
        let gateway = start().await?;
        gateway.says("wide-area DNS-SD unchanged (clawdbot.internal. → ").await?;
        ensure!(std::fs::metadata(&path)?.ino() == file, "it was not written again");
        ensure!(home.read(ZONE)? == text, "it says the same");
        Ok(())
    });
}

#[test]
fn without_an_address_in_the_tailnet_there_is_a_warning() {
    in_a_network(|network| async move {
        let gateway = Gateway::start(&network, End::Left, "studio", 18789, CONFIG).await?;
        gateway.says("discovery.wideArea.enabled is true, but no Tailscale IPv4 address was found; skipping unicast DNS-SD zone update").await?;
        ensure!(gateway.home.read(ZONE).is_err(), "there is no zone");
        Ok(())
    });
}

#[test]
fn a_zone_that_cannot_be_written_is_a_warning() {
    in_a_network(|network| async move {
        network.ip(End::Left, "addr add 100.64.0.1/10 dev eth0")?;
        let home = Arc::new(Home::new()?);
        home.write(".clawdbot/dns", "not a folder")?;
        let gateway = Gateway::start_in(&network, End::Left, "studio", 18789, &home, CONFIG, &[]).await?;
        gateway.says("wide-area discovery update failed: ").await.context("it serves on")
    });
}
