//! Which gateway a command asks, and with which secrets (operations 1.4 and 3.5): flag, then environment, then file;
//! a remote gateway never gets this machine's token from the environment.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use gateway_admin::v1::Listener;
use gateway_base::env::Env;
use gateway_base::paths::{DEFAULT_PORT, Paths};
use gateway_base::secret::Secret;

use crate::args::ClientOptions;
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::text::Text;
use crate::ws;

/// The shared secrets to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// The token.
    pub token: Option<Secret>,
    /// The password.
    pub password: Option<Secret>,
    /// Whether they were given on the command line: then they are used or the command fails.
    pub explicit: bool,
}

impl Secrets {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.token.is_none() && self.password.is_none()
    }

    /// What there is, in a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match (&self.token, &self.password) {
            (Some(_), Some(_)) => "token+password",
            (Some(_), None) => "token",
            (None, Some(_)) => "password",
            (None, None) => "none",
        }
    }
}

/// A gateway to ask over WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it is.
    pub url: String,
    /// Why there.
    pub source: String,
    /// The bind mode, when the address was built from it.
    pub bind: Option<String>,
    /// Whether it is the gateway of this state folder.
    pub local: bool,
    /// The file the decision came from.
    pub config: PathBuf,
    /// With what we come.
    pub secrets: Secrets,
    /// The fingerprint of the one certificate to trust.
    pub pin: Option<String>,
}

/// Why there is no target.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The configuration says "remote" and does not say where.
    #[error(
        "gateway remote mode misconfigured: gateway.remote.url missing\nConfig: {0}\nFix: set gateway.remote.url, or set gateway.mode=local."
    )]
    RemoteUrlMissing(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Exit::BadConfig, error.to_string())
    }
}

impl Target {
    /// The gateway that the options, the environment and the file mean.
    pub fn resolve(
        options: &ClientOptions,
        settings: &Settings,
        env: &Env,
        paths: &Paths,
    ) -> Result<Self, Error> {
        let secrets = secrets(options, settings, env);
        if let Some(url) = &options.url {
            let pinned = settings.text("gateway.remote.url") == Some(url);
            return Ok(Self {
                url: url.clone(),
                source: "cli --url".to_owned(),
                bind: None,
                local: false,
                config: paths.config.clone(),
                secrets,
                pin: if pinned { remote_pin(settings) } else { None },
            });
        }
        if !settings.is_remote() {
            return Ok(Self { secrets, ..Self::local(settings, env, paths, local_tailnet()) });
        }
        let missing = || Error::RemoteUrlMissing(paths.config.display().to_string());
        Ok(Self {
            url: settings.text("gateway.remote.url").ok_or_else(missing)?.to_owned(),
            source: "config gateway.remote.url".to_owned(),
            bind: None,
            local: false,
            config: paths.config.clone(),
            secrets,
            pin: remote_pin(settings),
        })
    }

    /// The gateway of this state folder, as the configuration describes it.
    #[must_use]
    pub fn local(settings: &Settings, env: &Env, paths: &Paths, tailnet: Option<Ipv4Addr>) -> Self {
        let bind = settings.text("gateway.bind").unwrap_or("loopback").to_owned();
        let tls = settings.flag("gateway.tls.enabled");
        let host = probe_host(&bind, settings.text("gateway.customBindHost"), tailnet);
        let scheme = if tls { "wss" } else { "ws" };
        let on_tailnet = tailnet.filter(|ip| host == ip.to_string());
        Self {
            url: format!("{scheme}://{host}:{}", port(settings, env)),
            source: on_tailnet
                .map_or_else(|| "local loopback".to_owned(), |ip| format!("local tailnet {ip}")),
            bind: Some(bind),
            local: true,
            config: paths.config.clone(),
            secrets: Secrets {
                token: from_env_or_file(env, "CLAWDBOT_GATEWAY_TOKEN", settings, "gateway.auth.token"),
                password: from_env_or_file(
                    env,
                    "CLAWDBOT_GATEWAY_PASSWORD",
                    settings,
                    "gateway.auth.password",
                ),
                explicit: false,
            },
            pin: if tls { local_pin(settings, paths) } else { None },
        }
    }

    /// The same gateway where it really listens: the address that was expected if it is among `listeners`, else one
    /// on loopback, else the first.
    #[must_use]
    pub fn at(mut self, listeners: &[Listener]) -> Self {
        let loopback = |listener: &&Listener| {
            ["://127.0.0.1:", "://[::1]:"].iter().any(|host| listener.url.contains(host))
        };
        let expected = listeners.iter().find(|listener| listener.url == self.url);
        let found = expected.or_else(|| listeners.iter().find(loopback)).or_else(|| listeners.first());
        if let Some(listener) = found {
            self.url = reachable(&listener.url);
            if !listener.tls_fingerprint.is_empty() {
                self.pin = Some(ws::normalise_fingerprint(&listener.tls_fingerprint));
            }
        }
        self
    }

    /// The address, where it came from, and what it rests on, as every failed connection shows them.
    #[must_use]
    pub fn details(&self) -> Text {
        let mut text = Text::default();
        text.say(format!("Gateway target: {}", self.url));
        text.say(format!("Source: {}", self.source));
        text.say(format!("Config: {}", self.config.display()));
        if let Some(bind) = &self.bind {
            text.say(format!("Bind: {bind}"));
        }
        text
    }
}

/// The port of the local gateway: environment, then file, then the default.
#[must_use]
pub fn port(settings: &Settings, env: &Env) -> u16 {
    let from_env = env.get("CLAWDBOT_GATEWAY_PORT").and_then(|raw| raw.trim().parse().ok());
    from_env.filter(|port| *port != 0).or_else(|| settings.port()).unwrap_or(DEFAULT_PORT)
}

/// Where a client on the same machine finds a gateway with this bind mode.
#[must_use]
pub fn probe_host(bind: &str, custom: Option<&str>, tailnet: Option<Ipv4Addr>) -> String {
    let address = match bind {
        "tailnet" => return tailnet.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_string()),
        "custom" => custom,
        word => Some(word),
    };
    match address.and_then(|text| text.trim_matches(['[', ']']).parse::<IpAddr>().ok()) {
        Some(IpAddr::V4(ip)) if !ip.is_unspecified() => ip.to_string(),
        Some(IpAddr::V6(ip)) if ip.is_unspecified() => "[::1]".to_owned(),
        Some(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => "127.0.0.1".to_owned(),
    }
}

/// This machine's first address in the tailnet's range, 100.64.0.0/10.
#[must_use]
pub fn local_tailnet() -> Option<Ipv4Addr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.iter().find_map(|interface| match interface.ip() {
        IpAddr::V4(ip) if ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64 => Some(ip),
        _ => None,
    })
}

/// The address of a listener on this machine; one on every address is reached over loopback.
fn reachable(url: &str) -> String {
    url.replacen("://0.0.0.0:", "://127.0.0.1:", 1).replacen("://[::]:", "://[::1]:", 1)
}

fn secrets(options: &ClientOptions, settings: &Settings, env: &Env) -> Secrets {
    if options.token.is_some() || options.password.is_some() {
        let (token, password) = (options.token.clone(), options.password.clone());
        return Secrets { token, password, explicit: true };
    }
    remote_or_local_secrets(settings, env, settings.is_remote())
}

/// The configured secrets for a remote or a local gateway.
#[must_use]
pub fn remote_or_local_secrets(settings: &Settings, env: &Env, remote: bool) -> Secrets {
    let (token, password) = if remote {
        let token = settings.text("gateway.remote.token").map(Secret::new);
        let password =
            from_env_or_file(env, "CLAWDBOT_GATEWAY_PASSWORD", settings, "gateway.remote.password");
        (token, password)
    } else {
        (
            from_env_or_file(env, "CLAWDBOT_GATEWAY_TOKEN", settings, "gateway.auth.token"),
            from_env_or_file(env, "CLAWDBOT_GATEWAY_PASSWORD", settings, "gateway.auth.password"),
        )
    };
    Secrets { token, password, explicit: false }
}

fn from_env_or_file(env: &Env, name: &str, settings: &Settings, key: &str) -> Option<Secret> {
    env.get(name).or_else(|| settings.text(key)).map(|text| Secret::new(text.trim()))
}

fn remote_pin(settings: &Settings) -> Option<String> {
    settings.text("gateway.remote.tlsFingerprint").map(ws::normalise_fingerprint)
}

/// The fingerprint of the certificate this machine's gateway serves.
fn local_pin(settings: &Settings, paths: &Paths) -> Option<String> {
    let path = settings.text("gateway.tls.certPath").map_or_else(
        || paths.state.join("gateway").join("tls").join("gateway-cert.pem"),
        |raw| paths.expand(raw),
    );
    std::fs::read(path).ok().and_then(|pem| ws::fingerprint_of_pem(&pem))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::cmds::testing::{as_on_unix, env_at};

    fn options() -> ClientOptions {
        let timeout = Duration::from_secs(10);
        ClientOptions { url: None, token: None, password: None, timeout, json: false }
    }

    fn resolve(options: &ClientOptions, config: Value, env: &[(&str, &str)]) -> Result<Target, Error> {
        let env = env_at("/home/you", env);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        Target::resolve(options, &Settings::from_value(config), &env, &paths)
    }

    fn token(target: &Target) -> Option<&str> {
        target.secrets.token.as_ref().map(Secret::expose)
    }

    #[test]
    fn a_local_target_prefers_flag_then_environment_then_file() {
        let config = json!({"gateway": {"port": 18800, "auth": {"token": "file", "password": "filepw"}}});
        let target = resolve(&options(), config.clone(), &[]).expect("is local");
        assert_eq!((target.url.as_str(), target.source.as_str()), ("ws://127.0.0.1:18800", "local loopback"));
        assert_eq!((token(&target), target.local), (Some("file"), true));
        let env = [("CLAWDBOT_GATEWAY_TOKEN", "env"), ("CLAWDBOT_GATEWAY_PORT", "19001")];
        let target = resolve(&options(), config.clone(), &env).expect("is local");
        assert_eq!((target.url.as_str(), token(&target)), ("ws://127.0.0.1:19001", Some("env")));
        let flagged = ClientOptions { token: Some(Secret::new("flag")), ..options() };
        let target = resolve(&flagged, config, &env).expect("is local");
        assert_eq!(token(&target), Some("flag"));
        assert!(target.secrets.explicit && target.secrets.password.is_none());
    }

    #[test]
    fn a_bad_port_in_the_environment_is_skipped() {
        for bad in ["0", "70000", "18789abc", "x"] {
            let target = resolve(&options(), json!({}), &[("CLAWDBOT_GATEWAY_PORT", bad)]).expect("is local");
            assert_eq!(target.url, "ws://127.0.0.1:18789", "{bad}");
        }
    }

    #[test]
    fn a_remote_target_never_gets_the_environments_token() {
        let config = json!({"gateway": {"mode": "remote", "auth": {"token": "local"},
            "remote": {"url": "wss://studio:18789", "token": "far", "tlsFingerprint": "SHA256:AA:BB"}}});
        let env = [("CLAWDBOT_GATEWAY_TOKEN", "env"), ("CLAWDBOT_GATEWAY_PASSWORD", "pw")];
        let target = resolve(&options(), config, &env).expect("is remote");
        assert_eq!((target.url.as_str(), token(&target)), ("wss://studio:18789", Some("far")));
        assert_eq!(target.source, "config gateway.remote.url");
        assert_eq!(target.pin.as_deref(), Some("aabb"));
        assert!(!target.local && target.bind.is_none());
        let missing = resolve(&options(), json!({"gateway": {"mode": "remote"}}), &[]);
        let text = as_on_unix(&missing.expect_err("there is no address").to_string());
        assert!(
            text.starts_with("gateway remote mode misconfigured: gateway.remote.url missing\nConfig: /home/")
        );
    }

    #[test]
    fn an_address_given_wins_and_is_not_pinned_to_another_ones_certificate() {
        let config = json!({"gateway": {"remote": {"url": "wss://a:1", "tlsFingerprint": "aa"}}});
        let there = |url: &str| ClientOptions { url: Some(url.to_owned()), ..options() };
        let target = resolve(&there("wss://b:1"), config.clone(), &[]).expect("is given");
        assert_eq!((target.source.as_str(), target.pin), ("cli --url", None));
        let target = resolve(&there("wss://a:1"), config, &[]).expect("is given");
        assert_eq!(target.pin.as_deref(), Some("aa"));
    }

    #[test]
    fn every_bind_mode_has_a_host_for_local_clients() {
        let tailnet = Some(Ipv4Addr::new(100, 100, 1, 2));
        for (bind, custom, tailnet, host) in [
            ("loopback", None, tailnet, "127.0.0.1"),
            ("lan", None, tailnet, "127.0.0.1"),
            ("auto", None, tailnet, "127.0.0.1"),
            ("tailnet", None, tailnet, "100.100.1.2"),
            ("tailnet", None, None, "127.0.0.1"),
            ("custom", Some("192.168.1.5"), None, "192.168.1.5"),
            ("custom", Some("0.0.0.0"), None, "127.0.0.1"),
            ("custom", None, None, "127.0.0.1"),
            ("10.0.0.5", None, None, "10.0.0.5"),
            ("::1", None, None, "[::1]"),
            ("[::]", None, None, "[::1]"),
        ] {
            assert_eq!(probe_host(bind, custom, tailnet), host, "{bind}");
        }
    }

    #[test]
    fn the_running_gateway_knows_best_where_it_listens() {
        let at = |urls: &[&str]| {
            let listener = |url: &&str| Listener { url: (*url).to_owned(), ..Listener::default() };
            let listeners: Vec<Listener> = urls.iter().map(listener).collect();
            resolve(&options(), json!({}), &[]).expect("is local").at(&listeners).url
        };
        assert_eq!(at(&[]), "ws://127.0.0.1:18789");
        assert_eq!(at(&["ws://10.0.0.5:19001", "ws://127.0.0.1:19001"]), "ws://127.0.0.1:19001");
        assert_eq!(at(&["ws://0.0.0.0:19001"]), "ws://127.0.0.1:19001");
        assert_eq!(at(&["wss://10.0.0.5:19001"]), "wss://10.0.0.5:19001");
        assert_eq!(at(&["ws://[::]:1"]), "ws://[::1]:1");
        let tls =
            Listener { url: "wss://127.0.0.1:1".to_owned(), tls_fingerprint: "SHA256:AA:BB".to_owned() };
        let target = resolve(&options(), json!({}), &[]).expect("is local").at(&[tls]);
        assert_eq!(target.pin.as_deref(), Some("aabb"), "its certificate is the one to trust");
    }

    #[test]
    fn details_are_the_shared_block() {
        let target = resolve(&options(), json!({}), &[]).expect("is local");
        assert_eq!(
            as_on_unix(&target.details().plain()),
            "Gateway target: ws://127.0.0.1:18789\nSource: local loopback\nConfig: /home/you/.clawdbot/clawdbot.json\nBind: loopback\n"
        );
    }
}
