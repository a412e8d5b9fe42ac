//! Device nodes that cannot work: one on another machine while the gateway can be reached from this one only, and
//! commands that are allowed and denied at once.

use std::net::IpAddr;

use gateway_base::net;
use gateway_config::Config;
use gateway_config::sections::TailscaleMode;
use gateway_wire::types::devices::PairedDevice;

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::{Facts, Unknown};

/// The check.
pub const CHECK: Check = Check { id: "nodes", group: Group::Access, title: "device nodes", judge };

fn judge(facts: &Facts) -> Judged {
    let config = facts.effective()?;
    let mut findings = contradictions(facts, config);
    let Some(Ok(list)) = facts.answers().map(|answers| &answers.devices) else {
        let why = "no daemon answers, and only it knows them".to_owned();
        return if findings.is_empty() { Err(Unknown(why)) } else { Ok(findings) };
    };
    let gateway = &config.gateway;
    // A proxy or Tailscale brings clients in over loopback.
    let has_way = facts.is_reachable(config)
        || gateway.tailscale.mode != TailscaleMode::Off
        || !gateway.trusted_proxies.is_empty();
    if !has_way {
        let cut_off = list.paired.iter().filter(|device| is_node(device) && is_elsewhere(device));
        findings.extend(cut_off.map(|device| {
            let name = device.display_name.as_deref().unwrap_or(&device.device_id);
            Finding::warning(
                format!("node {name} is on another machine, and the gateway listens on this one only"),
                "It cannot connect, unless through a tunnel.",
                format!("{}, with a token", facts.command("config set gateway.bind lan")),
            )
        }));
    }
    Ok(findings)
}

fn contradictions(facts: &Facts, config: &Config) -> Vec<Finding> {
    let nodes = &config.gateway.nodes;
    let both = nodes.allow_commands.iter().filter(|command| nodes.deny_commands.contains(command));
    let found = both.map(|command| {
        Finding::warning(
            format!("node command {command} is in gateway.nodes.allowCommands and in denyCommands"),
            "It is denied.",
            facts.command("config get gateway.nodes"),
        )
    });
    found.collect()
}

fn is_node(device: &PairedDevice) -> bool {
    device.role.as_deref() == Some("node") || device.roles.iter().flatten().any(|role| role == "node")
}

fn is_elsewhere(device: &PairedDevice) -> bool {
    let platform = device.platform.as_deref().unwrap_or_default().to_ascii_lowercase();
    let is_phone = ["ios", "ipados", "android"].iter().any(|system| platform.starts_with(system));
    let address = device.remote_ip.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
    is_phone || address.is_some_and(|address| !net::is_loopback(address))
}
