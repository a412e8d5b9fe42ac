//! What is known of a client before it says anything, and the challenge it has to sign.

use std::net::IpAddr;

use gateway_base::id;
use gateway_domain::auth::locality::{self, Connection, Locality};
use gateway_domain::auth::origin::{self, Verdict};
use gateway_wire::frame;

use crate::context::{Access, Context};

/// The socket's own word and the headers of the upgrade.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Address of the peer.
    pub ip: IpAddr,
    /// Our own address on that socket.
    pub own_ip: Option<IpAddr>,
    /// Whether the socket is encrypted.
    pub tls: bool,
    /// `Host`.
    pub host: Option<String>,
    /// `Origin`, as sent.
    pub origin: Option<String>,
    /// All `X-Forwarded-For` values, joined by commas.
    pub forwarded_for: Option<String>,
    /// First `X-Real-IP`.
    pub real_ip: Option<String>,
    /// Whether any header is present that only a proxy adds.
    pub forwarded: bool,
    /// Whether `X-Forwarded-For`, `-Proto` and `-Host` are all present.
    pub forwarded_whole: bool,
    /// `Tailscale-User-Login`, unless the request comes from the internet, where nobody has a name.
    pub tailscale_login: Option<String>,
}

/// Names of the headers that make a request a forwarded one, lower-case.
pub use gateway_domain::auth::locality::FORWARDING_HEADERS;

/// A client that has been challenged and has not answered yet.
#[derive(Debug)]
pub struct Pending {
    pub(super) peer: Peer,
    pub(super) conn_id: String,
    pub(super) nonce: String,
}

impl Pending {
    /// The id that the connection has from now on.
    #[must_use]
    pub fn conn_id(&self) -> &str {
        &self.conn_id
    }
}

/// Judges the `Origin` of a peer.
pub(crate) fn judge_origin(peer: &Peer, access: &Access) -> Verdict {
    origin::check(peer.origin.as_deref(), peer.host.as_deref(), &access.origins)
}

/// Decides where a peer is.
pub(crate) fn locate(peer: &Peer, access: &Access) -> Locality {
    let connection = Connection {
        peer: peer.ip,
        own: peer.own_ip,
        forwarded: peer.forwarded,
        forwarded_for: peer.forwarded_for.as_deref(),
        real_ip: peer.real_ip.as_deref(),
        origin: judge_origin(peer, access),
    };
    locality::locate(&connection, &access.proxies, &access.own_tailnet)
}

/// Makes the challenge of a new connection; the first part is the event's JSON.
pub(crate) fn challenge(cx: &Context, peer: Peer) -> (Vec<u8>, Pending) {
    let nonce = id::uuid();
    let payload = format!(r#"{{"nonce":"{nonce}","ts":{}}}"#, cx.clock.now());
    let mut event = Vec::with_capacity(payload.len() + 64);
    frame::write_event(&mut event, "connect.challenge", payload.as_bytes(), None, None);
    (event, Pending { peer, conn_id: id::uuid(), nonce })
}
