//! Judges the first frame of a connection, check by check, in the order of ws-protocol 2.3. The first check that fails
//! decides what the client is told; nothing it claims is used before it was verified.

use std::sync::Arc;
use std::time::Duration;

use gateway_base::error_chain::Chain;
use gateway_base::printable::printable;
use gateway_base::secret::Secret;
use gateway_domain::auth::failure::{Audience, Reason};
use gateway_domain::auth::locality::Locality;
use gateway_domain::auth::secret::{Method, Mode, Offered};
use gateway_domain::auth::tailnet;
use gateway_domain::devices::authenticate::{Attempt, Failure, authenticate};
use gateway_domain::devices::identity::{self, Claim, Identity, Terms};
use gateway_domain::devices::{self, Admission, Devices, Issued, Meta};
use gateway_wire::error::ErrorShape;
use gateway_wire::frame::{self, ParseError, Request};
use gateway_wire::types::connect::{ConnectParams, Device};
use gateway_wire::{validate, version};
use serde_json::json;

use super::peer::{Pending, locate};
use super::refuse::Refused;
use crate::caller::{ADMIN, Caller, Grant, Role};
use crate::context::{Access, Context};

/// A client that may come in.
pub struct Admitted {
    /// What it may do from now on.
    pub caller: Arc<Caller>,
    /// Id of its request.
    pub(super) request: String,
    /// The device token to hand out, when a device was sent.
    pub(super) issued: Option<Issued>,
    /// What it was judged by.
    access: Arc<Access>,
    /// The device and its own token, if that let it in.
    by_token: Option<(Identity, Secret)>,
}

impl Admitted {
    /// Why what it came with does not let it in any more, if it was replaced or revoked while it was being judged.
    pub(crate) fn outdated(&self, now: &Access, devices: &Devices) -> Option<&'static str> {
        if self.caller.is_by_shared_secret() && self.access.mode != now.mode {
            return Some("gateway auth changed; connect again");
        }
        let (identity, token) = self.by_token.as_ref()?;
        let (role, scopes) = (self.caller.role.as_str(), &self.caller.scopes);
        let lets_in = devices.still_lets_in(identity, role, token.expose(), scopes);
        (!lets_in).then_some(TOKEN_INVALID)
    }
}

/// Why a session by a device token ends.
pub const TOKEN_INVALID: &str = "device token rotated or revoked";

/// Everything the checks look at.
struct Attempted<'a> {
    id: &'a str,
    params: &'a ConnectParams,
    role: Role,
    scopes: Vec<String>,
    locality: Locality,
    access: &'a Access,
    /// The control UI over plain HTTP, when the configuration allows it.
    insecure: bool,
}

/// Judges `first`.
pub(crate) async fn admit(
    cx: &Context,
    first: &[u8],
    pending: Pending,
    seen: impl FnOnce(&Request<'_>) + Send,
) -> Result<Admitted, Refused> {
    let request = match frame::parse(first) {
        Ok(request) => request,
        Err(ParseError::NotJson) => return Err(Refused::silent("not_json")),
        Err(ParseError::Invalid { .. }) => {
            return Err(Refused::unanswered("invalid request frame", "invalid_frame"));
        }
    };
    seen(&request);
    let id = request.id.as_ref();
    if request.method != "connect" {
        let error = ErrorShape::invalid("invalid handshake: first request must be connect");
        return Err(Refused::with(id, &error, "not_connect"));
    }
    let params = params(id, request.params)?;
    let access = cx.access.load_full();
    let attempt = attempted(id, &params, &access, &pending)?;
    let identity = check_device(cx, &attempt, &pending)?;
    let method = check_secret(cx, &attempt, identity.as_ref(), &pending).await?;
    let issued = pair(cx, &attempt, identity.as_ref()).await?;
    let presence_key = track(cx, &attempt, identity.as_ref(), &pending);
    let by_token = match (method, &identity, params.token()) {
        (Method::DeviceToken, Some(identity), Some(token)) => Some((identity.clone(), Secret::new(token))),
        _ => None,
    };
    let Attempted { role, scopes, locality, .. } = attempt;
    let caller = Caller {
        conn_id: pending.conn_id,
        role,
        scopes,
        client_id: params.client.id,
        client_mode: params.client.mode,
        display_name: params.client.display_name.clone(),
        device_id: identity.map(|identity| identity.device_id),
        grant: match method {
            Method::None => Grant::Open,
            Method::Token | Method::Password => Grant::SharedSecret,
            Method::Tailscale => Grant::Tailscale,
            Method::DeviceToken => Grant::DeviceToken,
        },
        is_local: locality.is_local,
        ip: locality.reported_ip,
        presence_key,
    };
    tracing::debug!(
        subsystem = "gateway/ws",
        conn = caller.conn_id,
        client = %caller.client_id,
        mode = %caller.client_mode,
        role = caller.role.as_str(),
        local = locality.is_local,
        "connected"
    );
    Ok(Admitted { caller: Arc::new(caller), request: id.to_owned(), issued, access, by_token })
}

/// Check 3: the parameters fit their schema.
fn params(id: &str, raw: Option<&serde_json::value::RawValue>) -> Result<ConnectParams, Refused> {
    let problem = match validate::check_raw("ConnectParams", raw) {
        Ok(value) => match serde_json::from_value(value) {
            Ok(params) => return Ok(params),
            Err(error) => error.to_string(),
        },
        Err(problem) => problem,
    };
    let error = ErrorShape::invalid(format!("invalid connect params: {problem}"));
    Err(Refused::with(id, &error, "invalid_params"))
}

/// Checks 4 to 8: version, role, and what a client without a device may do.
fn attempted<'a>(
    id: &'a str,
    params: &'a ConnectParams,
    access: &'a Access,
    pending: &Pending,
) -> Result<Attempted<'a>, Refused> {
    let Some(_) = version::negotiate(params.min_protocol, params.max_protocol) else {
        let error = ErrorShape::invalid("protocol mismatch")
            .with_details(json!({ "expectedProtocol": version::PROTOCOL }));
        return Err(Refused::closing(id, &error, 1002, "protocol mismatch", "protocol_mismatch"));
    };
    let Some(role) = Role::parse(params.role()) else {
        return Err(Refused::with(id, &ErrorShape::invalid("invalid role"), "invalid_role"));
    };
    let locality = locate(&pending.peer, access);
    if access.mode == Mode::None && locality.untrusted_proxy && !access.allow_tailscale {
        let error = ErrorShape::invalid("gateway auth required behind reverse proxy")
            .with_details(json!({ "hint": "set gateway.auth or configure gateway.trustedProxies" }));
        return Err(Refused::closing(id, &error, 1008, "gateway auth required", "untrusted_proxy"));
    }
    let insecure = params.client.is_control_ui() && access.insecure_control_ui;
    if params.device.is_none() {
        if params.client.is_control_ui() && !insecure {
            let error = ErrorShape::invalid("control ui requires HTTPS or localhost (secure context)");
            return Err(Refused::with(id, &error, "insecure_context"));
        }
        let may_skip = params.token().is_some() || (insecure && params.password().is_some());
        if !may_skip {
            let error = ErrorShape::not_paired("device identity required");
            return Err(Refused::with(id, &error, "device_required"));
        }
    }
    let requested = params.requested_scopes();
    let scopes = match (requested.is_empty(), role) {
        (false, _) => requested.to_vec(),
        (true, Role::Operator) => vec![ADMIN.to_owned()],
        (true, Role::Node) => Vec::new(),
    };
    Ok(Attempted { id, params, role, scopes, locality, access, insecure })
}

/// Checks 9 to 14: the device proves itself.
fn check_device(
    cx: &Context,
    attempt: &Attempted<'_>,
    pending: &Pending,
) -> Result<Option<Identity>, Refused> {
    let Some(device) = &attempt.params.device else { return Ok(None) };
    let terms = Terms {
        client_id: attempt.params.client.id.as_str(),
        client_mode: attempt.params.client.mode.as_str(),
        role: attempt.role.as_str(),
        scopes: attempt.params.requested_scopes(),
        token: attempt.params.auth.as_ref().and_then(|auth| auth.token.as_deref()),
        challenge: &pending.nonce,
        is_local: attempt.locality.is_local,
        now: cx.clock.now(),
    };
    identity::verify(&claim(device), &terms).map(Some).map_err(|error| {
        Refused::with(attempt.id, &ErrorShape::invalid(error.to_string()), "device_identity")
    })
}

fn claim(device: &Device) -> Claim<'_> {
    Claim {
        id: &device.id,
        public_key: &device.public_key,
        signature: &device.signature,
        signed_at: i64::try_from(device.signed_at).unwrap_or(i64::MAX),
        nonce: device.nonce.as_deref(),
    }
}

/// Check 15: the shared secret, or the device's own token.
async fn check_secret(
    cx: &Context,
    attempt: &Attempted<'_>,
    identity: Option<&Identity>,
    pending: &Pending,
) -> Result<Method, Refused> {
    let offered = Offered { token: attempt.params.token(), password: attempt.params.password() };
    let question = Attempt {
        mode: &attempt.access.mode,
        offered,
        client_ip: attempt.locality.client_ip,
        device: identity,
        tailnet: check_name(cx, attempt, pending).await,
        role: attempt.role.as_str(),
        scopes: &attempt.scopes,
    };
    let reason = match authenticate(&cx.domain.devices, &cx.limiter, &question).await {
        Ok(method) => return Ok(method),
        Err(Failure::Refused(reason)) => reason,
        Err(Failure::Devices(error)) => return Err(records_failed(attempt.id, &error)),
    };
    tracing::warn!(
        subsystem = "gateway/ws",
        conn = pending.conn_id,
        peer = %pending.peer.ip,
        client = %attempt.params.client.id,
        reason = reason.name(),
        "unauthorized"
    );
    let audience = Audience::of(attempt.params.client.id.as_str(), attempt.params.client.mode.as_str());
    let mut error = ErrorShape::invalid(reason.text(audience));
    if let Reason::TooMany(wait) = reason {
        error = error.retry_after(millis(wait));
    }
    Err(Refused::with(attempt.id, &error, reason.name()))
}

/// The claim to be somebody of the tailnet, where such names count. This machine needs none.
async fn check_name(cx: &Context, attempt: &Attempted<'_>, pending: &Pending) -> Option<Result<(), Reason>> {
    if !attempt.access.allow_tailscale || attempt.locality.is_local {
        return None;
    }
    let peer = &pending.peer;
    let claim = tailnet::Claim {
        peer: peer.ip,
        login: peer.tailscale_login.as_deref(),
        forwarded_for: peer.forwarded_for.as_deref(),
        forwarded_whole: peer.forwarded_whole,
    };
    let outcome = cx.identities.check(&claim).await;
    let conn = &pending.conn_id;
    Some(match outcome {
        Ok(user) => {
            tracing::info!(subsystem = "gateway/ws", conn, user = %printable(&user.login, 200), "known by tailscale");
            Ok(())
        }
        Err(reason) => {
            tracing::debug!(subsystem = "gateway/ws", conn, reason = reason.name(), "not known by tailscale");
            Err(reason)
        }
    })
}

/// Check 16: pairing, which also gives the device its token. The control UI over plain HTTP is never paired here.
async fn pair(
    cx: &Context,
    attempt: &Attempted<'_>,
    identity: Option<&Identity>,
) -> Result<Option<Issued>, Refused> {
    let Some(identity) = identity else { return Ok(None) };
    let devices = &cx.domain.devices;
    if attempt.insecure && (attempt.params.token().is_some() || attempt.params.password().is_some()) {
        let issued = devices.ensure_token(identity, attempt.role.as_str(), &attempt.scopes).await;
        return issued.map_err(|error| records_failed(attempt.id, &error));
    }
    let client = &attempt.params.client;
    let admission = Admission {
        identity: identity.clone(),
        meta: Meta {
            display_name: client.display_name.clone(),
            platform: Some(client.platform.clone()),
            client_id: Some(client.id.as_str().to_owned()),
            client_mode: Some(client.mode.as_str().to_owned()),
            remote_ip: attempt.locality.reported_ip.map(|ip| ip.to_string()),
        },
        role: attempt.role.as_str().to_owned(),
        scopes: attempt.scopes.clone(),
        is_local: attempt.locality.is_local,
    };
    match devices.admit(admission).await {
        Ok(devices::Admitted::Paired(issued)) => Ok(Some(issued)),
        Ok(devices::Admitted::PairingRequired { request_id }) => {
            let error =
                ErrorShape::not_paired("pairing required").with_details(json!({ "requestId": request_id }));
            Err(Refused::with(attempt.id, &error, "pairing_required"))
        }
        Err(error) => Err(records_failed(attempt.id, &error)),
    }
}

/// The client must not take this for a wrong token, so it is told to come back.
fn records_failed(id: &str, error: &devices::Error) -> Refused {
    let text = Chain(error).to_string();
    tracing::error!(subsystem = "gateway", error = text, "a device could not be judged");
    let shape = ErrorShape::unavailable(text).retry_after(1_000);
    Refused::closing(id, &shape, 1011, shape.message.as_str(), "devices")
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

/// Puts the client on the presence list, unless it is a command that is gone in a moment.
fn track(
    cx: &Context,
    attempt: &Attempted<'_>,
    identity: Option<&Identity>,
    pending: &Pending,
) -> Option<String> {
    let client = &attempt.params.client;
    if client.mode.is_cli() {
        return None;
    }
    let device_id = identity.map(|identity| identity.device_id.clone());
    let instance = client.instance_id.clone();
    let key = device_id.clone().or_else(|| instance.clone()).unwrap_or_else(|| pending.conn_id.clone());
    let key = key.to_lowercase();
    let remote = (!attempt.locality.is_local).then_some(attempt.locality.reported_ip).flatten();
    cx.domain.presence.connected(
        &key,
        gateway_domain::presence::Arrival {
            host: client.label().to_owned(),
            ip: remote.map(|ip| ip.to_string()),
            version: client.version.clone(),
            platform: client.platform.clone(),
            device_family: client.device_family.clone(),
            model_identifier: client.model_identifier.clone(),
            mode: client.mode.as_str().to_owned(),
            device_id: device_id.clone(),
            role: attempt.role.as_str().to_owned(),
            scopes: attempt.scopes.clone(),
            instance_id: device_id.or(instance),
        },
    );
    Some(key)
}
