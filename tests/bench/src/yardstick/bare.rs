//! Yardstick B: what tokio-tungstenite can do with small buffers and feed-then-flush, a task and a bounded channel
//! per client, two worker threads.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};

use super::answers::{self, Asked};

/// Events that may wait for one client before it misses some.
const QUEUE: usize = 1024;

struct Hub {
    clients: Mutex<HashMap<u64, mpsc::Sender<Utf8Bytes>>>,
    seq: AtomicU64,
    hello: String,
    announce_leave: bool,
}

pub fn run(port: u16, announce_leave: bool) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_io().build()?;
    runtime.block_on(serve(port, announce_leave))
}

#[allow(clippy::disallowed_methods, reason = "a yardstick stays bare")]
async fn serve(port: u16, announce_leave: bool) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.context("cannot listen")?;
    let hub = Arc::new(Hub {
        clients: Mutex::default(),
        seq: AtomicU64::new(1),
        hello: answers::hello_ok(),
        announce_leave,
    });
    for number in 0.. {
        let (stream, _) = listener.accept().await?;
        let hub = hub.clone();
        tokio::spawn(async move {
            let known = client(&hub, number, stream).await.unwrap_or(true);
            if known {
                hub.forget(number);
            }
        });
    }
    Ok(())
}

/// Serves one client to its end; says whether it was let in.
async fn client(hub: &Hub, number: u64, stream: TcpStream) -> Result<bool, Error> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(4096)
        .max_write_buffer_size(1_572_864)
        .max_message_size(Some(524_288));
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    socket.send(Message::text(answers::CHALLENGE)).await?;
    let (sender, mut events) = mpsc::channel(QUEUE);
    let mut waiting = Some(sender);
    loop {
        tokio::select! {
            message = socket.next() => {
                let mut message = message;
                while let Some(arrived) = message.take() {
                    if !take(hub, number, &mut waiting, &mut socket, arrived?).await? {
                        return Ok(waiting.is_none());
                    }
                    message = match socket.next().now_or_never() {
                        Some(None) => return Ok(waiting.is_none()),
                        Some(next) => next,
                        None => break,
                    };
                }
            }
            Some(event) = events.recv() => {
                socket.feed(Message::Text(event)).await?;
                while let Ok(event) = events.try_recv() {
                    socket.feed(Message::Text(event)).await?;
                }
            }
        }
        socket.flush().await?;
    }
}

/// Deals with one message; false when the client said goodbye.
async fn take(
    hub: &Hub,
    number: u64,
    waiting: &mut Option<mpsc::Sender<Utf8Bytes>>,
    socket: &mut WebSocketStream<TcpStream>,
    message: Message,
) -> Result<bool, Error> {
    let request = match message {
        Message::Text(text) => text,
        Message::Close(_) => {
            let _ = socket.flush().await;
            return Ok(false);
        }
        _ => return Ok(true),
    };
    let Some((id, asked)) = answers::read(request.as_bytes()) else { return Ok(true) };
    let answer = match asked {
        Asked::Connect => {
            if let Some(sender) = waiting.take() {
                hub.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(number, sender);
            }
            answers::answer(id, &hub.hello)
        }
        Asked::Event(phase) => {
            hub.tell_all(answers::event(phase, hub.seq.fetch_add(1, Ordering::Relaxed)));
            answers::small(id)
        }
        Asked::Other => answers::small(id),
    };
    socket.feed(Message::Text(text(answer))).await?;
    Ok(true)
}

impl Hub {
    fn tell_all(&self, event: Vec<u8>) {
        let event = text(event);
        for client in self.clients.lock().unwrap_or_else(PoisonError::into_inner).values() {
            let _ = client.try_send(event.clone());
        }
    }

    fn forget(&self, number: u64) {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        if self.announce_leave {
            self.tell_all(answers::leave(self.seq.fetch_add(1, Ordering::Relaxed)));
        }
    }
}

fn text(bytes: Vec<u8>) -> Utf8Bytes {
    Utf8Bytes::try_from(bytes).unwrap_or_default()
}
