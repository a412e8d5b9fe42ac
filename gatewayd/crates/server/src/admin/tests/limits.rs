//! What outsiders can do to the socket: nothing that the next honest caller notices.

use std::time::Duration;

use gateway_admin::connect::{ConnectOptions, connect};
use gateway_admin::details::Reason;
use gateway_admin::endpoint::Endpoint;
use gateway_admin::v1;
use gateway_admin::v1::admin_client::AdminClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;

use super::fake::{Running, start};
use crate::admin::Limits;
use crate::admin::connection::Peer;
use crate::admin::routes::Routes;

const NEVER: Duration = Duration::from_secs(3600);
/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

async fn raw(running: &Running) -> UnixStream {
    UnixStream::connect(&running.path).await.expect("the server listens")
}

/// Whatever the server says until it closes.
async fn until_closed(stream: &mut UnixStream) {
    let mut heard = Vec::new();
    // A reset is as good as an end.
    let _ = timeout(LONG, stream.read_to_end(&mut heard)).await.expect("the server closes it");
}

async fn still_serves(running: &Running) {
    running.admin().await.status(v1::StatusRequest {}).await.expect("status");
}

async fn call_as(peer: Option<Peer>) -> Status {
    let mut request = http::Request::new(Body::default());
    *request.uri_mut() = "/no.such.Service/Method".parse().expect("a path");
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    let answer = Routes::new(1000).call(request).await.expect("never fails");
    Status::from_header_map(answer.headers()).expect("a gRPC status")
}

#[tokio::test]
async fn another_user_gets_a_clear_refusal_and_the_owner_gets_through() {
    for peer in [Some(Peer { uid: Some(1001) }), Some(Peer { uid: None }), None] {
        let status = call_as(peer).await;
        assert_eq!((status.code(), Reason::of(&status)), (Code::PermissionDenied, Some(Reason::PeerRefused)));
        assert!(status.message().contains("user 1000"), "{status:?}");
    }
    for uid in [1000, 0] {
        assert_eq!(call_as(Some(Peer { uid: Some(uid) })).await.code(), Code::Unimplemented);
    }
}

#[tokio::test]
async fn garbage_and_other_protocols_are_closed() {
    let running = start(Limits { opening: NEVER, ..Limits::default() }).await;
    for bytes in
        [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[0xff; 100], b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"]
    {
        let mut stream = raw(&running).await;
        stream.write_all(bytes).await.expect("write");
        until_closed(&mut stream).await;
    }
    let mut framed = raw(&running).await;
    framed.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("write");
    framed.write_all(&[0xff; 64]).await.expect("write");
    until_closed(&mut framed).await;
    still_serves(&running).await;
}

#[tokio::test]
async fn a_caller_that_does_not_begin_in_time_is_closed() {
    let running = start(Limits { opening: Duration::from_millis(20), ..Limits::default() }).await;
    let (mut silent, mut halting) = (raw(&running).await, raw(&running).await);
    halting.write_all(b"PRI * HTTP/2.0").await.expect("write");
    until_closed(&mut silent).await;
    until_closed(&mut halting).await;
    still_serves(&running).await;
}

#[tokio::test]
async fn five_hundred_idle_connections_do_not_lock_out_the_owner() {
    let running = start(Limits { opening: Duration::from_millis(200), ..Limits::default() }).await;
    let mut idle = Vec::new();
    for _ in 0..500 {
        idle.push(raw(&running).await);
    }
    for stream in &mut idle {
        until_closed(stream).await;
    }
    still_serves(&running).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_places_come_back() {
    let running = start(Limits { connections: 3, opening: NEVER, ..Limits::default() }).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(raw(&running).await);
    }
    until_closed(&mut raw(&running).await).await;
    drop(held);
    // The server learns of the three ends in its own time; until then a connection is closed as one too many.
    let served = async {
        loop {
            let channel = connect(&Endpoint::at(&running.path), ConnectOptions::default()).await;
            if let Ok(channel) = channel
                && AdminClient::new(channel).status(v1::StatusRequest {}).await.is_ok()
            {
                return;
            }
        }
    };
    timeout(LONG, served).await.expect("the places come back");
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_and_the_next_is_served() {
    let running = start(Limits::default()).await;
    let mut admin = running.admin().await;
    let params_json = format!("\"{}\"", "x".repeat(5 * 1024 * 1024));
    let request = v1::CallRequest { method: "fail".to_owned(), params_json, expect_final: false };
    let error = admin.call(request).await.expect_err("it is over the limit");
    assert_eq!(error.code(), Code::OutOfRange, "{error:?}");
    admin.status(v1::StatusRequest {}).await.expect("the connection lives");
}
