//! Software that nobody here wrote: Avahi reads what a gateway announces, and the controller what Avahi announces.

use anyhow::{Context, Result, ensure};
use gateway_tests::home::Home;
use gateway_tests::wait::within;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::gateway::{Gateway, found};
use crate::network::{End, Network, in_a_network};

const SERVICE: &str = "_clawdbot-gw._tcp";

/// Lets Avahi follow the network, line by line.
fn follow(network: &Network, end: End) -> Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut command = network.beside_avahi(end, "watcher");
    let mut child = command.args(["avahi-browse", "--parsable", "--resolve", SERVICE]).spawn()?;
    let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    Ok((child, lines))
}

/// The next line that begins with `mark`, in its fields.
async fn line(lines: &mut Lines<BufReader<ChildStdout>>, mark: &str) -> Result<Vec<String>> {
    within(&format!("Avahi to say {mark}"), async {
        while let Some(line) = lines.next_line().await? {
            let fields: Vec<String> = line.split(';').map(str::to_owned).collect();
            if fields.first().is_some_and(|first| first == mark) {
                return Ok(fields);
            }
        }
        anyhow::bail!("Avahi ended")
    })
    .await?
}

/// Lets Avahi announce something until the child is dropped.
fn publish(network: &Network, end: End, host: &str, name: &str, port: &str, txt: &[&str]) -> Result<Child> {
    let mut command = network.beside_avahi(end, host);
    Ok(command.args(["avahi-publish", "--service", name, SERVICE, port]).args(txt).spawn()?)
}

#[test]
fn avahi_sees_a_gateway_come_and_go() {
    in_a_network(|network| async move {
        let (_avahi, mut lines) = follow(&network, End::Right)?;
        let gateway = Gateway::start(&network, End::Left, "studio", 18789, "}").await?;
        let resolved = line(&mut lines, "=").await?;
        let [_, _, _, instance, service, domain, host, address, port, txt] = &resolved[..] else {
            anyhow::bail!("{resolved:?}");
        };
        ensure!(
            instance == r"studio\032\040Clawdbot\041" && service == SERVICE && domain == "local",
            "{resolved:?}"
        );
        ensure!(host == "studio.local" && address == "10.77.0.1" && port == "18789", "{resolved:?}");
        let mut pairs: Vec<&str> = txt.split('"').filter(|part| part.contains('=')).collect();
        pairs.sort_unstable();
        let expected = [
            "displayName=studio",
            "gatewayPort=18789",
            "lanHost=studio.local",
            "role=gateway",
            "transport=gateway",
        ];
        ensure!(pairs == expected, "{txt}");
        ensure!(gateway.stop().await?.success(), "it stops in order");
        // Without a goodbye Avahi would keep it for more than an hour.
        let gone = line(&mut lines, "-").await?;
        ensure!(gone.get(3).is_some_and(|name| name == instance), "{gone:?}");
        Ok(())
    });
}

#[test]
fn what_avahi_announces_is_found_and_shown_but_not_obeyed() {
    in_a_network(|network| async move {
        let txt =
            ["role=gateway", "gatewayPort=4242", "lanHost=ada.local", "displayName=Ada", "transport=gateway"];
        let _ada = publish(&network, End::Left, "ada", "Ada's box", "4242", &txt)?;
        let beacons = found(&network, End::Right, 1, &[]).await?;
        let ada = &beacons[0];
        ensure!(ada["instanceName"] == "Ada's box" && ada["host"] == "ada.local", "{ada:#}");
        ensure!(ada["wsUrl"] == "ws://ada.local:4242" && ada["displayName"] == "Ada", "{ada:#}");
        let txt = [
            "displayName=\u{1b}[2JMallory",
            "lanHost=$(touch x)",
            "tailnetDns=-oProxyCommand=x",
            "sshPort=22",
        ];
        let _mallory = publish(&network, End::Right, "mallory", "Mallory", "1", &txt)?;
        let beacons = found(&network, End::Right, 2, &[]).await?;
        let mallory =
            beacons.iter().find(|beacon| beacon["instanceName"] == "Mallory").context("she is there")?;
        ensure!(mallory["wsUrl"] == "ws://mallory.local:1", "{mallory:#}");
        let shown = network.ctl(End::Right, &Home::new()?, &["discover"], &[]).await?;
        ensure!(shown.stdout.contains("- \\u{1b}[2JMallory local.\n"), "{shown:?}");
        ensure!(!shown.stdout.contains("touch") && !shown.stdout.contains("Proxy"), "{shown:?}");
        Ok(())
    });
}

#[test]
fn beside_the_machines_own_responder_no_name_changes() {
    in_a_network(|network| async move {
        network.ip(End::Left, "addr add fd00:77::1/64 dev eth0")?;
        network.ip(End::Left, "addr add 10.77.1.1/24 dev eth0")?;
        let txt = ["role=gateway", "gatewayPort=4242", "lanHost=studio.local"];
        let _avahi = publish(&network, End::Left, "studio", "Avahi's", "4242", &txt)?;
        found(&network, End::Right, 1, &[]).await?;
        let _gateway = Gateway::start(&network, End::Left, "studio", 18789, "}").await?;
        let beacons = found(&network, End::Right, 2, &[]).await?;
        let mut names: Vec<_> =
            beacons.iter().map(|beacon| (beacon["instanceName"].as_str(), beacon["host"].as_str())).collect();
        names.sort_unstable();
        let host = Some("studio.local");
        ensure!(names == [(Some("Avahi's"), host), (Some("studio (Clawdbot)"), host)], "{beacons:#?}");
        Ok(())
    });
}

#[test]
fn behind_a_public_address_nothing_is_announced() {
    in_a_network(|network| async move {
        network.ip(End::Left, "addr add 203.0.113.1/24 dev eth0")?;
        network.ip(End::Right, "addr add 203.0.113.2/24 dev eth0")?;
        let _gateway = Gateway::start(&network, End::Left, "studio", 18789, "}").await?;
        // What is announced later is found, so there was time enough.
        let _avahi = publish(&network, End::Left, "ada", "Ada", "4242", &["role=gateway"])?;
        let beacons = found(&network, End::Right, 1, &[]).await?;
        ensure!(beacons[0]["instanceName"] == "Ada", "{beacons:#?}");
        Ok(())
    });
}
