//! The outbox against real sockets: whole frames in order whatever the reader does, and the slow-consumer rule.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::frame;
use super::hub::Batch;
use super::outbox::{Limits, Outbox};
use super::stream::{Sink, Stream};

struct Pair {
    outbox: Arc<Outbox>,
    sink: Sink,
    client: TcpStream,
}

async fn pair(limits: Limits) -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (server, _) = accepted.expect("accepted");
    rustix::net::sockopt::set_socket_send_buffer_size(&server, 16 * 1024).expect("a small buffer");
    let (_, sink) = Stream::Plain(server, Bytes::new()).split();
    Pair { outbox: Outbox::new(sink.direct(), limits), sink, client: client.expect("connected") }
}

fn batch(frames: &[(&[u8], bool)]) -> Batch {
    Batch::of(frames.iter().map(|(payload, droppable)| (frame::text(payload), *droppable)))
}

/// Payloads of all frames in `bytes`, and the code and reason of a close frame.
fn decode(mut bytes: &[u8]) -> (Vec<Vec<u8>>, Option<(u16, String)>) {
    let mut texts = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        let (len, rest) = match second {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => (
                usize::try_from(u64::from_be_bytes(rest[..8].try_into().expect("8"))).expect("small"),
                &rest[8..],
            ),
            short => (usize::from(*short), rest),
        };
        let payload = rest[..len].to_vec();
        if *first == 0x88 {
            let reason = String::from_utf8(payload[2..].to_vec()).expect("text");
            return (texts, Some((u16::from_be_bytes([payload[0], payload[1]]), reason)));
        }
        assert_eq!(*first, 0x81, "a text frame");
        texts.push(payload);
        bytes = &rest[len..];
    }
    assert!(bytes.is_empty(), "the stream ends with a whole frame");
    (texts, None)
}

async fn read_to_end(client: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    tokio::time::timeout(Duration::from_secs(10), client.read_to_end(&mut all))
        .await
        .expect("in time")
        .expect("read");
    all
}

#[tokio::test]
async fn hello_comes_before_events_that_came_while_it_was_made() {
    let Pair { outbox, mut sink, mut client } = pair(Limits::default()).await;
    outbox.send(&frame::text(b"challenge"));
    outbox.send_events(&batch(&[(b"one", true), (b"two", false)]));
    outbox.uncork(&frame::text(b"hello"));
    outbox.send_events(&batch(&[(b"three", true)]));
    outbox.close(1012, "service restart");
    outbox.pump(&mut sink).await.expect("pumped");
    outbox.abandon();
    drop((outbox, sink));
    let (texts, close) = decode(&read_to_end(&mut client).await);
    assert_eq!(texts, [&b"challenge"[..], b"hello", b"one", b"two", b"three"]);
    assert_eq!(close, Some((1012, "service restart".to_owned())));
}

#[tokio::test]
async fn a_reader_that_comes_back_gets_whole_frames_in_order() {
    let Pair { outbox, mut sink, mut client } = pair(Limits::default()).await;
    outbox.uncork(&[]);
    let payloads: Vec<Vec<u8>> = (0..200).map(|n| vec![u8::try_from(n).expect("below 256"); 5_000]).collect();
    for turn in payloads.chunks(7) {
        let frames: Vec<_> = turn.iter().map(|p| (p.as_slice(), false)).collect();
        assert_eq!(outbox.send_events(&batch(&frames)), super::outbox::Delivery::default());
    }
    outbox.close(1000, "");
    let pump = outbox.pump(&mut sink);
    let read = async {
        let mut all = Vec::new();
        let mut buffer = vec![0; 3_000];
        loop {
            let n = client.read(&mut buffer).await.expect("read");
            all.extend_from_slice(&buffer[..n]);
            if all.ends_with(&[0x88, 2, 0x03, 0xe8]) {
                return all;
            }
        }
    };
    let (pumped, all) = tokio::join!(pump, read);
    pumped.expect("pumped");
    let (texts, close) = decode(&all);
    assert_eq!(texts, payloads);
    assert_eq!(close, Some((1000, String::new())));
}

#[tokio::test]
async fn a_stalled_reader_misses_droppable_events_and_is_closed_for_the_others() {
    let limits = Limits { bytes: 100_000, grace: Duration::from_millis(100) };
    let Pair { outbox, mut sink, mut client } = pair(limits).await;
    outbox.uncork(&[]);
    let big = vec![b'x'; 30_000];
    // The kernel takes megabytes before it blocks; go on until it takes nothing more.
    loop {
        while outbox.send_events(&batch(&[(&big, true)])).dropped == 0 {}
        let pumped = tokio::time::timeout(Duration::from_millis(50), outbox.pump(&mut sink)).await;
        assert!(pumped.is_err() && !outbox.is_closed(), "droppable events close nobody");
        if outbox.send_events(&batch(&[(&big, true)])).dropped > 0 {
            break;
        }
    }
    outbox.send_events(&batch(&[(b"must arrive", false)]));
    // Nobody reads, so the grace ends and the close frame cannot leave either.
    let error = outbox.pump(&mut sink).await.expect_err("given up");
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert!(outbox.is_closed());
    outbox.abandon();
    drop((outbox, sink));
    let all = read_to_end(&mut client).await;
    assert!(all.len() > 30_000 && !all.windows(11).any(|w| w == b"must arrive"));
}

#[tokio::test]
async fn a_stalled_reader_is_not_woken_by_events() {
    let limits = Limits { bytes: usize::MAX, grace: Duration::from_secs(60) };
    let Pair { outbox, mut sink, client } = pair(limits).await;
    outbox.uncork(&[]);
    let polls = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    let (pumped, counted) = (outbox.clone(), polls.clone());
    tasks.spawn(async move {
        let mut pump = pin!(pumped.pump(&mut sink));
        poll_fn(|cx| {
            counted.fetch_add(1, Ordering::Relaxed);
            pump.as_mut().poll(cx)
        })
        .await
    });
    let big = batch(&[(&vec![b'x'; 30_000], false)]);
    let send = async |times: usize| {
        for _ in 0..times {
            outbox.send_events(&big);
            tokio::task::yield_now().await;
        }
    };
    // The kernel takes megabytes before it blocks.
    let mut before = usize::MAX;
    for _ in 0..50 {
        if before == polls.load(Ordering::Relaxed) {
            break;
        }
        before = polls.load(Ordering::Relaxed);
        send(100).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    send(100).await;
    assert_eq!(polls.load(Ordering::Relaxed), before);
    drop(client);
}

#[tokio::test]
async fn a_reader_within_its_grace_is_kept() {
    let limits = Limits { bytes: 100_000, grace: Duration::from_secs(60) };
    let Pair { outbox, mut sink, mut client } = pair(limits).await;
    outbox.uncork(&[]);
    let big = vec![b'x'; 30_000];
    let mut sent = 0;
    while outbox.send_events(&batch(&[(&big, true)])).dropped == 0 {
        sent += 1;
    }
    outbox.send_events(&batch(&[(b"must arrive", false)]));
    outbox.close(1000, "");
    let (pumped, all) = tokio::join!(outbox.pump(&mut sink), async {
        let mut all = Vec::new();
        let mut buffer = vec![0; 4_096];
        while !all.ends_with(&[0x88, 2, 0x03, 0xe8]) {
            let n = client.read(&mut buffer).await.expect("read");
            all.extend_from_slice(&buffer[..n]);
        }
        all
    });
    pumped.expect("pumped");
    let (texts, _) = decode(&all);
    assert_eq!(texts.len(), sent + 1);
    assert_eq!(texts.last().map(Vec::as_slice), Some(&b"must arrive"[..]));
}

#[tokio::test]
async fn four_times_the_limit_ends_the_grace() {
    let limits = Limits { bytes: 50_000, grace: Duration::from_secs(600) };
    let Pair { outbox, mut sink, mut client } = pair(limits).await;
    outbox.uncork(&[]);
    let big = vec![b'x'; 30_000];
    let mut rounds = 0;
    while !outbox.send_events(&batch(&[(&big, false)])).closed {
        rounds += 1;
        assert!(rounds < 1_000, "the limit holds");
    }
    let (pumped, all) = tokio::join!(outbox.pump(&mut sink), async {
        let mut all = Vec::new();
        let mut buffer = vec![0; 65_536];
        loop {
            let n = client.read(&mut buffer).await.expect("read");
            all.extend_from_slice(&buffer[..n]);
            if let Some(at) = all.windows(13).position(|w| w == b"slow consumer") {
                return all.split_off(at);
            }
        }
    });
    pumped.expect("the close frame left");
    assert!(String::from_utf8_lossy(&all).contains("limit 50000 bytes"), "the reason says the limit");
}

#[tokio::test]
async fn the_reader_is_told_to_wait_while_answers_pile_up() {
    let limits = Limits { bytes: 10_000, grace: Duration::from_secs(60) };
    let Pair { outbox, mut sink, mut client } = pair(limits).await;
    outbox.uncork(&[]);
    let answer = frame::text(&vec![b'x'; 60_000]);
    for _ in 0..100 {
        outbox.send(&answer);
    }
    let waits = tokio::time::timeout(Duration::from_millis(20), outbox.room()).await;
    assert!(waits.is_err(), "there is no room yet");
    tokio::select! {
        _ = outbox.pump(&mut sink) => panic!("the connection is healthy"),
        () = outbox.room() => {}
        () = async { while client.read(&mut [0; 65_536]).await.expect("read") > 0 {} } => panic!("the socket is open")
    }
}

#[tokio::test]
async fn a_close_waits_for_answers_that_are_owed_and_for_nothing_else() {
    let Pair { outbox, mut sink, mut client } = pair(Limits::default()).await;
    outbox.uncork(&[]);
    let (first, second) = (outbox.owe(), outbox.owe());
    outbox.close(1008, "token rotated");
    outbox.send_events(&batch(&[(b"event", false)]));
    let answers = async {
        first.pay(&frame::text(b"first"));
        tokio::task::yield_now().await;
        second.pay(&frame::text(b"second"));
    };
    let (pumped, ()) = tokio::join!(outbox.pump(&mut sink), answers);
    pumped.expect("pumped");
    outbox.abandon();
    drop((outbox, sink));
    let (texts, close) = decode(&read_to_end(&mut client).await);
    assert_eq!(texts, [b"first".as_slice(), b"second"]);
    assert_eq!(close, Some((1008, "token rotated".to_owned())));
}

#[tokio::test]
async fn an_answer_that_never_comes_holds_up_no_close() {
    let Pair { outbox, mut sink, mut client } = pair(Limits::default()).await;
    outbox.uncork(&[]);
    let owed = outbox.owe();
    outbox.close(1012, "service restart");
    outbox.pump(&mut sink).await.expect("pumped");
    owed.pay(&frame::text(b"too late"));
    outbox.abandon();
    drop((outbox, sink));
    let mut all = Vec::new();
    client.read_to_end(&mut all).await.expect("read");
    assert_eq!(decode(&all), (Vec::new(), Some((1012, "service restart".to_owned()))));
}
