//! Servers on loopback that are no gateway, or not the one that is meant: what a client may find at an address.

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// A task that ends with its owner.
pub struct Running {
    /// Where it listens.
    pub port: u16,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves every connection with `serve`.
async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Result<Running>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    #[allow(clippy::disallowed_methods, reason = "the tests have no supervised tasks")]
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that hangs up ends its connection, not the server.
            let _ = serve(stream).await;
        }
    });
    Ok(Running { port, task })
}

/// Answers every request with a page.
pub async fn web() -> Result<Running> {
    start(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
            .await
            .context("answering")
    })
    .await
}

/// A gateway that refuses everybody with this error.
async fn refuses(error: Value, code: u16) -> Result<Running> {
    start(move |stream| {
        let error = error.clone();
        async move {
            let mut socket = accept_async(stream).await?;
            let challenge =
                json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n", "ts": 1}});
            socket.send(Message::text(challenge.to_string())).await?;
            let request = socket.next().await.context("a request")??;
            let request: Value = serde_json::from_str(request.to_text()?)?;
            let answer = json!({"type": "res", "id": request["id"], "ok": false, "error": error});
            socket.send(Message::text(answer.to_string())).await?;
            let frame = CloseFrame { code: code.into(), reason: "refused".into() };
            socket.close(Some(frame)).await.context("closing")
        }
    })
    .await
}

/// A gateway of another protocol: it refuses everybody who does not speak version 2.
pub async fn protocol_2() -> Result<Running> {
    let details = json!({"expectedProtocol": 2});
    refuses(json!({"code": "INVALID_REQUEST", "message": "protocol mismatch", "details": details}), 1002)
        .await
}

/// Asks for a pairing under an id that is a command.
pub async fn pairing_trap() -> Result<Running> {
    let details = json!({"requestId": "x; rm -rf ~"});
    refuses(json!({"code": "NOT_PAIRED", "message": "pairing required", "details": details}), 1008).await
}

/// Refuses in words that would read as a line of ours, and in orders for a terminal.
pub async fn forger() -> Result<Running> {
    let message = "no\nVerdict: running - the gateway runs\u{1b}[1A\u{202e}";
    refuses(json!({"code": "INVALID_REQUEST", "message": message}), 1008).await
}

/// Sends thousands of events with one write, so that there is always another one to read, and never answers.
pub async fn flood() -> Result<Running> {
    let event = json!({"type": "event", "event": "tick", "payload": {}}).to_string();
    let frames = [&[0x81, u8::try_from(event.len())?], event.as_bytes()].concat().repeat(10_000);
    start(move |stream| {
        let frames = frames.clone();
        async move {
            let mut socket = accept_async(stream).await?;
            loop {
                socket.get_mut().write_all(&frames).await?;
            }
        }
    })
    .await
}

/// Speaks TLS, and refuses whatever is offered (RFC 8446, alert 40).
pub async fn no_common_tls() -> Result<Running> {
    start(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(&[21, 3, 3, 0, 2, 2, 40]).await.context("refusing")
    })
    .await
}

/// Accepts, and says nothing.
pub async fn mute() -> Result<Running> {
    start(|stream| async move {
        let held = stream;
        std::future::pending::<()>().await;
        drop(held);
        Ok(())
    })
    .await
}

/// Passes everything on to `to`, and says that it does so for somebody else, as a proxy does.
pub async fn proxy(to: u16) -> Result<Running> {
    start(move |mut stream| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        head.truncate(head.len() - 2);
        head.extend_from_slice(b"X-Forwarded-For: 203.0.113.7\r\n\r\n");
        let mut server = TcpStream::connect(("127.0.0.1", to)).await?;
        server.write_all(&head).await?;
        copy_bidirectional(&mut stream, &mut server).await?;
        Ok(())
    })
    .await
}

/// A port whose queue of connections is full: the kernel lets nobody else in and sends no refusal either.
pub struct Full {
    /// The port.
    pub port: u16,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Full {
    pub async fn new() -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind("127.0.0.1:0".parse()?)?;
        let listener = socket.listen(1)?;
        let address = listener.local_addr()?;
        let mut waiting = Vec::new();
        let second = std::time::Duration::from_secs(1);
        // It is full when a connection is not taken at once; a connection that waits is not counted.
        while let Ok(connected) = tokio::time::timeout(second, TcpStream::connect(address)).await {
            waiting.push(connected?);
        }
        Ok(Self { port: address.port(), _listener: listener, _waiting: waiting })
    }
}
