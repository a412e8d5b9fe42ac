//! What decides who can reach the gateway and with what.

use std::net::IpAddr;
use std::path::PathBuf;

use gateway_base::net;
use gateway_base::secret::Secret;
use gateway_config::Config;
use gateway_config::sections::{AuthMode, Bind, Gateway};

use super::Facts;

/// What is known beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct AccessFacts {
    /// `CLAWDBOT_GATEWAY_TOKEN`.
    pub env_token: Option<Secret>,
    /// `CLAWDBOT_GATEWAY_PASSWORD`.
    pub env_password: Option<Secret>,
    /// The addresses of this machine, loopback left out.
    pub interfaces: Vec<IpAddr>,
    /// Whether this is a container.
    pub in_container: bool,
    /// The `tailscale` program.
    pub tailscale: Option<PathBuf>,
    /// This machine's own device key.
    pub identity: Identity,
}

/// This machine's own device key and the tokens that were issued to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its id, when there is one.
    pub id: Option<String>,
    /// Why the file is of no use.
    pub damaged: Option<String>,
    /// The device the kept tokens belong to.
    pub tokens_of: Option<String>,
}

/// What clients have to present.
#[derive(Clone, Copy, Debug)]
pub enum Auth<'a> {
    /// Nothing.
    None,
    /// A token.
    Token(&'a Secret),
    /// A password.
    Password(&'a Secret),
    /// A mode that is set without its secret: `token` or `password`.
    Missing(&'static str),
}

impl Auth<'_> {
    /// Whether there is a secret.
    #[must_use]
    pub const fn is_set(self) -> bool {
        matches!(self, Self::Token(_) | Self::Password(_))
    }
}

impl Facts {
    /// What a daemon would ask of its clients: the file, then the environment, as it resolves them itself.
    #[must_use]
    pub fn auth<'a>(&'a self, config: &'a Config) -> Auth<'a> {
        let auth = &config.gateway.auth;
        let set = |secret: &'a Option<Secret>| secret.as_ref().filter(|secret| !secret.is_blank());
        let token = set(&auth.token).or_else(|| set(&self.access.env_token));
        let password = set(&auth.password).or_else(|| set(&self.access.env_password));
        match (auth.mode, token, password) {
            (Some(AuthMode::Token), Some(token), _) | (None, Some(token), None) => Auth::Token(token),
            (Some(AuthMode::Password) | None, _, Some(password)) => Auth::Password(password),
            (Some(AuthMode::Token), None, _) => Auth::Missing("token"),
            (Some(AuthMode::Password), _, None) => Auth::Missing("password"),
            (None, None, None) => Auth::None,
        }
    }

    /// Whether other machines can reach the gateway: by what it listens on, or by what it would.
    #[must_use]
    pub fn is_reachable(&self, config: &Config) -> bool {
        match self.answers() {
            Some(answers) => answers.status.listeners.iter().any(|listener| !is_local(&listener.url)),
            None => goes_beyond(&config.gateway, self.auth(config).is_set()),
        }
    }
}

/// Whether a listener's address is this machine only.
#[must_use]
pub fn is_local(url: &str) -> bool {
    host(url).is_some_and(net::is_loopback)
}

/// The address in a listener's URL.
#[must_use]
pub fn host(url: &str) -> Option<IpAddr> {
    let (_, rest) = url.split_once("://")?;
    let (host, _) = rest.trim_end_matches('/').rsplit_once(':')?;
    net::parse_address(host)
}

/// Whether the bind mode leads beyond this machine.
#[must_use]
pub fn goes_beyond(gateway: &Gateway, has_auth: bool) -> bool {
    match gateway.bind {
        Bind::Loopback => false,
        Bind::Auto => has_auth,
        Bind::Lan | Bind::Tailnet => true,
        Bind::Custom => {
            let address = gateway.custom_bind_host.as_deref().and_then(net::parse_address);
            address.is_some_and(|address| !net::is_loopback(address))
        }
        Bind::Address(address) => !net::is_loopback(address),
    }
}
