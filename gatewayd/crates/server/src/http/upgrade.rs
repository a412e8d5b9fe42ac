//! From an HTTP request to a WebSocket connection. Any path will do; a request from a foreign web page is refused
//! here, before it can say anything (rule R21).

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway_api::connect::{FORWARDING_HEADERS, Peer};
use gateway_base::task::Kind;
use http::header::{HeaderMap, SEC_WEBSOCKET_PROTOCOL};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response;

use super::answer::error;
use crate::ws::preauth::Ticket;
use crate::ws::{self, Serve, Stream};

/// The path of the canvas's live-reload socket, where a gateway handshake never happens.
const CANVAS_SOCKET: &str = "/__clawdbot/ws";

/// What Tailscale's proxy always writes.
const FORWARDED_WHOLE: [&str; 3] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];

/// Whether the request asks for a WebSocket.
pub(super) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.get(http::header::UPGRADE).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// What the request says of its sender, besides the socket's own word.
pub(super) fn peer(ends: Ends, headers: &HeaderMap) -> Peer {
    let first =
        |name: &str| headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).trim().to_owned());
    let all = |name: &str| {
        let values = headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes()));
        let joined = values.collect::<Vec<_>>().join(",");
        Some(joined).filter(|v| !v.trim().is_empty())
    };
    Peer {
        ip: ends.peer,
        own_ip: ends.own,
        tls: ends.tls,
        host: first("host").filter(|v| !v.is_empty()),
        origin: first("origin"),
        forwarded_for: all("x-forwarded-for"),
        real_ip: first("x-real-ip").filter(|v| !v.is_empty()),
        forwarded_whole: FORWARDED_WHOLE.iter().all(|name| headers.contains_key(*name)),
        tailscale_login: first("tailscale-user-login")
            .filter(|login| !login.is_empty() && !headers.contains_key("tailscale-funnel-request")),
        forwarded: FORWARDING_HEADERS.iter().any(|name| headers.contains_key(*name)),
    }
}

/// Both ends of a socket.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub peer: IpAddr,
    pub own: Option<IpAddr>,
    pub tls: bool,
}

/// Answers an upgrade request and starts the connection.
pub(super) fn accept(
    serve: &Arc<Serve>,
    mut request: Request<Incoming>,
    peer: Peer,
    ticket: &Mutex<Option<Ticket>>,
) -> Response<Full<Bytes>> {
    if request.uri().path() == CANVAS_SOCKET {
        return error(StatusCode::NOT_FOUND, "not_found", "Not Found: the canvas live-reload socket is off");
    }
    if !serve.api.origin_allowed(&peer) {
        serve.metrics.refused("origin");
        tracing::warn!(
            subsystem = "gateway/ws",
            peer = %peer.ip,
            origin = %gateway_base::printable::printable(peer.origin.as_deref().unwrap_or_default(), 200),
            "refused a WebSocket from a foreign web page; add its origin to gateway.controlUi.allowedOrigins if it is yours"
        );
        let text = "Forbidden: this Origin may not connect; add it to gateway.controlUi.allowedOrigins";
        let mut refused = error(StatusCode::FORBIDDEN, "forbidden", text);
        refused.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
        return refused;
    }
    let upgraded = hyper::upgrade::on(&mut request);
    let (parts, _) = request.into_parts();
    let response = match create_response(&Request::from_parts(parts.clone(), ())) {
        Ok(response) => response,
        Err(problem) => {
            return error(
                StatusCode::BAD_REQUEST,
                "invalid_request_error",
                &format!("Bad Request: {problem}"),
            );
        }
    };
    let Some(ticket) = ticket.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return error(StatusCode::BAD_REQUEST, "invalid_request_error", "Bad Request: already upgraded");
    };
    let serve = serve.clone();
    let tasks = serve.tasks.clone();
    tasks.spawn("websocket", Kind::Request, async move {
        if let Some(stream) = stream(upgraded).await {
            ws::serve(serve, stream, peer, ticket).await;
        }
    });
    let (mut head, ()) = response.into_parts();
    if let Some(first) = first_protocol(&parts.headers) {
        head.headers.insert(SEC_WEBSOCKET_PROTOCOL, first);
    }
    Response::from_parts(head, Full::default())
}

/// The first subprotocol the client offers; the original accepts it whatever it is.
fn first_protocol(headers: &HeaderMap) -> Option<http::HeaderValue> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let first = offered.split(',').map(str::trim).find(|p| !p.is_empty())?;
    http::HeaderValue::from_str(first).ok()
}

async fn stream(upgraded: OnUpgrade) -> Option<Stream> {
    let upgraded = upgraded.await.ok()?;
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return Some(Stream::Plain(parts.io.into_inner(), early(&parts.read_buf))),
        Err(upgraded) => upgraded,
    };
    tls_stream(upgraded)
}

fn tls_stream(upgraded: Upgraded) -> Option<Stream> {
    let parts = upgraded.downcast::<TokioIo<Box<TlsStream<TcpStream>>>>().ok()?;
    Some(Stream::Tls(parts.io.into_inner(), early(&parts.read_buf)))
}

/// Bytes that were read past the request, without the buffer they were read into.
fn early(read: &Bytes) -> Bytes {
    if read.is_empty() { Bytes::new() } else { Bytes::copy_from_slice(read) }
}
