//! The handshake (ws-protocol 2): every refusal with its answer and its close frame, and what a client that comes in
//! is told.

use anyhow::{Context, Result, ensure};
use gateway_base::clock::Clock;
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::device::Device;
use gateway_tests::golden;
use gateway_tests::home::TOKEN;
use gateway_tests::http;
use gateway_tests::ws_client::{Client, Incoming, Socket};
use gateway_wire::limits;
use serde_json::{Value, json};

const PREAUTH_MESSAGE: usize = 64 * 1024;
const OPEN: &str = "{ gateway: { mode: 'local' } }";
const PASSWORD: &str =
    "{ gateway: { mode: 'local', auth: { mode: 'password', password: 'word-of-the-tests' } } }";
const PROXIED: (&str, &str) = ("x-forwarded-for", "203.0.113.7");

/// What a refused client sees: the error, then the close frame.
#[derive(Debug, PartialEq)]
struct Refusal {
    error: Value,
    close: (u16, String),
}

fn invalid(message: &str) -> Refusal {
    Refusal {
        error: json!({ "code": "INVALID_REQUEST", "message": message }),
        close: (1008, message.chars().take(120).collect()),
    }
}

fn not_paired(message: &str) -> Refusal {
    Refusal { error: json!({ "code": "NOT_PAIRED", "message": message }), ..invalid(message) }
}

async fn opened(daemon: &Daemon, header: Option<(&str, &str)>) -> Result<(Socket, String)> {
    let headers: Vec<_> = header.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let mut socket = Socket::open(daemon.port, "/", &headers).await?;
    let nonce = socket.challenge().await?;
    Ok((socket, nonce))
}

async fn refusal(daemon: &Daemon, header: Option<(&str, &str)>, how: &Connect) -> Result<Refusal> {
    let (mut socket, nonce) = opened(daemon, header).await?;
    socket.send_request("c1", "connect", how.params(&nonce)).await?;
    let mut answer = socket.frame().await?;
    ensure!(answer["type"] == "res" && answer["id"] == "c1" && answer["ok"] == false, "{answer}");
    let close = socket.closed().await?.context("a refusal ends with a close frame")?;
    Ok(Refusal { error: answer["error"].take(), close })
}

async fn expect(daemon: &Daemon, how: &Connect, expected: &Refusal) -> Result<()> {
    let seen = refusal(daemon, None, how).await?;
    ensure!(seen == *expected, "saw {seen:?}\nnot {expected:?}");
    Ok(())
}

#[test]
fn the_first_frame_is_judged_before_it_is_answered() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let unanswered = [("not json", (1000, "")), (r#"{"type":"req"}"#, (1008, "invalid request frame"))];
        for (text, (code, reason)) in unanswered {
            let (mut socket, _) = opened(&daemon, None).await?;
            socket.send(text.to_owned()).await?;
            let seen = socket.next().await?;
            ensure!(seen == Incoming::Closed(Some((code, reason.to_owned()))), "{text}: {seen:?}");
        }
        let (mut socket, _) = opened(&daemon, None).await?;
        socket.send_request("h1", "health", json!({})).await?;
        let answer = socket.frame().await?;
        let text = "invalid handshake: first request must be connect";
        ensure!(answer["id"] == "h1" && answer["error"] == invalid(text).error, "{answer}");
        ensure!(socket.closed().await? == Some((1008, text.to_owned())));
        Ok(())
    });
}

#[test]
fn each_refusal_has_its_words_and_its_close_frame() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let device = || Device::seeded(1);
        let old = Clock::system().now() - 11 * 60_000;
        let version = Refusal {
            error: json!({ "code": "INVALID_REQUEST", "message": "protocol mismatch", "details": { "expectedProtocol": 3 } }),
            close: (1002, "protocol mismatch".to_owned()),
        };
        let params = "invalid connect params: at /client/id: must be equal to constant; at /client/id: must match a \
                      schema in anyOf; at /client/mode: must be equal to constant; at /client/mode: must match a \
                      schema in anyOf";
        let with_device = || Connect::cli().device(device());
        let rows = [
            (Connect::cli().with("/client/id", json!("x")).with("/client/mode", json!("x")), invalid(params)),
            (Connect::cli().with("/minProtocol", json!(4)).with("/maxProtocol", json!(4)), version),
            (Connect::cli().role("owner"), invalid("invalid role")),
            (
                Connect::ui(device()).with("/device", Value::Null),
                invalid("invalid connect params: at /device: must be object"),
            ),
            (
                Connect::cli().with("/client/id", json!("clawdbot-control-ui")),
                invalid("control ui requires HTTPS or localhost (secure context)"),
            ),
            (Connect::cli().anonymous(), not_paired("device identity required")),
            (with_device().with("/device/id", json!("0".repeat(64))), invalid("device identity mismatch")),
            (with_device().signed_at(old), invalid("device signature expired")),
            (with_device().with("/device/nonce", json!("another")), invalid("device nonce mismatch")),
            (with_device().with("/auth/token", json!("changed")), invalid("device signature invalid")),
        ];
        for (how, expected) in &rows {
            expect(&daemon, how, expected).await?;
        }
        Ok(())
    });
}

#[test]
fn a_wrong_secret_is_explained_to_each_kind_of_client() {
    gateway_tests::run(async {
        let cli = "set gateway.remote.token to match gateway.auth.token";
        let page = "open a tokenized dashboard URL or paste token in Control UI settings";
        let other = "provide gateway auth token";
        let daemon = Daemon::start().await?;
        let ui = || Connect::ui(Device::seeded(1));
        for (how, hint) in [(Connect::cli(), cli), (ui(), page), (Connect::probe(), other)] {
            let text = format!("unauthorized: gateway token mismatch ({hint})");
            expect(&daemon, &how.token("wrong"), &invalid(&text)).await?;
        }
        let nothing = Connect::cli().device(Device::seeded(1)).anonymous();
        for (how, hint) in [(nothing, cli), (ui().anonymous(), page)] {
            let text = format!("unauthorized: gateway token missing ({hint})");
            expect(&daemon, &how, &invalid(&text)).await?;
        }
        drop(daemon);

        let daemon = Daemon::builder().config(PASSWORD).start().await?;
        let cli = "set gateway.remote.password to match gateway.auth.password";
        for (how, hint) in [
            (Connect::cli().device(Device::seeded(1)), cli),
            (ui(), "enter the password in Control UI settings"),
            (Connect::probe().device(Device::seeded(1)), "provide gateway auth password"),
        ] {
            let text = format!("unauthorized: gateway password mismatch ({hint})");
            expect(&daemon, &how.clone().password("wrong"), &invalid(&text)).await?;
            let text = format!("unauthorized: gateway password missing ({hint})");
            expect(&daemon, &how.anonymous(), &invalid(&text)).await?;
        }
        let dummy = Connect::cli().password("word-of-the-tests").with("/auth/token", json!("any"));
        daemon.connect(dummy).await.context("without a device, a password needs any token beside it")?;
        let how = Connect::cli().password("word-of-the-tests");
        expect(&daemon, &how, &not_paired("device identity required")).await?;
        daemon.connect(how.device(Device::seeded(1))).await.context("with a device it does not").map(drop)
    });
}

#[test]
fn a_forwarded_peer_is_remote() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let how = Connect::cli().device(Device::seeded(1));
        let seen = refusal(&daemon, Some(PROXIED), &how.clone().without_nonce()).await?;
        ensure!(seen == invalid("device nonce required"), "{seen:?}");
        let first = refusal(&daemon, Some(PROXIED), &how).await?;
        let request = first.error["details"]["requestId"].as_str().context("it names the request")?;
        ensure!(request.len() == 36, "a uuid: {request}");
        let mut expected = not_paired("pairing required");
        expected.error["details"] = json!({ "requestId": request });
        ensure!(first == expected, "{first:?}");
        ensure!(refusal(&daemon, Some(PROXIED), &how).await? == expected, "the same request is waiting");
        drop(daemon);

        let daemon = Daemon::builder().config(OPEN).start().await?;
        let seen = refusal(&daemon, Some(PROXIED), &Connect::cli()).await?;
        let hint = "set gateway.auth or configure gateway.trustedProxies";
        let error = json!({
            "code": "INVALID_REQUEST", "message": "gateway auth required behind reverse proxy",
            "details": { "hint": hint },
        });
        ensure!(seen == Refusal { error, close: (1008, "gateway auth required".to_owned()) }, "{seen:?}");
        daemon.connect(Connect::cli().token("any")).await.context("any token will do without auth")?;
        let how = Connect::cli().anonymous();
        expect(&daemon, &how, &not_paired("device identity required")).await?;
        daemon.connect(how.device(Device::seeded(1))).await.context("or a device").map(drop)
    });
}

#[test]
fn hello_tells_what_there_is() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let client = daemon.connect(Connect::cli()).await?;
        let hello = &client.hello;
        ensure!(keys(hello) == ["type", "protocol", "server", "features", "snapshot", "policy"], "{hello:#}");
        ensure!(hello["type"] == "hello-ok" && hello["protocol"] == 3, "{hello:#}");
        golden::check_json("frames/features.json", &hello["features"])?;
        let snapshot = &hello["snapshot"];
        let all =
            ["presence", "health", "stateVersion", "uptimeMs", "configPath", "stateDir", "sessionDefaults"];
        ensure!(keys(snapshot) == all, "{snapshot:#}");
        ensure!(snapshot["uptimeMs"].is_u64() && snapshot["presence"][0]["reason"] == "self", "{snapshot:#}");
        ensure!(snapshot["configPath"] == daemon.home.config().display().to_string(), "{snapshot:#}");
        let defaults = json!({
            "defaultAgentId": "main", "mainKey": "main", "mainSessionKey": "agent:main:main",
            "scope": "per-sender",
        });
        ensure!(snapshot["sessionDefaults"] == defaults, "{snapshot:#}");
        let policy =
            json!({ "maxPayload": 524_288, "maxBufferedBytes": 1_572_864, "tickIntervalMs": 30_000 });
        ensure!(hello["policy"] == policy, "{hello:#}");
        Ok(())
    });
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().into_iter().flat_map(|object| object.keys().map(String::as_str)).collect()
}

#[test]
fn a_device_gets_a_token_of_its_own_and_keeps_it() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let how = Connect::cli().device(Device::seeded(1)).scopes(&["operator.read", "operator.pairing"]);
        let first = daemon.connect(how.clone()).await?.hello["auth"].take();
        let token = first["deviceToken"].as_str().context("a token")?.to_owned();
        ensure!(token.len() >= 32 && first["issuedAtMs"].is_u64(), "{first}");
        ensure!(
            first["role"] == "operator" && first["scopes"] == json!(["operator.pairing", "operator.read"])
        );

        let again = daemon.connect(how.clone().token(&token)).await?;
        ensure!(again.hello["auth"]["deviceToken"] == token, "it is echoed: {}", again.hello["auth"]);
        let stolen = Connect::cli().device(Device::seeded(2)).token(&token);
        ensure!(daemon.connect(stolen).await.is_err(), "it is worth nothing with another device");
        let more = how.token(&token).scopes(&["operator.admin"]);
        ensure!(daemon.connect(more).await.is_err(), "and grants no more than was approved");

        let mut plain = daemon.connect(Connect::cli().device(Device::seeded(3))).await?;
        let auth = plain.hello["auth"].take();
        ensure!(auth["scopes"] == json!(["operator.admin"]), "no scopes means all: {auth}");
        let node = daemon.connect(Connect::node(Device::seeded(4))).await?;
        let auth = &node.hello["auth"];
        ensure!(auth["role"] == "node" && auth["scopes"] == json!([]), "and none for a node: {auth}");
        Ok(())
    });
}

#[test]
fn guessing_is_slowed_down_and_paired_devices_still_come_in() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let how = Connect::cli().device(Device::seeded(1));
        let token = daemon.connect(how.clone()).await?.hello["auth"]["deviceToken"].take();
        let token = token.as_str().context("a token")?;
        for guess in 0..10 {
            let seen = refusal(&daemon, None, &Connect::probe().token(format!("guess-{guess}"))).await?;
            let text = "unauthorized: gateway token mismatch (provide gateway auth token)";
            ensure!(seen.error["message"] == text, "guess {guess}: {seen:?}");
        }
        for how in [Connect::probe().token("guess-10"), Connect::probe()] {
            let seen = refusal(&daemon, None, &how).await?;
            let wait = seen.error["retryAfterMs"].as_u64().with_context(|| format!("{seen:?}"))?;
            ensure!((1..=30_000).contains(&wait) && seen.close.0 == 1008, "{seen:?}");
        }
        daemon.connect(how.token(token)).await.context("its own token is not a guess").map(drop)
    });
}

#[test]
fn the_first_form_of_a_signature_is_enough_on_this_machine() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let how = Connect::cli().device(Device::seeded(1)).without_nonce();
        daemon.connect(how).await.map(drop)
    });
}

#[test]
fn a_binary_frame_connects() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let (mut socket, nonce) = opened(&daemon, None).await?;
        let frame =
            json!({ "type": "req", "id": "b", "method": "connect", "params": Connect::cli().params(&nonce) });
        socket.send(frame.to_string().into_bytes()).await?;
        let hello = socket.frame().await?;
        ensure!(hello["payload"]["type"] == "hello-ok", "{hello}");
        Ok(())
    });
}

#[test]
fn a_foreign_page_may_not_even_upgrade() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let port = daemon.port;
        let request = format!(
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: https://elsewhere.example\r\n\
             Connection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let answer = http::request(port, &request).await?;
        ensure!(answer.status == 403 && answer.json()?["error"]["type"] == "forbidden", "{answer:?}");
        let own = Connect::ui(Device::seeded(1)).header("Origin", &format!("http://127.0.0.1:{port}"));
        daemon.connect(own).await.context("the page of this gateway may, on any path").map(drop)?;
        daemon.connect(Connect::cli().path("/foo/bar?x=1")).await.map(drop)
    });
}

/// A connect request of exactly `size` bytes.
fn padded(nonce: &str, token: &str, size: usize) -> String {
    let request = |pad: &str| {
        let params = Connect::cli().token(token).with("/userAgent", json!(pad)).params(nonce);
        json!({ "type": "req", "id": "p", "method": "connect", "params": params }).to_string()
    };
    request(&"x".repeat(size - request("").len()))
}

#[test]
fn a_message_has_a_largest_size() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let (mut socket, nonce) = opened(&daemon, None).await?;
        socket.send(padded(&nonce, TOKEN, PREAUTH_MESSAGE + 1)).await?;
        ensure!(socket.next().await? == Incoming::Closed(Some((1009, String::new()))));

        let (mut socket, nonce) = opened(&daemon, None).await?;
        socket.send(padded(&nonce, TOKEN, PREAUTH_MESSAGE)).await?;
        ensure!(socket.frame().await?["ok"] == true);

        let request = |size: usize| {
            let text = |pad: &str| {
                format!(r#"{{"type":"req","id":"x","method":"health","params":{{"pad":"{pad}"}}}}"#)
            };
            text(&"x".repeat(size - text("").len()))
        };
        let mut client: Client = daemon.connect(Connect::cli()).await?;
        client.socket().send(request(limits::MAX_PAYLOAD)).await?;
        client.answer("x").await.context("the largest is answered")?;
        client.socket().send(request(limits::MAX_PAYLOAD + 1)).await?;
        ensure!(client.socket().closed().await? == Some((1009, String::new())));
        Ok(())
    });
}
