//! Hostile and broken input. It gets a clear answer or a close frame, and nobody else notices.

use anyhow::{Context, Result, bail, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::wait::{until, within};
use gateway_tests::ws_client::{Client, refusal};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A socket after the upgrade, for bytes that no WebSocket library would send.
async fn upgraded(port: u16) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

/// Reads to the end of the connection; returns each frame's kind and payload.
async fn frames(mut stream: TcpStream) -> Result<Vec<(u8, Vec<u8>)>> {
    let mut bytes = Vec::new();
    within("the end of the connection", stream.read_to_end(&mut bytes)).await??;
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").context("the upgrade was answered")?;
    let mut frames = Vec::new();
    let mut rest = &bytes[head + 4..];
    while let [first, length, after @ ..] = rest {
        let (length, body) = match (*length, after) {
            (126, [a, b, body @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), body),
            (short @ 0..126, body) => (usize::from(short), body),
            _ => bail!("an unexpected frame"),
        };
        let (payload, after) = body.split_at_checked(length).context("a whole frame")?;
        frames.push((first & 0x0f, payload.to_vec()));
        rest = after;
    }
    Ok(frames)
}

/// The code of the close frame, the last one.
async fn close_code(stream: TcpStream) -> Result<Option<u16>> {
    let frames = frames(stream).await?;
    let close = frames.last().filter(|(kind, _)| *kind == 8);
    Ok(close.and_then(|(_, payload)| payload.first_chunk()).map(|code| u16::from_be_bytes(*code)))
}

#[test]
fn pings_are_answered_and_fragments_put_together() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut stream = upgraded(daemon.port).await?;
        stream.write_all(&[0x89, 0x81, 0, 0, 0, 0, b'p']).await?;
        let parts: [(u8, &[u8]); 3] =
            [(0x01, br#"{"type":"req","#), (0x00, br#""id":"f","method""#), (0x80, br#":"health"}"#)];
        for (first, payload) in parts {
            let length = u8::try_from(payload.len())?;
            stream.write_all(&[first, 0x80 | length, 0, 0, 0, 0]).await?;
            stream.write_all(payload).await?;
        }
        let frames = frames(stream).await?;
        ensure!(frames.contains(&(0xa, b"p".to_vec())), "a pong: {frames:?}");
        let answer = frames.iter().filter(|(kind, _)| *kind == 1).nth(1).context("an answer")?;
        let answer: Value = serde_json::from_slice(&answer.1)?;
        ensure!(answer["id"] == "f" && answer["ok"] == false, "{answer}");
        Ok(())
    });
}

#[test]
fn broken_frames_end_their_own_connection() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut honest = daemon.connect(Connect::cli()).await?;
        let cases: [(&str, &[u8], u16); 5] = [
            ("invalid UTF-8 in a text frame", &[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe], 1007),
            ("a frame that is not masked", &[0x81, 0x02, b'{', b'}'], 1002),
            ("an unknown kind of frame", &[0x83, 0x80, 0, 0, 0, 0], 1002),
            ("a reserved bit", &[0xc1, 0x80, 0, 0, 0, 0], 1002),
            ("a frame of 2^62 bytes", &[0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], 1009),
        ];
        for (what, bytes, code) in cases {
            let mut stream = upgraded(daemon.port).await?;
            stream.write_all(bytes).await?;
            let seen = close_code(stream).await.context(what)?;
            ensure!(seen == Some(code), "{what}: {seen:?}");
        }
        honest.request("health", json!({})).await.map(drop)
    });
}

#[test]
fn text_that_is_no_request_is_passed_over() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let bomb = "[".repeat(100_000);
        for text in ["not json", r#"{"type":"req","id":"t","me"#, "", bomb.as_str()] {
            client.socket().send(text.to_owned()).await?;
            client.request("voicewake.get", json!({})).await.context("the next request is answered")?;
        }
        client.socket().send(vec![0xff, 0xfe, b'{']).await?;
        client.request("voicewake.get", json!({})).await.context("a binary frame that is no text")?;
        let nested = format!(r#"{{"type":"req","id":"n","method":"health","params":{bomb}"#);
        client.socket().send(nested).await?;
        client.request("voicewake.get", json!({})).await?;
        ensure!(
            client.take_waiting().iter().all(|frame| frame["type"] == "event"),
            "nothing else was answered"
        );
        Ok(())
    });
}

/// Sends `frame` as it is and waits for the answer to `id`.
async fn error_of(client: &mut Client, frame: Value, id: &str) -> Result<String> {
    client.socket().send(frame.to_string()).await?;
    let refused = refusal(client.answer(id).await)?;
    ensure!(refused.code == "INVALID_REQUEST", "{refused:?}");
    Ok(refused.message)
}

#[test]
fn odd_requests_are_answered_one_by_one() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let frame = |more: Value| {
            let mut frame = json!({ "type": "req", "id": "a", "method": "voicewake.get" });
            for (key, value) in more.as_object().into_iter().flatten() {
                frame[key] = value.clone();
            }
            frame
        };
        let unknown = error_of(&mut client, frame(json!({ "extra": 1 })), "a").await?;
        ensure!(unknown == "invalid request frame: at root: unexpected property 'extra'", "{unknown}");
        let no_id = error_of(&mut client, json!({ "type": "req", "method": "health" }), "invalid").await?;
        ensure!(no_id == "invalid request frame: must have required property 'id'", "{no_id}");
        let null = error_of(&mut client, frame(json!({ "method": null })), "a").await?;
        ensure!(null == "invalid request frame: at /method: must be string", "{null}");
        let response = error_of(&mut client, frame(json!({ "type": "res" })), "a").await?;
        ensure!(response.starts_with("invalid request frame: "), "{response}");
        let long = error_of(&mut client, frame(json!({ "method": "m".repeat(300_000) })), "a").await?;
        ensure!(long.starts_with("unknown method: mmm"), "{} bytes", long.len());

        client.socket().send(frame(json!({ "params": null })).to_string()).await?;
        client.answer("a").await.context("null parameters are none")?;
        for _ in 0..2 {
            client.socket().send(frame(json!({ "id": "twin" })).to_string()).await?;
        }
        for _ in 0..2 {
            client.answer("twin").await.context("each of two requests with one id is answered")?;
        }
        Ok(())
    });
}

#[test]
fn a_stalled_reader_costs_others_nothing() {
    gateway_tests::run(async {
        const EVENTS: usize = 40;
        let phase = "x".repeat(400_000);
        let daemon = Daemon::start().await?;
        let mut stalled = daemon.connect(Connect::cli()).await?;
        let mut healthy = daemon.connect(Connect::cli()).await?;
        let mut sender = daemon.connect(Connect::cli()).await?;
        let mut numbers = Vec::new();
        for _ in 0..EVENTS {
            sender.request("talk.mode", json!({ "enabled": true, "phase": phase })).await?;
            sender.event("talk.mode").await?;
            let event = healthy.event_frame("talk.mode").await?;
            ensure!(event["payload"]["phase"] == phase.as_str());
            numbers.extend(event["seq"].as_u64());
        }
        ensure!(numbers.len() == EVENTS, "the healthy one got everything");

        ensure!(somebody_fell_behind(&daemon).await?, "nothing was dropped, so the queue has no limit");
        // It may have been closed by now; if it was not, it is served again and has missed some.
        if stalled.request("voicewake.get", json!({})).await.is_ok() {
            let kept = stalled.take_waiting().iter().filter(|frame| frame["event"] == "talk.mode").count();
            ensure!(kept < EVENTS, "it received all {kept}");
        }
        sender.request("voicewake.get", json!({})).await.map(drop)
    });
}

/// The number behind a name in the metrics.
async fn metric(daemon: &Daemon, name: &str) -> Result<f64> {
    let metrics = daemon.get("/metrics").await?.body;
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.with_context(|| format!("{name} in {metrics}"))?.parse().context(name.to_owned())
}

#[test]
fn what_waits_for_a_stalled_reader_is_told() {
    gateway_tests::run(async {
        const NAMES: [&str; 4] = [
            "gateway_outbox_waiting_bytes",
            "gateway_outbox_largest_bytes",
            "gateway_outbox_pieces",
            "gateway_outbox_clients",
        ];
        let phase = "x".repeat(400_000);
        let daemon = Daemon::start().await?;
        let mut stalled = daemon.connect(Connect::cli()).await?;
        let mut sender = daemon.connect(Connect::cli()).await?;
        for name in NAMES {
            ensure!(metric(&daemon, name).await? == 0.0, "{name} is nothing yet");
        }
        let mut sent = 0;
        // The system takes some megabytes for a client that does not read before the gateway has to keep any.
        while metric(&daemon, NAMES[0]).await? == 0.0 {
            sender.request("talk.mode", json!({ "enabled": true, "phase": phase })).await?;
            sender.event("talk.mode").await?;
            sent += 1;
        }
        let [bytes, largest] = [metric(&daemon, NAMES[0]).await?, metric(&daemon, NAMES[1]).await?];
        ensure!(bytes == largest && bytes <= 500_000.0, "{bytes} bytes, {largest} for one client");
        ensure!(metric(&daemon, NAMES[2]).await? >= 1.0, "a piece at least");
        ensure!(metric(&daemon, NAMES[3]).await? == 1.0, "one client");
        for _ in 0..sent {
            stalled.event("talk.mode").await?;
        }
        for name in NAMES {
            let daemon = &daemon;
            until(name, || async move { Ok((metric(daemon, name).await? == 0.0).then_some(())) }).await?;
        }
        Ok(())
    });
}

/// Whether the daemon counted events that a client missed, or a client closed for being slow.
async fn somebody_fell_behind(daemon: &Daemon) -> Result<bool> {
    let metrics = daemon.get("/metrics").await?.body;
    let counted =
        |line: &str| line.rsplit(' ').next().is_some_and(|n| n.parse::<f64>().is_ok_and(|n| n > 0.0));
    let about =
        |line: &str| line.starts_with("gateway") && (line.contains("dropped") || line.contains("slow"));
    Ok(metrics.lines().any(|line| about(line) && counted(line)))
}

#[test]
fn a_half_open_socket_is_let_go() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut watcher = daemon.connect(Connect::cli()).await?;
        let mut silent = TcpStream::connect(("127.0.0.1", daemon.port)).await?;
        silent.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr").await?;
        silent.shutdown().await?;
        let mut rest = Vec::new();
        within("the end of half a request", silent.read_to_end(&mut rest)).await??;

        let mut cut = upgraded(daemon.port).await?;
        cut.write_all(&[0x81, 0xe4, 0, 0, 0, 0, b'{']).await?;
        cut.shutdown().await?;
        close_code(cut).await.context("half a frame, then nothing")?;

        let mut guest = daemon.connect(Connect::probe().with("/client/instanceId", json!("guest"))).await?;
        guest.socket().tcp().set_zero_linger()?;
        drop(guest);
        let told = watcher.event("presence").await.context("a reset connection counts as gone")?;
        let entries = told["presence"].as_array().context("a list")?;
        let gone = entries.iter().any(|e| e["instanceId"] == "guest" && e["reason"] == "disconnect");
        ensure!(gone, "{told:#}");
        Ok(())
    });
}
