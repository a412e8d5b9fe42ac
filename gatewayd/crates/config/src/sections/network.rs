//! An address or a range of addresses in CIDR notation.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// One address or range. IPv4 addresses in IPv6 clothes count as IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// The text is neither an address nor a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an IP address or CIDR range")]
pub struct NotANetwork;

impl Network {
    /// Whether `address` lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let shifted = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => u128::from(u32::from(ip)).checked_shr(u32::from(32 - self.prefix.min(32))),
            IpAddr::V6(ip) => u128::from(ip).checked_shr(u32::from(128 - self.prefix)),
        };
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4()
            && shifted(address).unwrap_or(0) == shifted(self.base).unwrap_or(0)
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text.trim(), None),
        };
        let given: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let most = if given.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().map_err(|_| NotANetwork)?
            }
            Some(_) => return Err(NotANetwork),
            None => most,
        };
        if prefix > most {
            return Err(NotANetwork);
        }
        match given {
            IpAddr::V6(ip) if is_mapped(ip) && prefix >= 96 => {
                Ok(Self { base: given.to_canonical(), prefix: prefix - 96 })
            }
            base => Ok(Self { base, prefix }),
        }
    }
}

fn is_mapped(ip: Ipv6Addr) -> bool {
    ip.to_ipv4_mapped().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_they_should() {
        for (range, address, inside) in [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("::ffff:10.0.0.0/104", "10.9.9.9", true),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "fe80::1", true),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
        ] {
            let network: Network = range.parse().expect(range);
            assert_eq!(network.contains(address.parse().expect(address)), inside, "{address} in {range}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "proxy.local", "::1/129", "1.2.3.4/8/8"] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }
}
