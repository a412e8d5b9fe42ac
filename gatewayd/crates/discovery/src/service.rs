//! The names that announcer and browser share.

/// The service type of a gateway.
pub const SERVICE: &str = "_clawdbot-gw._tcp";

/// The domain of the local network.
pub const LOCAL: &str = "local.";

/// The domain of a tailnet.
pub const WIDE_AREA: &str = "clawdbot.internal.";

/// Where gateways are looked for.
pub const DOMAINS: [&str; 2] = [LOCAL, WIDE_AREA];

/// The service type with the local domain.
pub(crate) fn local_type() -> String {
    format!("{SERVICE}.{LOCAL}")
}
