//! Against a real server on loopback: every answer, and every way to get none.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// Takes one request, answers with `answer`, closes, and gives back what it was sent.
fn serve(answer: impl Into<Vec<u8>>) -> (SocketAddr, JoinHandle<String>) {
    let (listener, answer) = (TcpListener::bind("127.0.0.1:0").expect("a port"), answer.into());
    let address = listener.local_addr().expect("an address");
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        converse(stream, &answer)
    });
    (address, server)
}

fn converse(mut stream: impl Read + Write, answer: &[u8]) -> String {
    let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
    while !is_whole(&seen) {
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => seen.extend_from_slice(&piece[..read]),
            _ => break,
        }
    }
    // A client that has seen enough goes away, which is for the client to judge.
    let _ = stream.write_all(answer).and_then(|()| stream.flush());
    String::from_utf8_lossy(&seen).into_owned()
}

fn is_whole(seen: &[u8]) -> bool {
    let text = String::from_utf8_lossy(seen);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

async fn error_of(request: Request) -> String {
    let answer = request.send().await.and_then(Answer::success);
    answer.expect_err("it fails").to_string()
}

#[tokio::test]
async fn a_document_goes_out_and_one_comes_back() {
    let (address, server) =
        serve("HTTP/1.1 201 Created\r\nX-Made: yes\r\nContent-Length: 11\r\n\r\n{\"id\": \"7\"}");
    let request = Request::post(&format!("http://{address}/hook?key=1"));
    let request =
        request.bearer(&Secret::new("t0ken")).json(&serde_json::json!({"a": [1]})).expect("is JSON");
    let answer = request.send().await.and_then(Answer::success).expect("an answer");
    assert_eq!((answer.status.as_u16(), answer.headers["x-made"].as_bytes()), (201, &b"yes"[..]));
    assert_eq!(answer.json::<serde_json::Value>().expect("JSON"), serde_json::json!({"id": "7"}));
    let seen = server.join().expect("it served").to_ascii_lowercase();
    let (head, body) = seen.split_once("\r\n\r\n").expect("a request");
    assert!(head.starts_with("post /hook?key=1 http/1.1\r\n"), "{head}");
    for line in [
        format!("host: {address}"),
        "authorization: bearer t0ken".to_owned(),
        "content-type: application/json".to_owned(),
        format!("user-agent: gatewayctl/{}", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(head.lines().any(|found| found == line), "{line} is missing in {head}");
    }
    assert_eq!(body, r#"{"a":[1]}"#);
}

#[tokio::test]
async fn an_answer_that_ends_with_the_connection_is_whole() {
    for answer in [
        "HTTP/1.1 200 OK\r\n\r\nall of it",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n",
    ] {
        let (address, server) = serve(answer);
        let answer = Request::get(&format!("http://{address}")).send().await.expect("an answer");
        assert_eq!(answer.text(), "all of it");
        assert!(server.join().expect("it served").starts_with("GET / HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn a_refusal_says_why_and_hides_secrets() {
    let text = r#"{"error": {"message": "no such hook for sk-abcdefghijklmnopqrstuvwxyz0123456789"}}"#;
    let (address, server) =
        serve(format!("HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{text}", text.len()));
    let error = error_of(Request::get(&format!("http://{address}/bot-s3cret/x"))).await;
    assert!(error.starts_with(&format!("{address} answered 404 Not Found: ")), "{error}");
    assert!(
        error.contains("no such hook") && !error.contains("s3cret") && !error.contains("klmnopq"),
        "{error}"
    );
    server.join().expect("it served");
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let (elsewhere, target) = (TcpListener::bind("127.0.0.1:0").expect("a port"), "http://example.com/k3y");
    let own = format!("http://{}/k3y", elsewhere.local_addr().expect("an address"));
    for location in [target, own.as_str(), "/k3y"] {
        let (address, server) =
            serve(format!("HTTP/1.1 307 X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"));
        let error = error_of(Request::post(&format!("http://{address}/")).header("x-key", "k3y")).await;
        assert!(error.contains("redirects are not followed") && !error.contains("k3y"), "{error}");
        server.join().expect("it served");
    }
    elsewhere.set_nonblocking(true).expect("it can");
    assert_eq!(elsewhere.accept().expect_err("nobody came").kind(), io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn every_way_to_get_no_answer_is_a_sentence() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let error = error_of(Request::get(&format!("http://{free}/"))).await;
    assert_eq!(error, format!("{free} cannot be reached: nothing listens there (connection refused)"));

    let error = error_of(Request::get("http://no-such-host.invalid:81/s3cret")).await;
    assert!(error.starts_with("no-such-host.invalid:81 cannot be found: "), "{error}");

    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let error = error_of(Request::get(&format!("http://{address}/")).within(Duration::from_millis(50))).await;
    assert_eq!(error, format!("{address} did not answer within 0.05 s"));

    for (answer, words) in [
        ("", "connection closed before message completed"),
        ("SSH-2.0-OpenSSH_9.6\r\n", "invalid HTTP version parsed"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "end of file before message length reached"),
    ] {
        let (address, server) = serve(answer);
        let error = error_of(Request::get(&format!("http://{address}/"))).await;
        assert!(error.starts_with(&format!("{address} broke the conversation off: ")), "{error}");
        assert!(error.contains(words), "{error}");
        server.join().expect("it served");
    }
}

#[tokio::test]
async fn an_answer_has_a_limit_and_is_checked() {
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(100_000));
    let (address, server) = serve(long);
    let error = error_of(Request::get(&format!("http://{address}/")).at_most(1_000)).await;
    assert_eq!(error, format!("{address} sent more than 1000 bytes"));
    server.join().expect("it served");
    let (address, server) = serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    let answer = Request::get(&format!("http://{address}/")).send().await.expect("an answer");
    let error = answer.json::<Vec<u8>>().expect_err("is no JSON").to_string();
    assert!(error.starts_with(&format!("{address} answered something unexpected: ")), "{error}");
    server.join().expect("it served");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_without_repeating_it() {
    for url in ["ftp://h/s3cret", "s3cret", "http://", "http://u:s3cret@h/", "https://a b/s3cret", ""] {
        let error = error_of(Request::get(url)).await;
        assert!(error.starts_with("the address is not usable: ") && !error.contains("s3cret"), "{error}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let error = error_of(Request::get(&url).header("x-key", "s3cret\r\nx: y")).await;
    assert!(error.contains("x-key") && !error.contains("s3cret"), "{error}");
    assert!(
        error_of(Request::get(&url).header("a b", "x")).await.contains("\"a b\" is not the name of a header")
    );
}

#[test]
fn addresses_are_read() {
    let place = Place::parse("https://[::1]:8443?x=1").expect("is one");
    assert_eq!((place.tls, place.name.as_str(), place.host.as_str()), (true, "::1", "[::1]:8443"));
    assert_eq!(place.path, "/?x=1");
}

#[tokio::test]
async fn a_certificate_is_checked() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("it is one");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![made.cert.der().clone()],
            PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key"),
        )
        .expect("they fit");
    let config = Arc::new(config);
    for (trusted, host) in [(true, "localhost"), (true, "127.0.0.1"), (false, "localhost")] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let config = config.clone();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            let session = ServerConnection::new(config).expect("a session");
            converse(StreamOwned::new(session, stream), b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsafe")
        });
        let request = Request::get(&format!("https://{host}:{port}/"));
        let request = if trusted { request.trusting(roots.clone()) } else { request };
        let answer = request.send().await;
        if (trusted, host) == (true, "localhost") {
            assert_eq!(answer.expect("an answer").text(), "safe");
        } else {
            let error = answer.expect_err("it is another name or unknown").to_string();
            assert!(error.starts_with(&format!("no trustworthy connection to {host}:{port}: ")), "{error}");
        }
        server.join().expect("it served");
    }
}
