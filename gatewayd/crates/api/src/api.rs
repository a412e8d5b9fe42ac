//! The face of this layer towards transports: challenge, connect, dispatch, leave.

use std::sync::Arc;

use gateway_domain::auth::secret::Mode;
use gateway_wire::error::ErrorShape;
use gateway_wire::frame::Request;
use serde_json::value::RawValue;

use crate::caller::Caller;
use crate::connect::{self, Admitted, Peer, Pending, Refused};
use crate::context::Context;
use crate::dispatch::{Dispatcher, Outcome};
use crate::metrics::Metrics;
use crate::registry::Reply;

/// Methods and handshake for all transports.
pub struct Api {
    cx: Arc<Context>,
    dispatcher: Dispatcher,
}

impl Api {
    /// Serves `cx` through `dispatcher`.
    #[must_use]
    pub fn new(cx: Arc<Context>, dispatcher: Dispatcher) -> Self {
        Self { cx, dispatcher }
    }

    /// The handles behind the methods.
    #[must_use]
    pub fn context(&self) -> &Arc<Context> {
        &self.cx
    }

    /// How long the methods took.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        self.dispatcher.metrics()
    }

    /// Whether the page behind an upgrade may connect at all.
    #[must_use]
    pub fn origin_allowed(&self, peer: &Peer) -> bool {
        connect::judge_origin(peer, &self.cx.access.load()).accepted()
    }

    /// Whether a peer may read the metrics: from this machine, or with the shared secret as bearer token. Wrong
    /// secrets count like wrong credentials of a handshake.
    #[must_use]
    pub fn may_read_metrics(&self, peer: &Peer, bearer: Option<&str>) -> bool {
        use gateway_domain::auth::limiter::Key;
        let access = self.cx.access.load();
        let locality = connect::locate(peer, &access);
        if locality.is_local {
            return true;
        }
        let (Some(bearer), Mode::Token(Some(secret)) | Mode::Password(Some(secret))) = (bearer, &access.mode)
        else {
            return false;
        };
        let key = Key::address(locality.client_ip);
        if self.cx.limiter.check(&key).is_err() {
            return false;
        }
        let right = !secret.is_blank() && secret.matches(bearer);
        if !right {
            self.cx.limiter.wrong(&key, bearer);
        }
        right
    }

    /// The challenge event of a new connection, as JSON, and what is needed to judge the answer.
    #[must_use]
    pub fn challenge(&self, peer: Peer) -> (Vec<u8>, Pending) {
        connect::challenge(&self.cx, peer)
    }

    /// Judges the first frame of a connection; `seen` is told the request before anything is done about it.
    pub async fn connect(
        &self,
        first: &[u8],
        pending: Pending,
        seen: impl FnOnce(&Request<'_>) + Send,
    ) -> Result<Admitted, Refused> {
        connect::admit(&self.cx, first, pending, seen).await
    }

    /// Why the secret or the device token that this client was judged by is not in force any more. Ask only after the
    /// client can be found among those to be closed: whoever is not among them yet when it changes is seen here.
    #[must_use]
    pub fn outdated(&self, admitted: &Admitted) -> Option<&'static str> {
        admitted.outdated(&self.cx.access.load(), &self.cx.domain.devices)
    }

    /// Appends the answer to a successful `connect`. Ask only after the client has been made to receive events, so
    /// that nothing falls between the snapshot and the first event.
    pub fn welcome(&self, admitted: &Admitted, out: &mut Vec<u8>) {
        connect::write_hello(&self.cx, admitted, out);
    }

    /// Event frames that a client is sent right after its hello, with the events' names.
    #[must_use]
    pub fn greetings(&self, admitted: &Admitted) -> Vec<(&'static str, Vec<u8>)> {
        connect::greetings(&self.cx, admitted)
    }

    /// A connection that was welcomed is gone.
    pub fn disconnected(&self, caller: &Caller) {
        if let Some(key) = &caller.presence_key {
            self.cx.domain.presence.disconnected(key);
        }
    }

    /// Handles one frame; see [`Dispatcher::frame`].
    pub fn dispatch<'a>(
        &self,
        caller: &Arc<Caller>,
        frame: &'a str,
        busy: bool,
        seen: impl FnOnce(&Request<'_>),
    ) -> Outcome<'a> {
        self.dispatcher.frame(caller, frame, busy, seen)
    }

    /// Calls a method and waits; for transports without frames. `params` is JSON text, or nothing.
    pub async fn call(&self, caller: &Arc<Caller>, method: &str, params: Option<&str>) -> Reply {
        let params = params.map(str::trim).filter(|p| !p.is_empty());
        let raw = match params.map(serde_json::from_str::<&RawValue>).transpose() {
            Ok(raw) => raw,
            Err(error) => return Err(ErrorShape::invalid(format!("the parameters are not JSON: {error}"))),
        };
        self.dispatcher.wait(caller, method, raw).await
    }
}
