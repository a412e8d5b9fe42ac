//! The address of the page. With the token in it, whoever has the link can do everything; so the two are made apart.

use std::net::Ipv4Addr;

use gateway_base::env::Env;
use gateway_base::secret::Secret;

use crate::settings::Settings;
use crate::target;

/// Where the page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// For a browser on this machine.
    pub here: String,
    /// For the network this machine is in, when the gateway listens there.
    pub network: Option<String>,
    /// What lets a browser in.
    pub token: Option<Secret>,
    /// The port.
    pub port: u16,
    /// The path, with slashes around it.
    pub path: String,
}

impl Link {
    /// The page of the configured gateway; `None` when there is none. `lan` is this machine's address in its network.
    #[must_use]
    pub fn of(
        settings: &Settings,
        env: &Env,
        lan: Option<Ipv4Addr>,
        tailnet: Option<Ipv4Addr>,
    ) -> Option<Self> {
        if settings.denied("gateway.controlUi.enabled") {
            return None;
        }
        let tls = settings.flag("gateway.tls.enabled");
        let scheme = if tls { "https" } else { "http" };
        let port = target::port(settings, env);
        let inner = settings.text("gateway.controlUi.basePath").unwrap_or_default().trim_matches('/');
        let path = if inner.is_empty() { "/".to_owned() } else { format!("/{inner}/") };
        let bind = settings.text("gateway.bind").unwrap_or("loopback");
        let host = target::probe_host(bind, settings.text("gateway.customBindHost"), tailnet);
        let at = |host: &str| format!("{scheme}://{host}:{port}{path}");
        let local = ["127.0.0.1", "[::1]"].contains(&host.as_str());
        let network = match bind {
            "lan" | "auto" => lan.map(|ip| at(&ip.to_string())),
            _ if local => None,
            _ => Some(at(&host)),
        };
        let is_password = settings.text("gateway.auth.mode") == Some("password");
        let token = env.get("CLAWDBOT_GATEWAY_TOKEN").or_else(|| settings.text("gateway.auth.token"));
        let token = token.filter(|_| !is_password).map(|text| Secret::new(text.trim()));
        Some(Self { here: at(&host), network, token, port, path })
    }

    /// An address of the page with the token in it.
    #[must_use]
    pub fn with_token(&self, address: &str) -> Secret {
        match &self.token {
            Some(token) => Secret::new(format!("{address}?token={}", escape(token.expose()))),
            None => Secret::new(address),
        }
    }
}

/// Everything that is not a letter, a digit or one of `-_.~` as the numbers of its bytes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn link(gateway: Value) -> Option<Link> {
        let settings = Settings::from_value(json!({ "gateway": gateway }));
        let lan = Some(Ipv4Addr::new(192, 168, 1, 7));
        Link::of(&settings, &Env::default(), lan, Some(Ipv4Addr::new(100, 64, 0, 1)))
    }

    #[test]
    fn the_link_follows_how_the_gateway_listens() {
        let of = |gateway| link(gateway).map(|link| (link.here, link.network)).expect("a page");
        assert_eq!(of(json!({})), ("http://127.0.0.1:18789/".to_owned(), None));
        assert_eq!(
            of(json!({ "bind": "lan", "port": 1, "tls": { "enabled": true } })),
            ("https://127.0.0.1:1/".to_owned(), Some("https://192.168.1.7:1/".to_owned()))
        );
        let tailnet = "http://100.64.0.1:18789/ui/".to_owned();
        assert_eq!(
            of(json!({ "bind": "tailnet", "controlUi": { "basePath": "/ui" } })),
            (tailnet.clone(), Some(tailnet))
        );
        assert_eq!(of(json!({ "bind": "custom", "customBindHost": "10.0.0.7" })).0, "http://10.0.0.7:18789/");
        assert_eq!(link(json!({ "controlUi": { "enabled": false } })), None);
    }

    #[test]
    fn the_token_is_added_as_one_word_and_a_password_never() {
        let with = |auth: Value| {
            let link = link(json!({ "auth": auth })).expect("a page");
            link.with_token("http://h/").expose().to_owned()
        };
        assert_eq!(with(json!({ "token": "a b&c/é~" })), "http://h/?token=a%20b%26c%2F%C3%A9~");
        assert_eq!(with(json!({ "mode": "password", "token": "t", "password": "p" })), "http://h/");
        assert_eq!(with(json!({})), "http://h/");
    }
}
