//! The one decision on a credential: a confirmed name of the tailnet, limiter, shared secret, then the device's own
//! token, in an order that leaves no way around any of them. A device's signature must have been verified before (GHSA-rv39); whether one was sent
//! never skips a check.

use std::net::IpAddr;

use super::{Devices, Error, identity::Identity};
use crate::auth::failure::Reason;
use crate::auth::limiter::{Key, Limiter};
use crate::auth::secret::{self, Method, Mode, Offered};

/// One attempt to get in.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// What this gateway asks for.
    pub mode: &'a Mode,
    /// What the client offers.
    pub offered: Offered<'a>,
    /// The address wrong guesses are counted by.
    pub client_ip: IpAddr,
    /// The device, if one was sent and its signature verified.
    pub device: Option<&'a Identity>,
    /// What became of the claim to be somebody of the tailnet, where such names count.
    pub tailnet: Option<Result<(), Reason>>,
    /// The effective role.
    pub role: &'a str,
    /// The effective scopes.
    pub scopes: &'a [String],
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The credential was refused.
    #[error("{}", .0.name())]
    Refused(Reason),
    /// The device records cannot be read, so a device token cannot be judged. The client must not take this for a
    /// wrong token, or it would throw its token away.
    #[error(transparent)]
    Devices(#[from] Error),
}

/// Decides an attempt.
pub async fn authenticate(
    devices: &Devices,
    limiter: &Limiter,
    attempt: &Attempt<'_>,
) -> Result<Method, Failure> {
    // Without a secret to fall back on, whoever could claim a name and has none is refused.
    let unnamed = match attempt.tailnet {
        Some(Ok(())) => return Ok(Method::Tailscale),
        Some(Err(reason)) if *attempt.mode == Mode::None => Some(reason),
        _ => None,
    };
    let is_open = *attempt.mode == Mode::None && unnamed.is_none();
    let key = match attempt.device {
        Some(device) if devices.is_paired(device).await? => Key::Device(device.device_id.clone()),
        _ => Key::address(attempt.client_ip),
    };
    let offers_something = attempt.offered.token().is_some() || attempt.offered.password().is_some();
    if offers_something
        && !is_open
        && let Err(wait) = limiter.check(&key)
    {
        return Err(Failure::Refused(Reason::TooMany(wait)));
    }
    let decided = unnamed.map_or_else(|| secret::decide(attempt.mode, &attempt.offered), Err);
    let reason = match decided {
        Ok(method) => return Ok(method),
        Err(reason) => reason,
    };
    let mut wrong = reason.is_wrong_credential();
    if let (Some(device), Some(token)) = (attempt.device, attempt.offered.token()) {
        match devices.verify_token(device, attempt.role, token, attempt.scopes).await? {
            Ok(()) => return Ok(Method::DeviceToken),
            Err(error) => {
                tracing::debug!(device = device.device_id, role = attempt.role, %error, "device token refused");
                wrong = true;
            }
        }
    }
    if wrong && let Some(wait) = limiter.wrong(&key, attempt.offered) {
        tracing::warn!(?key, reason = reason.name(), wait_s = wait.as_secs(), "too many wrong credentials");
    }
    Err(Failure::Refused(reason))
}
