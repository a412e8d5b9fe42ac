//! Whether a peer is on this machine, and which address it has. "Local" opens silent pairing, so it is decided by
//! the socket's own word: a loopback or same-host peer, no forwarding header at all, and no origin that could be a
//! foreign page (rule R21). Addresses are parsed and compared as addresses; text such as `127.evil.com` is none.

use std::net::IpAddr;

use gateway_config::sections::Network;

use super::origin::Verdict;

/// Headers that a proxy adds, lower-case. Any of them, even an empty one, makes a request a forwarded one.
pub const FORWARDING_HEADERS: [&str; 16] = [
    "forwarded",
    "x-forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "cf-connecting-ip",
    "true-client-ip",
    "fastly-client-ip",
    "tailscale-user-login",
    "tailscale-funnel-request",
    "via",
];

/// What the connection itself and its headers say about where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'a> {
    /// Peer address of the socket.
    pub peer: IpAddr,
    /// Our own address on that socket.
    pub own: Option<IpAddr>,
    /// Whether any of [`FORWARDING_HEADERS`] is present.
    pub forwarded: bool,
    /// All `X-Forwarded-For` values, joined by commas.
    pub forwarded_for: Option<&'a str>,
    /// First `X-Real-IP`.
    pub real_ip: Option<&'a str>,
    /// What [`super::origin::check`] said.
    pub origin: Verdict,
}

/// What follows from a [`Connection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locality {
    /// The peer is on this machine beyond doubt; only then may a device be paired without being asked for.
    pub is_local: bool,
    /// The address to count wrong guesses by.
    pub client_ip: IpAddr,
    /// The address to show and to store; absent when an untrusted proxy stands in between.
    pub reported_ip: Option<IpAddr>,
    /// Forwarding headers from a peer that is no trusted proxy, or a page served under a host name, which only a
    /// proxy or a rebound name can bring about. Refused when no authentication is configured.
    pub untrusted_proxy: bool,
}

/// Proxies whose headers are believed, as addresses and CIDR ranges (rule R30).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

impl From<Vec<Network>> for TrustedProxies {
    fn from(networks: Vec<Network>) -> Self {
        Self(networks)
    }
}

impl TrustedProxies {
    /// Whether `address` is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// Decides where a connection comes from. `own_tailnet` holds this machine's own tailnet addresses.
#[must_use]
pub fn locate(connection: &Connection<'_>, proxies: &TrustedProxies, own_tailnet: &[IpAddr]) -> Locality {
    let peer = connection.peer.to_canonical();
    let forwarded =
        connection.forwarded || connection.forwarded_for.is_some() || connection.real_ip.is_some();
    let trusted = proxies.contains(peer);
    let client_ip = if trusted { client_behind(connection, proxies, peer) } else { peer };
    let same_host = peer.is_loopback()
        || connection.own.is_some_and(|own| own.to_canonical() == peer)
        || own_tailnet.iter().any(|own| own.to_canonical() == peer);
    Locality {
        is_local: same_host && !forwarded && connection.origin.keeps_local(),
        client_ip,
        reported_ip: (!forwarded || trusted).then_some(client_ip),
        untrusted_proxy: (forwarded && !trusted) || connection.origin == Verdict::Named,
    }
}

/// The key under which wrong guesses of `address` are counted: a v4 address, or the /64 of a v6 one, since a v6
/// host owns that many addresses.
#[must_use]
pub fn bucket(address: IpAddr) -> IpAddr {
    const HOST_BITS: u32 = 64;
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> HOST_BITS << HOST_BITS).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The client in front of the chain of trusted proxies. Read from the right: what stands left of the first
/// untrusted address was written by that address and proves nothing.
fn client_behind(connection: &Connection<'_>, proxies: &TrustedProxies, peer: IpAddr) -> IpAddr {
    let Some(chain) = connection.forwarded_for.filter(|text| !text.trim().is_empty()) else {
        return connection.real_ip.and_then(parse_address).unwrap_or(peer);
    };
    let mut client = peer;
    for hop in chain.rsplit(',') {
        let Some(address) = parse_address(hop) else { break };
        client = address;
        if !proxies.contains(address) {
            break;
        }
    }
    client
}

/// `v4`, `v4:port`, `v6` or `[v6]:port`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0.parse().map(IpAddr::V6).ok()?,
        None => text
            .parse()
            .ok()
            .or_else(|| text.parse::<std::net::SocketAddrV4>().ok().map(|s| IpAddr::V4(*s.ip())))?,
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    fn from(peer: &str) -> Connection<'static> {
        Connection {
            peer: ip(peer),
            own: None,
            forwarded: false,
            forwarded_for: None,
            real_ip: None,
            origin: Verdict::Native,
        }
    }

    fn proxies(list: &[&str]) -> TrustedProxies {
        list.iter().map(|text| text.parse().expect("network")).collect::<Vec<Network>>().into()
    }

    #[test]
    fn loopback_and_own_addresses_are_local_and_nothing_else_is() {
        let own = [ip("100.100.1.2"), ip("fd7a:115c:a1e0::7")];
        let cases = [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("100.100.1.2", true),
            ("::ffff:100.100.1.2", true),
            ("fd7a:115c:a1e0::7", true),
            ("100.100.1.3", false),
            ("fd7a:115c:a1e0::8", false),
            ("192.168.1.2", false),
            ("::ffff:10.0.0.1", false),
            ("2001:db8::1", false),
            ("0.0.0.0", false),
            ("::", false),
        ];
        for (peer, local) in cases {
            let found = locate(&from(peer), &TrustedProxies::default(), &own);
            assert_eq!(found.is_local, local, "{peer}");
            assert_eq!(found.client_ip, ip(peer).to_canonical());
            assert_eq!(found.reported_ip, Some(ip(peer).to_canonical()));
            assert!(!found.untrusted_proxy);
        }
    }

    #[test]
    fn a_peer_with_our_own_address_is_this_host() {
        let same = Connection { own: Some(ip("192.168.1.2")), ..from("192.168.1.2") };
        assert!(locate(&same, &TrustedProxies::default(), &[]).is_local);
        let other = Connection { own: Some(ip("192.168.1.2")), ..from("192.168.1.3") };
        assert!(!locate(&other, &TrustedProxies::default(), &[]).is_local);
    }

    #[test]
    fn any_forwarding_header_makes_a_loopback_peer_remote() {
        let none = TrustedProxies::default();
        let headers = [
            Connection { forwarded: true, ..from("127.0.0.1") },
            Connection { forwarded_for: Some("203.0.113.9"), ..from("127.0.0.1") },
            Connection { forwarded_for: Some("127.0.0.1"), ..from("127.0.0.1") },
            Connection { forwarded_for: Some(""), ..from("127.0.0.1") },
            Connection { real_ip: Some("127.0.0.1"), ..from("::1") },
        ];
        for connection in headers {
            let found = locate(&connection, &none, &[]);
            assert!(!found.is_local && found.untrusted_proxy, "{connection:?}");
            assert_eq!(found.reported_ip, None);
            assert_eq!(found.client_ip, connection.peer, "an untrusted header names nobody");
        }
        let trusted = Connection { forwarded_for: Some("127.0.0.1"), ..from("127.0.0.1") };
        let found = locate(&trusted, &proxies(&["127.0.0.1"]), &[]);
        assert!(!found.is_local, "a trusted proxy does not make its clients local");
        assert!(!found.untrusted_proxy);
        assert_eq!(found.reported_ip, Some(ip("127.0.0.1")));
    }

    #[test]
    fn a_page_from_elsewhere_is_not_local() {
        for (origin, local) in [
            (Verdict::Native, true),
            (Verdict::Trusted, true),
            (Verdict::Named, false),
            (Verdict::Foreign, false),
        ] {
            let connection = Connection { origin, ..from("127.0.0.1") };
            assert_eq!(locate(&connection, &TrustedProxies::default(), &[]).is_local, local, "{origin:?}");
        }
        let named = Connection { origin: Verdict::Named, ..from("127.0.0.1") };
        assert!(locate(&named, &TrustedProxies::default(), &[]).untrusted_proxy);
    }

    #[test]
    fn the_client_is_the_first_untrusted_hop_from_the_right() {
        let trusted = proxies(&["10.0.0.0/8", "::1", "2001:db8:5::/48"]);
        let cases = [
            (Some("203.0.113.9"), None, "203.0.113.9"),
            (Some("1.1.1.1, 203.0.113.9"), None, "203.0.113.9"),
            (Some("127.0.0.1, 203.0.113.9, 10.1.2.3"), None, "203.0.113.9"),
            (Some("203.0.113.9:4711"), None, "203.0.113.9"),
            (Some("[2001:db8::1]:443"), None, "2001:db8::1"),
            (Some("2001:db8::1"), None, "2001:db8::1"),
            (Some("::ffff:203.0.113.9"), None, "203.0.113.9"),
            (Some("127.evil.com"), None, "10.0.0.1"),
            (Some("evil, 10.2.2.2"), None, "10.2.2.2"),
            (Some("["), None, "10.0.0.1"),
            (Some(""), Some("203.0.113.7"), "203.0.113.7"),
            (None, Some("203.0.113.7"), "203.0.113.7"),
            (None, Some("127.evil.com"), "10.0.0.1"),
            (Some("10.5.5.5"), None, "10.5.5.5"),
        ];
        for (forwarded_for, real_ip, client) in cases {
            let connection = Connection { forwarded_for, real_ip, ..from("10.0.0.1") };
            let found = locate(&connection, &trusted, &[]);
            assert_eq!(found.client_ip, ip(client), "{forwarded_for:?} {real_ip:?}");
            assert_eq!(found.reported_ip, Some(ip(client)));
            assert!(!found.is_local && !found.untrusted_proxy);
        }
    }

    #[test]
    fn a_v6_host_is_counted_by_its_network() {
        assert_eq!(bucket(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
        assert_eq!(bucket(ip("::ffff:10.0.0.1")), ip("10.0.0.1"));
        assert_ne!(bucket(ip("2001:db8:1:3::1")), bucket(ip("2001:db8:1:2::1")));
    }
}
