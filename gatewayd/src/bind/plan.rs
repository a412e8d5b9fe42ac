//! From a mode to the addresses to try, without touching a socket. A mode may fall back to fewer people who can
//! reach the gateway, never to more.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gateway_base::net;
use gateway_config::sections::Bind;

const V4_LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6_LOOPBACK: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// What is known about this machine and this start.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// `gateway.customBindHost`.
    pub custom_host: Option<&'a str>,
    /// The addresses of the interfaces, loopback left out.
    pub interfaces: &'a [IpAddr],
    /// There is a secret.
    pub has_auth: bool,
}

/// Addresses to try in order; the first that is there is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The addresses the mode asks for.
    pub wanted: Vec<IpAddr>,
    /// Addresses to use, with a warning, when none of those is there.
    pub fallback: Vec<IpAddr>,
    /// Something a person should know about the choice.
    pub note: Option<String>,
}

/// `gateway.customBindHost` is missing or not an address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("gateway.bind is \"custom\", but gateway.customBindHost is {}; set it to an address of this machine", .0.as_ref().map_or("not set".to_owned(), |v| format!("{v:?}")))]
pub struct Error(Option<String>);

impl Plan {
    /// The addresses for `mode`.
    pub fn new(mode: Bind, facts: Facts<'_>) -> Result<Self, Error> {
        let only = |wanted: Vec<IpAddr>| Self { wanted, fallback: Vec::new(), note: None };
        Ok(match mode {
            Bind::Loopback => only(vec![V4_LOOPBACK, V6_LOOPBACK]),
            Bind::Auto if !facts.has_auth => Self {
                note: Some("auto bind: no gateway auth configured; staying on loopback".into()),
                ..only(vec![V4_LOOPBACK, V6_LOOPBACK])
            },
            // Without IPv4 on the machine the second address is the only way to be on its network.
            Bind::Lan | Bind::Auto => only(vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]),
            Bind::Tailnet => Self {
                wanted: tailnet(facts.interfaces),
                fallback: vec![V4_LOOPBACK, V6_LOOPBACK],
                note: None,
            },
            Bind::Custom => {
                let host = facts.custom_host.map(str::trim).filter(|host| !host.is_empty());
                let ip = host.and_then(net::parse_address).ok_or_else(|| Error(host.map(str::to_owned)))?;
                only(vec![ip])
            }
            Bind::Address(ip) => only(vec![ip]),
        })
    }

    /// Every address that may end up being used.
    pub fn all(&self) -> impl Iterator<Item = IpAddr> {
        self.wanted.iter().chain(&self.fallback).copied()
    }
}

/// Whether `mode` can never be reached from another machine.
#[must_use]
pub fn is_loopback_only(mode: Bind) -> bool {
    match mode {
        Bind::Loopback => true,
        Bind::Address(ip) => net::is_loopback(ip),
        Bind::Lan | Bind::Tailnet | Bind::Auto | Bind::Custom => false,
    }
}

/// IPv4 before IPv6, each in interface order.
fn tailnet(interfaces: &[IpAddr]) -> Vec<IpAddr> {
    let (v4, v6): (Vec<_>, Vec<_>) =
        interfaces.iter().filter(|ip| net::is_tailnet(**ip)).partition(|ip| ip.is_ipv4());
    v4.into_iter().chain(v6).collect()
}
