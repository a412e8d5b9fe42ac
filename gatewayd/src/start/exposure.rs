//! How far Tailscale publishes the gateway, and what that demands: a listener that only this machine reaches, so that
//! nobody gets past Tailscale's proxy, and a password before the internet may knock (operations 8.1).

use gateway_adapters::tailscale::Reach;
use gateway_base::net;
use gateway_config::sections::{Bind, Gateway, TailscaleMode};

use super::auth::Auth;
use crate::args::Args;
use crate::bind::{Facts, Plan};
use crate::exit::{Exit, Refusal};

/// What the flags and the configuration ask of Tailscale, each where it is given, the flag first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// To whom the gateway is published.
    pub reach: Option<Reach>,
    /// Whether that is taken back at the end.
    pub reset_on_exit: bool,
}

impl Exposure {
    /// What is asked for. The word of the flag has been checked.
    #[must_use]
    pub fn resolve(args: &Args, config: &Gateway) -> Self {
        let reach = match (args.tailscale.as_deref(), config.tailscale.mode) {
            (Some("serve"), _) | (None, TailscaleMode::Serve) => Some(Reach::Serve),
            (Some("funnel"), _) | (None, TailscaleMode::Funnel) => Some(Reach::Funnel),
            _ => None,
        };
        Self { reach, reset_on_exit: args.tailscale_reset_on_exit || config.tailscale.reset_on_exit }
    }

    /// Refuses what would be reachable past Tailscale or open to the internet.
    pub fn check(self, bind: Bind, auth: &Auth, config: &Gateway) -> Result<(), Refusal> {
        let Some(reach) = self.reach else { return Ok(()) };
        needs(reach, auth, names_count(Some(reach), auth, config)).map_err(refused)?;
        let facts = Facts {
            custom_host: config.custom_bind_host.as_deref(),
            interfaces: &[],
            has_auth: !auth.is_none(),
        };
        // A setting that makes no plan is refused with its own words when the listener is opened.
        let is_loopback = |plan: Plan| plan.all().all(net::is_loopback);
        if bind == Bind::Tailnet || !Plan::new(bind, facts).map_or(true, is_loopback) {
            return Err(refused(
                "tailscale serve/funnel requires gateway bind=loopback (127.0.0.1)".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Whether people of the tailnet may come in by name.
#[must_use]
pub fn names_count(reach: Option<Reach>, auth: &Auth, config: &Gateway) -> bool {
    let by_default = reach == Some(Reach::Serve) && !matches!(auth, Auth::Password(_));
    config.auth.allow_tailscale.unwrap_or(by_default)
}

/// What has to be proved by whoever comes through Tailscale; also asked when the configuration changes.
pub fn needs(reach: Reach, auth: &Auth, names_count: bool) -> Result<(), String> {
    match (reach, auth) {
        (Reach::Funnel, Auth::None | Auth::Token(_)) => Err(
            "tailscale funnel requires gateway auth mode=password (set gateway.auth.password or CLAWDBOT_GATEWAY_PASSWORD)"
                .to_owned(),
        ),
        (Reach::Serve, Auth::None) if !names_count => Err(
            "tailscale serve requires gateway auth (set gateway.auth.token or gateway.auth.password, or gateway.auth.allowTailscale to true)"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}

fn refused(message: String) -> Refusal {
    Refusal::new(Exit::Refused, [format!("Gateway failed to start: Error: {message}")])
}
