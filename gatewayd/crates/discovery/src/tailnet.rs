//! Which DNS servers of a tailnet may know of gateways: Tailscale's own, which passes the question on to where the
//! domain is served, and the machines of the tailnet themselves.

use std::net::Ipv4Addr;

use gateway_base::net;
use serde::Deserialize;

/// Tailscale's own DNS server, on every machine of a tailnet.
const MAGIC_DNS: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 100);
/// The most machines that are asked.
const MACHINES: usize = 40;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    #[serde(rename = "Self")]
    own: Option<Machine>,
    peer: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Machine {
    #[serde(rename = "TailscaleIPs")]
    addresses: Option<Vec<String>>,
    #[serde(rename = "Online")]
    online: Option<bool>,
}

/// The servers to ask, in order, after the answer of `tailscale status --json`. Nobody when this machine is in no
/// tailnet, and never an address outside of it.
#[must_use]
pub fn servers(status: &str) -> Vec<Ipv4Addr> {
    let object = status.find('{').zip(status.rfind('}')).and_then(|(start, end)| status.get(start..=end));
    let Some(status) = object.and_then(|text| serde_json::from_str::<Status>(text).ok()) else {
        return Vec::new();
    };
    let own = status.own.as_ref().and_then(address);
    let mut peers: Vec<Machine> = status
        .peer
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(_, machine)| serde_json::from_value(machine).ok())
        .collect();
    // Who is away cannot answer, and is asked only when there is room.
    peers.sort_by_key(|machine| machine.online == Some(false));
    let mut found: Vec<Ipv4Addr> = Vec::new();
    for ip in own.into_iter().chain(peers.iter().filter_map(address)) {
        if !found.contains(&ip) && found.len() < MACHINES {
            found.push(ip);
        }
    }
    if !found.is_empty() {
        found.insert(0, MAGIC_DNS);
    }
    found
}

fn address(machine: &Machine) -> Option<Ipv4Addr> {
    let addresses = machine.addresses.iter().flatten();
    addresses.filter_map(|text| text.parse().ok()).find(|ip: &Ipv4Addr| net::is_tailnet((*ip).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_machines_of_the_tailnet_are_asked() {
        let status = r#"Warning: x
            {"Self": {"TailscaleIPs": ["fd7a:115c:a1e0::1", "100.64.0.1"]}, "Peer": {
            "a": {"TailscaleIPs": ["100.64.0.9"], "Online": false},
            "b": {"TailscaleIPs": ["8.8.8.8", "100.64.0.2"], "Online": true},
            "c": {"TailscaleIPs": ["192.168.0.1"]}, "d": {"TailscaleIPs": null}, "e": 7,
            "f": {"TailscaleIPs": ["100.64.0.2"]}}}"#;
        let found: Vec<_> = servers(status).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["100.100.100.100", "100.64.0.1", "100.64.0.2", "100.64.0.9"]);
    }

    #[test]
    fn a_large_tailnet_is_not_asked_whole() {
        let peer = |n: u32| format!(r#""p{n}": {{"TailscaleIPs": ["100.64.{}.{}"]}}"#, n / 250, n % 250 + 1);
        let peers: Vec<_> = (0..1000).map(peer).collect();
        let status = format!(r#"{{"Self": {{}}, "Peer": {{{}}}}}"#, peers.join(","));
        assert_eq!(servers(&status).len(), MACHINES + 1);
    }

    #[test]
    fn without_a_tailnet_nobody_is_asked() {
        for status in [
            "",
            "{",
            "null",
            "[]",
            "{}",
            r#"{"Self": null, "Peer": null}"#,
            r#"{"Self": {"TailscaleIPs": ["::1"]}}"#,
            r#"{"Self": 7}"#,
        ] {
            assert_eq!(servers(status), Vec::<Ipv4Addr>::new(), "{status}");
        }
    }
}
