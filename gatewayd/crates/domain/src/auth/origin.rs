//! Whether a web page may open a socket here. Browsers let any page connect to this machine and only tell which page
//! it is, so the `Origin` header is judged on every upgrade, whatever other headers say (rule R21). Programs send
//! none. A page under a DNS name is accepted when it talks to its own host, but it never counts as local: the name
//! may have been rebound to this machine a moment ago.

use std::net::IpAddr;

/// What the `Origin` header of an upgrade means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No `Origin`: a program, not a page.
    Native,
    /// A page this gateway served under an address or `localhost`, or one that is on the allow list.
    Trusted,
    /// A page on the host and port it connects to, by DNS name. It may connect with credentials.
    Named,
    /// Anything else; refuse the upgrade.
    Foreign,
}

impl Verdict {
    /// Whether the upgrade may go on.
    #[must_use]
    pub const fn accepted(self) -> bool {
        !matches!(self, Self::Foreign)
    }

    /// Whether the peer may still count as local.
    #[must_use]
    pub const fn keeps_local(self) -> bool {
        matches!(self, Self::Native | Self::Trusted)
    }
}

/// Judges `origin` against the `host` header and the allow list `gateway.controlUi.allowedOrigins`.
#[must_use]
pub fn check<S: AsRef<str>>(origin: Option<&str>, host: Option<&str>, allowed: &[S]) -> Verdict {
    let Some(origin) = origin else { return Verdict::Native };
    let Some(page) = Page::parse(origin) else { return Verdict::Foreign };
    if allowed.iter().filter_map(|entry| Page::parse(entry.as_ref())).any(|entry| entry == page) {
        return Verdict::Trusted;
    }
    let Some((host, port)) = host.and_then(split_host) else { return Verdict::Foreign };
    if port.or_else(|| default_port(page.scheme)) != Some(page.port) {
        return Verdict::Foreign;
    }
    match (&page.host, &host) {
        (Host::Name(page), Host::Name(host)) if page == host => Verdict::Named,
        (Host::Address(page), Host::Address(host)) if page == host => Verdict::Trusted,
        (page, host) if page.is_loopback() && host.is_loopback() => Verdict::Trusted,
        _ => Verdict::Foreign,
    }
}

/// Whether `entry` can stand in the allow list: scheme, host and perhaps a port, nothing more.
#[must_use]
pub fn is_valid_entry(entry: &str) -> bool {
    Page::parse(entry).is_some()
}

#[derive(PartialEq, Eq)]
struct Page {
    scheme: Scheme,
    host: Host,
    port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    Other,
}

/// `localhost` is kept apart from other names because it cannot be rebound.
#[derive(PartialEq, Eq)]
enum Host {
    Localhost,
    Address(IpAddr),
    Name(String),
}

impl Host {
    fn is_loopback(&self) -> bool {
        match self {
            Self::Localhost => true,
            Self::Address(address) => address.is_loopback(),
            Self::Name(_) => false,
        }
    }
}

impl Page {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => Scheme::Other,
        };
        let (host, port) = split_host(rest.strip_suffix('/').unwrap_or(rest))?;
        // Schemes of browser extensions and app shells have no port; zero stands for that.
        let port = port.or_else(|| default_port(scheme)).unwrap_or(0);
        Some(Self { scheme, host, port })
    }
}

const fn default_port(scheme: Scheme) -> Option<u16> {
    match scheme {
        Scheme::Http => Some(80),
        Scheme::Https => Some(443),
        Scheme::Other => None,
    }
}

/// `name`, `name:port`, `v4:port`, `[v6]:port`; nothing with a path, a user or white space.
fn split_host(text: &str) -> Option<(Host, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            let port = match rest {
                "" => None,
                port => Some(port.strip_prefix(':')?),
            };
            (Host::Address(address.parse().map(IpAddr::V6).ok()?), port)
        }
        None => {
            let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
            (parse_name(name)?, port)
        }
    };
    let port = match port {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
        Some(_) => return None,
        None => None,
    };
    Some((host, port))
}

fn parse_name(name: &str) -> Option<Host> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if name.is_empty() || !name.bytes().all(plain) {
        return None;
    }
    let name = name.to_ascii_lowercase();
    if name == "localhost" {
        return Some(Host::Localhost);
    }
    Some(name.parse().map_or(Host::Name(name), Host::Address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [&str; 0] = [];

    #[test]
    fn table_of_origins() {
        use Verdict::{Foreign, Named, Native, Trusted};
        let cases = [
            (None, Some("127.0.0.1:18789"), Native),
            (None, None, Native),
            (None, Some("evil.example"), Native),
            (Some("http://127.0.0.1:18789"), Some("127.0.0.1:18789"), Trusted),
            (Some("http://localhost:18789"), Some("127.0.0.1:18789"), Trusted),
            (Some("http://[::1]:18789"), Some("localhost:18789"), Trusted),
            (Some("http://LOCALHOST:18789"), Some("[::1]:18789"), Trusted),
            (Some("https://192.168.1.2:18789"), Some("192.168.1.2:18789"), Trusted),
            (Some("http://localhost"), Some("localhost"), Trusted),
            (Some("http://localhost:80"), Some("localhost"), Trusted),
            (Some("https://gw.tail1234.ts.net"), Some("gw.tail1234.ts.net"), Named),
            (Some("https://gw.example.com"), Some("GW.example.com:443"), Named),
            (Some("http://evil.example:18789"), Some("evil.example:18789"), Named),
            (Some("http://localhost:3000"), Some("localhost:18789"), Foreign),
            (Some("https://localhost"), Some("localhost:80"), Foreign),
            (Some("http://evil.example"), Some("127.0.0.1:18789"), Foreign),
            (Some("http://evil.example:18789"), Some("127.0.0.1:18789"), Foreign),
            (Some("http://127.evil.com:18789"), Some("127.0.0.1:18789"), Foreign),
            (Some("http://localhost.evil.com:18789"), Some("localhost:18789"), Foreign),
            (Some("http://192.168.1.3:18789"), Some("192.168.1.2:18789"), Foreign),
            (Some("http://localhost:18789@evil.example"), Some("localhost:18789"), Foreign),
            (Some("http://localhost:18789/x"), Some("localhost:18789"), Foreign),
            (Some("null"), Some("127.0.0.1:18789"), Foreign),
            (Some(""), Some("127.0.0.1:18789"), Foreign),
            (Some("file://"), Some("127.0.0.1:18789"), Foreign),
            (Some("chrome-extension://abc"), Some("abc"), Foreign),
            (Some("http://127.0.0.1:18789"), None, Foreign),
            (Some("http://127.0.0.1:99999"), Some("127.0.0.1:99999"), Foreign),
            (Some("http://127.0.0.1:+1"), Some("127.0.0.1:+1"), Foreign),
        ];
        for (origin, host, verdict) in cases {
            assert_eq!(check(origin, host, &NONE), verdict, "{origin:?} at {host:?}");
        }
    }

    #[test]
    fn listed_pages_may_connect_from_anywhere() {
        let allowed = ["https://panel.example.com/", "chrome-extension://abc", "http://10.0.0.1:3000"];
        for origin in ["https://panel.example.com", "https://PANEL.example.com:443", "chrome-extension://abc"]
        {
            assert_eq!(check(Some(origin), Some("127.0.0.1:18789"), &allowed), Verdict::Trusted, "{origin}");
        }
        for origin in
            ["http://panel.example.com", "https://panel.example.com:8443", "https://x.panel.example.com"]
        {
            assert_eq!(check(Some(origin), Some("127.0.0.1:18789"), &allowed), Verdict::Foreign, "{origin}");
        }
        assert!(!is_valid_entry("*") && !is_valid_entry("null") && is_valid_entry("https://a.b:1"));
    }
}
