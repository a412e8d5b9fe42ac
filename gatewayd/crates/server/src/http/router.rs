//! Routes one HTTP connection. There are six paths; a routing library would be larger than the table.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use gateway_api::connect::Peer;
use http::header::{ALLOW, AUTHORIZATION, CONNECTION};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::registry::Registry;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::answer::{error, html, json, response};
use super::upgrade::{self, Ends};
use super::{page, process};
use crate::admin::health::{Board, Part, State};
use crate::ws::Serve;
use crate::ws::preauth::{PreAuth, Ticket};

/// How long a client may take to send its request.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// Largest request head, in bytes.
const HEAD_BYTES: usize = 16 * 1024;

/// What every HTTP connection needs.
pub struct Http {
    /// What a connection becomes after the upgrade.
    pub serve: Arc<Serve>,
    /// The budget of undecided sockets.
    pub preauth: PreAuth,
    /// What the probes tell.
    pub health: Board,
    /// What `/metrics` prints.
    pub metrics: Arc<Registry>,
    /// The version the page names.
    pub version: String,
}

impl Http {
    /// Adds the process's own numbers to a registry that will be printed here.
    pub fn register_process(registry: &mut Registry) {
        registry.register_collector(Box::new(process::Process));
    }
}

/// Serves a plain socket.
pub async fn serve_plain(http: Arc<Http>, tcp: TcpStream, peer: SocketAddr, ticket: Ticket) {
    let ends = Ends { peer: peer.ip(), own: tcp.local_addr().ok().map(|a| a.ip()), tls: false };
    serve(http, TokioIo::new(tcp), ends, ticket).await;
}

/// Serves a TLS session.
pub async fn serve_tls(http: Arc<Http>, tls: Box<TlsStream<TcpStream>>, peer: SocketAddr, ticket: Ticket) {
    let own = tls.get_ref().0.local_addr().ok().map(|a| a.ip());
    serve(http, TokioIo::new(tls), Ends { peer: peer.ip(), own, tls: true }, ticket).await;
}

async fn serve<I>(http: Arc<Http>, io: I, ends: Ends, ticket: Ticket)
where
    I: Read + Write + Unpin + Send + 'static,
{
    let evicted = ticket.evicted.clone();
    let stop = http.serve.tasks.stopping();
    let closing = http.serve.closing.clone();
    let ticket = Arc::new(Mutex::new(Some(ticket)));
    let asked = Arc::new(AtomicBool::new(false));
    let has_asked = asked.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (http, ticket) = (http.clone(), ticket.clone());
        has_asked.store(true, Ordering::Relaxed);
        async move {
            let peer = upgrade::peer(ends, request.headers());
            if upgrade::is_upgrade(request.headers()) {
                return Ok::<_, Infallible>(upgrade::accept(&http.serve, request, peer, &ticket));
            }
            let mut answer = route(&http, &request, &peer).await;
            if http.serve.closing.is_cancelled() {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let is_over = tokio::select! {
        biased;
        // A client that breaks HTTP has been told so by then, and one that left needs no word.
        _ = &mut connection => true,
        () = evicted.cancelled() => true,
        () = stop.cancelled() => true,
        () = closing.cancelled() => false,
    };
    if is_over {
        return;
    }
    // One that idles is closed. One that is new has sent its request or is about to, and gets an answer.
    if asked.load(Ordering::Relaxed) {
        connection.as_mut().graceful_shutdown();
    }
    tokio::select! {
        biased;
        _ = connection => {}
        () = evicted.cancelled() => {}
        () = stop.cancelled() => {}
    }
}

async fn route(http: &Arc<Http>, request: &Request<Incoming>, peer: &Peer) -> Response<Full<Bytes>> {
    let known = matches!(request.uri().path(), "/" | "/healthz" | "/startupz" | "/readyz" | "/metrics");
    if known && request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response =
            error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request_error", "Method Not Allowed: use GET");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/" => html(page::render(&http.version)),
        "/healthz" => probe(None),
        "/startupz" => probe(startup(&http.health)),
        "/readyz" => probe(readiness(&http.health)),
        "/metrics" => {
            let bearer = request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok());
            let bearer = bearer.and_then(|v| v.strip_prefix("Bearer ")).map(str::trim);
            if http.serve.api.may_read_metrics(peer, bearer) {
                metrics(http.metrics.clone()).await
            } else {
                error(
                    StatusCode::UNAUTHORIZED,
                    "unauthorized",
                    "Unauthorized: send the gateway token as 'Authorization: Bearer ...', or ask from this machine",
                )
            }
        }
        _ => error(
            StatusCode::NOT_FOUND,
            "not_found",
            "Not Found: this port serves WebSocket clients, /healthz, /startupz, /readyz and /metrics",
        ),
    }
}

/// `None` when the start is over, otherwise why not.
fn startup(health: &Board) -> Option<String> {
    (!health.snapshot().started()).then(|| "the gateway is starting".to_owned())
}

/// `None` when new work is welcome, otherwise why not (rule R29).
fn readiness(health: &Board) -> Option<String> {
    let now = health.snapshot();
    if now.ready() {
        return None;
    }
    let failed = Part::ALL.iter().find(|part| now.part(**part).state == State::Failed);
    Some(match (now.overall(), failed) {
        (State::Starting, _) => "the gateway is starting".to_owned(),
        (State::Stopping, _) => "the gateway is stopping".to_owned(),
        (_, Some(part)) => format!("{} failed: {}", part.name(), now.part(*part).reason),
        (_, None) => "the gateway is not ready".to_owned(),
    })
}

fn probe(why_not: Option<String>) -> Response<Full<Bytes>> {
    match why_not {
        None => json(StatusCode::OK, &serde_json::json!({ "ok": true })),
        Some(reason) => {
            json(StatusCode::SERVICE_UNAVAILABLE, &serde_json::json!({ "ok": false, "reason": reason }))
        }
    }
}

async fn metrics(registry: Arc<Registry>) -> Response<Full<Bytes>> {
    // Counting descriptors takes milliseconds when there are thousands.
    let text = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).map(|()| text)
    })
    .await;
    match text {
        Ok(Ok(text)) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            response(StatusCode::OK, kind, text.into())
        }
        _ => error(StatusCode::INTERNAL_SERVER_ERROR, "api_error", "the metrics could not be written"),
    }
}
