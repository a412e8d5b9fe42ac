//! Addresses of this machine: which interfaces there are, which of them are on a tailnet, and what counts as
//! "only this machine". Everything works on parsed addresses; host text is never compared.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::env::Env;

/// The addresses of all interfaces that are up, in interface order, loopback left out, each once.
pub fn interface_addresses() -> io::Result<Vec<IpAddr>> {
    let mut found = Vec::new();
    for interface in if_addrs::get_if_addrs()? {
        let ip = interface.ip();
        let down = matches!(interface.oper_status, if_addrs::IfOperStatus::Down);
        if !down && !interface.is_loopback() && !found.contains(&ip) {
            found.push(ip);
        }
    }
    Ok(found)
}

/// The addresses of each interface behind which there can be a network of several machines: it is up, and neither
/// loopback nor a tunnel to one other end.
pub fn shared_interfaces() -> io::Result<BTreeMap<String, Vec<IpAddr>>> {
    let mut found = BTreeMap::<String, Vec<IpAddr>>::new();
    for interface in if_addrs::get_if_addrs()? {
        if interface.is_oper_up() && !interface.is_loopback() && !interface.is_p2p() {
            let ip = interface.ip();
            found.entry(interface.name).or_default().push(ip);
        }
    }
    Ok(found)
}

/// The IPv4 addresses to show for a listener on all addresses: in interface order, link-local ones last.
#[must_use]
pub fn lan_addresses(all: &[IpAddr]) -> Vec<Ipv4Addr> {
    let v4 = all.iter().filter_map(|ip| match ip {
        IpAddr::V4(ip) if !ip.is_loopback() && !ip.is_unspecified() => Some(*ip),
        _ => None,
    });
    let (link_local, mut rest): (Vec<_>, Vec<_>) = v4.partition(Ipv4Addr::is_link_local);
    rest.extend(link_local);
    rest
}

/// Whether `ip` is in the ranges a tailnet hands out: 100.64.0.0/10 and fd7a:115c:a1e0::/48.
#[must_use]
pub fn is_tailnet(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            a == 100 && b & 0b1100_0000 == 64
        }
        IpAddr::V6(ip) => ip.segments()[..3] == [0xfd7a, 0x115c, 0xa1e0],
    }
}

/// Whether `ip` can only be this machine: 127.0.0.0/8, `::1`, or either written as an IPv4-mapped address.
#[must_use]
pub fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// An address as it stands in a URL: IPv6 in brackets.
#[must_use]
pub fn url_host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// Parses an address typed by a person: IPv4 with four decimal parts and no leading zeros, or IPv6 with or without
/// brackets.
#[must_use]
pub fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Ok(v4) = text.parse::<Ipv4Addr>() {
        return Some(IpAddr::V4(v4));
    }
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// Whether this process seems to run in a container, where loopback is not reachable through a published port.
#[must_use]
pub fn in_container(env: &Env) -> bool {
    env.get("container").is_some()
        || env.get("KUBERNETES_SERVICE_HOST").is_some()
        || ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn tailnet_ranges_are_exact() {
        for (text, expected) in [
            ("100.63.255.255", false),
            ("100.64.0.0", true),
            ("100.127.255.255", true),
            ("100.128.0.0", false),
            ("fd7a:115c:a1e0::1", true),
            ("fd7a:115c:a1e0:ffff::1", true),
            ("fd7a:115c:a1e1::1", false),
        ] {
            assert_eq!(is_tailnet(ip(text)), expected, "{text}");
        }
    }

    #[test]
    fn loopback_is_decided_by_the_address() {
        for (text, expected) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("::ffff:10.0.0.1", false),
            ("0.0.0.0", false),
            ("::", false),
        ] {
            assert_eq!(is_loopback(ip(text)), expected, "{text}");
        }
    }

    #[test]
    fn only_whole_addresses_parse() {
        assert_eq!(parse_address("[::1]"), Some(ip("::1")));
        assert_eq!(parse_address(" 10.0.0.5 "), Some(ip("10.0.0.5")));
        for bad in ["10.0.0.05", "10.0.0", "10.0.0.256", "10.0.0.5:80", "localhost", "", "[10.0.0.1]"] {
            assert_eq!(parse_address(bad), None, "{bad}");
        }
    }

    #[test]
    fn lan_lists_link_local_last() {
        let all = [ip("169.254.3.4"), ip("192.168.1.100"), ip("fe80::1"), ip("10.0.0.5")];
        let shown: Vec<_> = lan_addresses(&all).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["192.168.1.100", "10.0.0.5", "169.254.3.4"]);
        assert_eq!(url_host(ip("fe80::1")), "[fe80::1]");
    }
}
