//! Whether the trusted proxies are proxies: what is trusted may say who its clients are, so a list that is too wide
//! makes everybody a neighbour.

use std::net::IpAddr;

use gateway_base::net;
use gateway_config::path;
use gateway_config::sections::Network;
use serde_json::Value;

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::Facts;

/// The check.
pub const CHECK: Check = Check { id: "proxies", group: Group::Access, title: "trust in proxies", judge };

/// Addresses that no two of which share a sensible range of proxies.
const FAR_APART: [[&str; 2]; 2] = [["1.1.1.1", "198.51.100.1"], ["2001:db8::1", "fd00::1"]];

fn judge(facts: &Facts) -> Judged {
    let config = facts.effective()?;
    let listed = path::get_dotted(&facts.config.snapshot.value, "gateway.trustedProxies");
    let texts = listed.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let remove = facts.command("config set gateway.trustedProxies '[\"ADDRESS OF THE PROXY\"]'");
    let mut findings = Vec::new();
    let reachable = facts.is_reachable(config);
    for text in texts {
        let Ok(network) = text.parse::<Network>() else { continue };
        if is_everybody(network) {
            findings.push(Finding::error(
                format!("gateway.trustedProxies holds {text}: everybody is a trusted proxy"),
                "Any client can claim to come from any address.",
                remove.clone(),
            ));
        } else if !reachable && !holds_loopback(network) {
            findings.push(Finding::warning(
                format!("gateway.trustedProxies holds {text}, and the gateway listens on this machine only"),
                "No such proxy reaches it; behind a proxy on this machine every client looks the same.",
                facts.command("config set gateway.trustedProxies '[\"127.0.0.1\"]'"),
            ));
        } else if let Some(address) = single_public(text) {
            findings.push(Finding::warning(
                format!("gateway.trustedProxies holds {address}, a public address"),
                "Whoever gets hold of that address can claim to come from anywhere.",
                remove.clone(),
            ));
        }
    }
    Ok(findings)
}

fn is_everybody(network: Network) -> bool {
    let inside = |text: &str| text.parse().is_ok_and(|address| network.contains(address));
    FAR_APART.iter().any(|pair| pair.iter().all(|text| inside(text)))
}

fn holds_loopback(network: Network) -> bool {
    ["127.0.0.1", "::1"].iter().any(|text| text.parse().is_ok_and(|address| network.contains(address)))
}

fn single_public(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.trim().parse().ok()?;
    let is_private = match address.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    };
    (!is_private && !net::is_tailnet(address)).then_some(address)
}
