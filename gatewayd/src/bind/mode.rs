//! The words and addresses that say where to listen.

use std::fmt;
use std::net::IpAddr;

use gateway_base::net;

/// Where the gateway listens, as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// This machine only.
    Loopback,
    /// All IPv4 addresses of this machine.
    Lan,
    /// The address this machine has on its tailnet.
    Tailnet,
    /// As `Lan` when there is a secret, else as `Loopback`.
    Auto,
    /// The address in `gateway.customBindHost`.
    Custom,
    /// Exactly this address.
    Address(IpAddr),
}

impl Mode {
    /// A mode word, or a plain IPv4 or IPv6 address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim() {
            "loopback" => Self::Loopback,
            "lan" => Self::Lan,
            "tailnet" => Self::Tailnet,
            "auto" => Self::Auto,
            "custom" => Self::Custom,
            other => Self::Address(net::parse_address(other)?),
        })
    }

    /// Whether this can never be reached from another machine.
    #[must_use]
    pub fn is_loopback_only(&self) -> bool {
        match self {
            Self::Loopback => true,
            Self::Address(ip) => net::is_loopback(*ip),
            Self::Lan | Self::Tailnet | Self::Auto | Self::Custom => false,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("loopback"),
            Self::Lan => f.write_str("lan"),
            Self::Tailnet => f.write_str("tailnet"),
            Self::Auto => f.write_str("auto"),
            Self::Custom => f.write_str("custom"),
            Self::Address(ip) => write!(f, "{ip}"),
        }
    }
}
