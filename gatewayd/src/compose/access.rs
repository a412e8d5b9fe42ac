//! Who may connect, as the configuration, the flags and the environment say it now.

use std::net::{IpAddr, SocketAddr};

use gateway_api::context::Access;
use gateway_base::env::Env;
use gateway_base::net;
use gateway_config::Config;
use gateway_domain::auth::locality::TrustedProxies;
use gateway_domain::auth::secret::Mode;

use crate::args::Args;
use crate::start::auth::{self, Auth};
use crate::start::exposure::{self, Exposure};

/// What does not change while the process runs.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The flags.
    pub args: Args,
    /// The environment.
    pub env: Env,
    /// To whom Tailscale publishes it.
    pub exposure: Exposure,
    /// Where the gateway listens.
    pub listening: Vec<SocketAddr>,
    /// This machine's own tailnet addresses.
    pub own_tailnet: Vec<IpAddr>,
}

impl Fixed {
    /// Access under `config`. Refused when it would leave a reachable gateway without authentication (rule R23), or when
    /// the secret that it demands is missing.
    pub fn access(&self, config: &Config) -> Result<Access, String> {
        let auth = auth::resolve(&self.args, &config.gateway, &self.env)
            .map_err(|refusal| refusal.lines.join(" "))?;
        let reachable = self.listening.iter().find(|address| !net::is_loopback(address.ip()));
        if let (true, Some(address)) = (auth.is_none(), reachable) {
            return Err(format!(
                "without gateway.auth.token or gateway.auth.password, {address} would be open to everybody"
            ));
        }
        let reach = self.exposure.reach;
        let allow_tailscale = exposure::names_count(reach, &auth, &config.gateway);
        if let Some(reach) = reach {
            exposure::needs(reach, &auth, allow_tailscale)?;
        }
        Ok(Access {
            mode: mode(auth),
            allow_tailscale,
            proxies: TrustedProxies::from(config.gateway.trusted_proxies.clone()),
            origins: config.gateway.control_ui.allowed_origins.clone(),
            insecure_control_ui: config.gateway.control_ui.allow_insecure_auth,
            own_tailnet: self.own_tailnet.clone(),
        })
    }
}

fn mode(auth: Auth) -> Mode {
    match auth {
        Auth::None => Mode::None,
        Auth::Token(secret) => Mode::Token(Some(secret)),
        Auth::Password(secret) => Mode::Password(Some(secret)),
    }
}
