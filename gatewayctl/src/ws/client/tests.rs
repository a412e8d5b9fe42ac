use std::sync::{Arc, Mutex};

use gateway_base::secret::Secret;
use tokio::net::TcpListener;
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite};

use super::*;

/// What a made-up gateway answers to a request.
type Answers = fn(&Value) -> Vec<Message>;

struct Fake {
    target: Target,
    seen: Arc<Mutex<Vec<Value>>>,
}

fn text(value: &Value) -> Message {
    Message::text(value.to_string())
}

/// A gateway for one connection.
async fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<Value>>>, answers: Answers) {
    let Ok((tcp, _)) = listener.accept().await else { return };
    let Ok(mut socket): Result<WebSocketStream<_>, _> = accept_async(tcp).await else { return };
    let challenge =
        json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n1", "ts": 1}});
    let _ = socket.send(text(&challenge)).await;
    while let Some(Ok(Message::Text(frame))) = socket.next().await {
        let request: Value = serde_json::from_str(&frame).expect("requests are JSON");
        seen.lock().expect("no panic").push(request.clone());
        for message in answers(&request) {
            let last = matches!(message, Message::Close(_));
            let _ = socket.send(message).await;
            if last {
                return;
            }
        }
    }
}

async fn with_fake<T>(
    answers: Answers,
    secrets: Secrets,
    work: impl AsyncFnOnce(Fake, Options<'_>) -> T,
) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("is bound");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let target = Target {
        url: format!("ws://{address}"),
        source: "test".to_owned(),
        bind: None,
        local: false,
        config: "/c".into(),
        secrets,
        pin: None,
    };
    let dir = tempfile::tempdir().expect("temporary folder");
    let identity = Identity::from_seed(&[7; 32]);
    let tokens = TokenFile::new(dir.path().join("device-auth.json"));
    let clock = Clock::manual(1_769_500_000_000);
    let options = Options {
        identity: &identity,
        tokens: &tokens,
        mode: Mode::Cli,
        timeout: Duration::from_secs(20),
        clock: &clock,
    };
    let server = serve(listener, seen.clone(), answers);
    let client = work(Fake { target, seen }, options);
    tokio::pin!(server);
    tokio::pin!(client);
    tokio::select! {
        done = &mut client => done,
        () = &mut server => client.await,
    }
}

fn hello(request: &Value) -> Message {
    text(&json!({"type": "res", "id": request["id"], "ok": true, "payload": {
        "type": "hello-ok", "protocol": 3, "server": {"version": "dev", "host": "studio", "connId": "c"},
        "auth": {"deviceToken": "dt", "role": "operator", "scopes": ["operator.admin"], "issuedAtMs": 1}}}))
}

#[tokio::test]
async fn a_call_is_introduced_signed_and_answered() {
    fn answers(request: &Value) -> Vec<Message> {
        let id = &request["id"];
        match request["method"].as_str() {
            Some("connect") => vec![hello(request)],
            _ => vec![
                text(&json!({"type": "event", "event": "tick", "payload": {}, "seq": 1})),
                text(&json!({"type": "res", "id": "another", "ok": true})),
                text(&json!({"type": "res", "id": id, "ok": true, "payload": {"status": "accepted"}})),
                text(&json!({"type": "res", "id": id, "ok": true, "payload": {"status": "ok"}})),
            ],
        }
    }
    let secrets = Secrets { token: Some(Secret::new("t")), password: None, explicit: false };
    with_fake(answers, secrets, async |fake, options| {
        let mut connection = Connection::open(&fake.target, options).await.expect("opens");
        assert_eq!((connection.hello().server.host.as_str(), connection.hello().protocol), ("studio", 3));
        let first = connection.call("agent", json!({}), false).await.expect("is answered");
        assert_eq!(first["status"], "accepted");
        let last = connection.call("agent", json!({}), true).await.expect("is answered");
        assert_eq!(last["status"], "ok");
        connection.close().await;
        let connect = fake.seen.lock().expect("no panic")[0]["params"].clone();
        assert_eq!((&connect["device"]["nonce"], &connect["auth"]["token"]), (&json!("n1"), &json!("t")));
        assert!(options.tokens.get(options.identity.id(), "operator").is_some_and(|t| t.matches("dt")));
    })
    .await;
}

#[tokio::test]
async fn a_refused_handshake_is_a_refusal_in_the_gateways_words() {
    fn answers(request: &Value) -> Vec<Message> {
        let error =
            json!({"code": "NOT_PAIRED", "message": "pairing required", "details": {"requestId": "r1"}});
        vec![text(&json!({"type": "res", "id": request["id"], "ok": false, "error": error}))]
    }
    with_fake(answers, Secrets::default(), async |fake, options| {
        let Err(error) = Connection::open(&fake.target, options).await else { panic!("refused") };
        assert!(error.is_refusal() && !error.is_nobody_there());
        assert_eq!(error.to_string(), "gateway closed (1008): pairing required");
        assert!(matches!(error, Error::Refused { details, .. } if details["requestId"] == "r1"));
    })
    .await;
}

#[tokio::test]
async fn a_close_keeps_its_code_and_reason() {
    fn answers(request: &Value) -> Vec<Message> {
        if request["method"] == "connect" {
            return vec![hello(request)];
        }
        vec![Message::Close(Some(CloseFrame { code: CloseCode::Restart, reason: "service restart".into() }))]
    }
    with_fake(answers, Secrets::default(), async |fake, options| {
        let mut connection = Connection::open(&fake.target, options).await.expect("opens");
        let error = connection.call("health", json!({}), false).await.expect_err("was closed");
        assert_eq!(error.to_string(), "gateway closed (1012): service restart");
    })
    .await;
}

#[tokio::test]
async fn several_calls_are_answered_in_any_order() {
    fn answers(request: &Value) -> Vec<Message> {
        match request["method"].as_str() {
            Some("connect") => vec![hello(request)],
            Some("slow") => vec![],
            _ => vec![
                text(&json!({"type": "res", "id": request["id"], "ok": false,
                    "error": {"code": "INVALID_REQUEST", "message": "missing scope: operator.read"}})),
                text(&json!({"type": "res", "id": request["params"]["other"], "ok": true, "payload": 1})),
            ],
        }
    }
    with_fake(answers, Secrets::default(), async |fake, options| {
        let mut connection = Connection::open(&fake.target, options).await.expect("opens");
        let id = connection.send("slow", &json!({})).await.expect("is sent");
        let answers = connection.call_all(&[("quick", json!({"other": id}))]).await.expect("are answered");
        assert!(answers[0].0.as_ref().is_err_and(Error::is_refusal));
    })
    .await;
}

#[tokio::test]
async fn the_device_token_is_used_only_when_no_secret_is_known() {
    fn answers(request: &Value) -> Vec<Message> {
        vec![hello(request)]
    }
    for (secrets, sent) in [
        (Secrets::default(), json!("stored")),
        (Secrets { token: Some(Secret::new("given")), password: None, explicit: true }, json!("given")),
        (Secrets { token: None, password: Some(Secret::new("pw")), explicit: true }, Value::Null),
    ] {
        with_fake(answers, secrets, async |fake, options| {
            options
                .tokens
                .keep(options.identity.id(), "operator", "stored", &[], options.clock)
                .expect("is kept");
            Connection::open(&fake.target, options).await.expect("opens").close().await;
            let connect = fake.seen.lock().expect("no panic")[0]["params"].clone();
            assert_eq!(connect["auth"].get("token").cloned().unwrap_or_default(), sent);
        })
        .await;
    }
}

#[tokio::test]
async fn nonsense_from_a_gateway_is_an_error() {
    fn answers(_: &Value) -> Vec<Message> {
        vec![text(&json!({"type": "res", "id": 7}))]
    }
    with_fake(answers, Secrets::default(), async |fake, options| {
        let Err(error) = Connection::open(&fake.target, options).await else { panic!("nonsense") };
        assert!(matches!(error, Error::Protocol(_)), "{error:?}");
    })
    .await;
}

/// Serves one connection on a thread of its own, as fast as the other side takes it.
fn without_pause(
    work: impl FnOnce(&mut tungstenite::WebSocket<std::net::TcpStream>) + Send + 'static,
) -> Target {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("is bound");
    std::thread::spawn(move || {
        let (tcp, _) = listener.accept().expect("a client");
        work(&mut tungstenite::accept(tcp).expect("a WebSocket"));
    });
    Target {
        url: format!("ws://{address}"),
        source: "test".to_owned(),
        bind: None,
        local: false,
        config: "/c".into(),
        secrets: Secrets::default(),
        pin: None,
    }
}

/// Thousands of events with one write, so that there is always another one to read.
fn flood() -> Target {
    use std::io::Write;
    let event = json!({"type": "event", "event": "tick", "payload": {}}).to_string();
    let length = u8::try_from(event.len()).expect("a short frame");
    let frames = [&[0x81, length], event.as_bytes()].concat().repeat(10_000);
    without_pause(move |socket| while socket.get_mut().write_all(&frames).is_ok() {})
}

#[tokio::test]
async fn a_gateway_that_never_pauses_is_given_up_in_time() {
    with_fake(
        |_| Vec::new(),
        Secrets::default(),
        async |_, options| {
            let options = Options { timeout: Duration::from_millis(300), ..options };
            let opened =
                tokio::time::timeout(Duration::from_secs(20), Connection::open(&flood(), options)).await;
            let error = opened.expect("its own limit ends it").err().expect("nobody answered");
            assert!(matches!(error, Error::Timeout(300)), "{error:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn a_gateway_that_never_pauses_keeps_no_other_waiting() {
    with_fake(
        |request| vec![hello(request)],
        Secrets::default(),
        async |fake, options| {
            let (flood, mut timing) = (flood(), Timing::default());
            let flooded = Connection::open_timed(&flood, options, &mut timing);
            let answered = Connection::open(&fake.target, options);
            tokio::select! {
                biased;
                ended = flooded => panic!("it took all of its time: {:?}", ended.err()),
                opened = answered => opened.expect("opens").close().await,
            }
        },
    )
    .await;
}

#[tokio::test]
async fn more_than_a_gateway_sends_is_told_from_a_broken_connection() {
    use std::io::Write;
    with_fake(
        |_| Vec::new(),
        Secrets::default(),
        async |_, options| {
            let target = without_pause(|socket| {
                // The head of a frame of 2^62 bytes.
                let _ = socket.get_mut().write_all(&[0x81, 0x7f, 0x40, 0, 0, 0, 0, 0, 0, 0]);
                let _ = socket.read();
            });
            let error = Connection::open(&target, options).await.err().expect("is given up");
            assert!(matches!(&error, Error::Protocol(why) if why.contains("too long")), "{error:?}");
            let target = without_pause(|_| ());
            let error = Connection::open(&target, options).await.err().expect("is gone");
            assert!(matches!(error, Error::Closed { code: 1006, .. }), "{error:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn nobody_there_is_said_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("is bound");
    drop(listener);
    let error = dial(&format!("ws://{address}"), None, &mut Timing::default()).await.err().expect("refused");
    assert!(error.is_nobody_there());
    assert_eq!(error.to_string(), format!("connect failed: connect ECONNREFUSED {address}"));
}
