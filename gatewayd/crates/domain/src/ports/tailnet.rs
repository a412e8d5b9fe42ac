//! What the domain asks of the tailnet this machine may be part of: whose device an address is. The answer comes from
//! the machine's own Tailscale, never from the request that is judged.

use std::net::IpAddr;

use super::BoxFuture;

/// A person of the tailnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The login, usually a mail address.
    pub login: String,
}

/// Nobody could be asked, or the answer made no sense; the text says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unknown(pub String);

/// Knows who is behind an address.
pub trait Whois: Send + Sync + 'static {
    /// The person whose device has `address`; `None` for a device that belongs to nobody. Takes a few seconds at most.
    fn whois(&self, address: IpAddr) -> BoxFuture<'_, Result<Option<User>, Unknown>>;
}
