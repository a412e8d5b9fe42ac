//! Ends sessions whose secret is not valid any more, so that a rotation shuts out whoever had the old one (GHSA-68x5).

use std::sync::Arc;

use gateway_api::caller::Grant;
use gateway_api::connect::TOKEN_INVALID;
use gateway_api::context::Context;
use gateway_api::domain::Domain;
use gateway_base::task::{Kind, Tasks};
use gateway_domain::auth::secret::Mode;
use gateway_server::ws::hub::{Client, Hub};
use tokio::sync::broadcast::error::RecvError;

/// The longest reason that fits a close frame.
const REASON_BYTES: usize = 123;

/// Sessions that were opened with the old shared secret prove themselves again. Those on this machine are told where
/// the new one is.
pub fn secret_changed(cx: &Arc<Context>, hub: &Hub, tasks: &Tasks) {
    let config = cx.paths.tilde(&cx.paths.config);
    let (near, far) = (reason(&cx.access.load().mode, &config), reason(&Mode::None, &config));
    let hub = hub.clone();
    tasks.spawn("changed secret", Kind::Request, async move {
        let by_secret = |is_local: bool| {
            move |client: &Client| client.caller.is_by_shared_secret() && client.caller.is_local == is_local
        };
        hub.close(by_secret(true), 1008, &near).await;
        hub.close(by_secret(false), 1008, &far).await;
    });
}

/// Sessions that came in by the name Tailscale gave prove themselves again: names do not count any more.
pub fn tailscale_refused(hub: &Hub, tasks: &Tasks) {
    let hub = hub.clone();
    tasks.spawn("tailscale refused", Kind::Request, async move {
        let by_name = |client: &Client| client.caller.grant == Grant::Tailscale;
        hub.close(by_name, 1008, "gateway auth changed; connect again").await;
    });
}

fn reason(mode: &Mode, config: &str) -> String {
    let short = "gateway auth changed; connect again".to_owned();
    let secret = match mode {
        Mode::None => return short,
        Mode::Token(_) => "token",
        Mode::Password(_) => "password",
    };
    let long = format!("gateway auth changed; the new {secret} is gateway.auth.{secret} in {config}");
    if long.len() <= REASON_BYTES { long } else { short }
}

/// Ends the sessions that were opened with a device token that is not valid any more (GHSA-68x5).
pub fn follow_revocations(domain: &Domain, hub: &Hub, tasks: &Tasks) {
    let (mut revoked, hub, stop) = (domain.devices.invalidated(), hub.clone(), tasks.stopping());
    tasks.spawn("revocations", Kind::Essential, async move {
        loop {
            let next = tokio::select! {
                next = revoked.recv() => next,
                () = stop.cancelled() => return,
            };
            let by_token = |client: &Client| client.caller.grant == Grant::DeviceToken;
            match next {
                Ok(one) => {
                    let ends = move |client: &Client| {
                        by_token(client)
                            && client.caller.device_id.as_deref() == Some(one.device_id.as_str())
                            && client.caller.role.as_str() == one.role
                    };
                    hub.close(ends, 1008, TOKEN_INVALID).await;
                }
                // Which tokens were meant is lost, so all sessions by token prove themselves again.
                Err(RecvError::Lagged(_)) => hub.close(by_token, 1008, TOKEN_INVALID).await,
                Err(RecvError::Closed) => return,
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_says_where_the_new_secret_is_if_it_fits() {
        let config = "~/.clawdbot/clawdbot.json";
        let told =
            "gateway auth changed; the new password is gateway.auth.password in ~/.clawdbot/clawdbot.json";
        assert_eq!(reason(&Mode::Password(None), config), told);
        for (mode, config) in [(Mode::None, config), (Mode::Token(None), "x".repeat(90).as_str())] {
            assert_eq!(reason(&mode, config), "gateway auth changed; connect again");
        }
    }
}
