//! The address of the page. With the token in it, whoever has the link can do everything; so the two are made apart.

use std::net::Ipv4Addr;

use gateway_admin::v1::Listener;
use gateway_base::env::Env;
use gateway_base::secret::Secret;

use crate::settings::Settings;
use crate::target::Target;

/// Where the page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// For a browser on this machine.
    pub here: String,
    /// For the network this machine is in, when the gateway listens there.
    pub network: Option<String>,
    /// Whether a browser needs a token.
    pub needs_token: bool,
    /// What lets a browser in, as far as the configuration knows it.
    pub token: Option<Secret>,
    /// The port.
    pub port: u16,
    /// The path, with slashes around it.
    pub path: String,
}

/// A gateway that runs, as it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Where it listens.
    pub listeners: Vec<Listener>,
    /// How operators authenticate: `none`, `token` or `password`.
    pub auth_mode: String,
}

impl Link {
    /// The page of this machine's gateway; `None` when it has none. Where one runs is its own word, because its port and
    /// its secret may have come from flags; `configured` is where one would. `lan` is this machine's address in its
    /// network.
    #[must_use]
    pub fn of(
        settings: &Settings,
        env: &Env,
        configured: Target,
        running: Option<&Running>,
        lan: Option<Ipv4Addr>,
    ) -> Option<Self> {
        if settings.denied("gateway.controlUi.enabled") {
            return None;
        }
        let inner = settings.text("gateway.controlUi.basePath").unwrap_or_default().trim_matches('/');
        let path = if inner.is_empty() { "/".to_owned() } else { format!("/{inner}/") };
        let expected = [expected(&configured)];
        let listeners = running.map_or(&expected[..], |running| &running.listeners);
        // `ws` becomes `http`, and `wss` `https`.
        let page = |url: &str| format!("{}{path}", url.replacen("ws", "http", 1));
        let network = listeners.iter().find_map(|listener| outward(&listener.url, lan));
        let here = configured.at(listeners).url;
        let mode = running.map_or_else(|| settings.text("gateway.auth.mode"), |at| Some(&at.auth_mode));
        let token = env.get("CLAWDBOT_GATEWAY_TOKEN").or_else(|| settings.text("gateway.auth.token"));
        let token = token.map(|text| Secret::new(text.trim()));
        let needs_token = mode.map_or(token.is_some(), |mode| mode == "token");
        Some(Self {
            port: here.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default(),
            here: page(&here),
            network: network.map(|url| page(&url)),
            needs_token,
            token: token.filter(|_| needs_token),
            path,
        })
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

/// The listener that the configuration leads to.
fn expected(configured: &Target) -> Listener {
    let url = match configured.bind.as_deref() {
        Some("lan" | "auto") => configured.url.replacen("127.0.0.1", "0.0.0.0", 1),
        _ => configured.url.clone(),
    };
    Listener { url, ..Listener::default() }
}

/// How the network reaches a listener, if it does.
fn outward(url: &str, lan: Option<Ipv4Addr>) -> Option<String> {
    let is_on = |host: &str| url.contains(&format!("://{host}:"));
    if is_on("127.0.0.1") || is_on("[::1]") {
        return None;
    }
    match ["0.0.0.0", "[::]"].into_iter().find(|host| is_on(host)) {
        Some(every) => lan.map(|ip| url.replacen(every, &ip.to_string(), 1)),
        None => Some(url.to_owned()),
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
    use gateway_base::paths::Paths;
    use serde_json::{Value, json};

    use super::*;
    use crate::cmds::testing::env_at;

    fn link(gateway: Value, running: Option<&Running>) -> Option<Link> {
        let settings = Settings::from_value(json!({ "gateway": gateway }));
        let env = env_at("/home/you", &[]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        let configured = Target::local(&settings, &env, &paths, Some(Ipv4Addr::new(100, 64, 0, 1)));
        Link::of(&settings, &env, configured, running, Some(Ipv4Addr::new(192, 168, 1, 7)))
    }

    #[test]
    fn the_link_follows_how_the_gateway_will_listen() {
        let of = |gateway| link(gateway, None).map(|link| (link.here, link.network)).expect("a page");
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
        assert_eq!(link(json!({ "controlUi": { "enabled": false } }), None), None);
    }

    #[test]
    fn a_gateway_that_runs_knows_better_than_its_configuration() {
        let of = |urls: &[&str], auth_mode: &str| {
            let listener = |url: &&str| Listener { url: (*url).to_owned(), ..Listener::default() };
            let running =
                Running { listeners: urls.iter().map(listener).collect(), auth_mode: auth_mode.to_owned() };
            link(json!({ "bind": "lan", "auth": { "token": "t" } }), Some(&running)).expect("a page")
        };
        let local = of(&["ws://127.0.0.1:19001", "ws://[::1]:19001"], "token");
        assert_eq!((local.here.as_str(), local.port), ("http://127.0.0.1:19001/", 19001));
        assert!(local.network.is_none() && local.needs_token && local.token.is_some());
        let wide = of(&["wss://0.0.0.0:19001"], "none");
        assert_eq!(wide.here, "https://127.0.0.1:19001/");
        assert_eq!(wide.network.as_deref(), Some("https://192.168.1.7:19001/"));
        assert!(!wide.needs_token && wide.token.is_none());
        let one = of(&["ws://10.0.0.7:1"], "password");
        assert_eq!(
            (one.here.as_str(), one.network.as_deref()),
            ("http://10.0.0.7:1/", Some("http://10.0.0.7:1/"))
        );
        assert!(!one.needs_token && one.token.is_none());
    }

    #[test]
    fn the_token_is_added_as_one_word_and_a_password_never() {
        let with = |auth: Value| {
            let link = link(json!({ "auth": auth }), None).expect("a page");
            link.with_token("http://h/").expose().to_owned()
        };
        assert_eq!(with(json!({ "token": "a b&c/é~" })), "http://h/?token=a%20b%26c%2F%C3%A9~");
        assert_eq!(with(json!({ "mode": "password", "token": "t", "password": "p" })), "http://h/");
        assert_eq!(with(json!({})), "http://h/");
    }
}
