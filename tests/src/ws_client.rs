//! A WebSocket client for tests: [`Socket`] speaks frames, [`Client`] has shaken hands and asks. Every wait has a
//! limit, and what arrives meanwhile is kept.

use std::collections::VecDeque;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::connect::Connect;
use crate::wait::within;

/// Small, because a test may have thousands of clients.
const READ_BUFFER: usize = 8 * 1024;

/// What a server sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// One frame.
    Frame(Value),
    /// The close frame; `None` when the connection ended without one.
    Closed(Option<(u16, String)>),
}

/// An open socket, before or after the handshake.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
}

/// The refusal in an answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refused {
    /// `error.code`
    pub code: String,
    /// `error.message`
    pub message: String,
    /// The whole `error` object.
    pub error: Value,
}

/// A client that is connected.
#[derive(Debug)]
pub struct Client {
    socket: Socket,
    next_id: u64,
    waiting: VecDeque<Value>,
    /// The payload of `hello-ok`.
    pub hello: Value,
}

impl Socket {
    /// Upgrades on `path` with these headers.
    pub async fn open(port: u16, path: &str, headers: &[(String, String)]) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.context("connecting")?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://127.0.0.1:{port}{path}").into_client_request()?;
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes())?;
            request.headers_mut().append(name, HeaderValue::from_str(value)?);
        }
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        let upgrade = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        let (stream, _) = within("the upgrade", upgrade).await?.context("upgrading")?;
        Ok(Self { stream })
    }

    /// The next frame or the end. Pings and pongs are passed over.
    pub async fn next(&mut self) -> Result<Incoming> {
        loop {
            if let Some(incoming) = self.read().await? {
                return Ok(incoming);
            }
        }
    }

    /// What comes next; `None` is a ping or a pong.
    async fn read(&mut self) -> Result<Option<Incoming>> {
        let message = within("a frame", self.stream.next()).await?;
        Ok(Some(match message {
            Some(Ok(Message::Text(text))) => {
                Incoming::Frame(serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))?)
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(None),
            Some(Ok(Message::Close(frame))) => {
                Incoming::Closed(frame.map(|f| (u16::from(f.code), f.reason.as_str().to_owned())))
            }
            Some(Ok(other)) => bail!("the server sent {other:?}"),
            None | Some(Err(_)) => Incoming::Closed(None),
        }))
    }

    /// The next frame; fails when the connection ends instead.
    pub async fn frame(&mut self) -> Result<Value> {
        match self.next().await? {
            Incoming::Frame(frame) => Ok(frame),
            Incoming::Closed(how) => bail!("the connection was closed: {how:?}"),
        }
    }

    /// Passes over frames until the connection is closed and returns code and reason.
    pub async fn closed(&mut self) -> Result<Option<(u16, String)>> {
        loop {
            if let Incoming::Closed(how) = self.next().await? {
                return Ok(how);
            }
        }
    }

    /// The nonce of the challenge, which has to be the first frame.
    pub async fn challenge(&mut self) -> Result<String> {
        let frame = self.frame().await?;
        let nonce = frame["payload"]["nonce"].as_str().filter(|_| frame["event"] == "connect.challenge");
        nonce.map(str::to_owned).with_context(|| format!("not a challenge: {frame}"))
    }

    /// Sends a message as it is.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<()> {
        within("the socket to take a message", self.stream.send(message.into())).await?.context("sending")
    }

    /// Sends a request frame.
    pub async fn send_request(&mut self, id: &str, method: &str, params: Value) -> Result<()> {
        self.send(json!({ "type": "req", "id": id, "method": method, "params": params }).to_string()).await
    }

    /// Closes the connection from this side.
    pub async fn close(&mut self) -> Result<()> {
        match within("closing", self.stream.close(None)).await? {
            Ok(()) | Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The connection below.
    #[must_use]
    pub fn tcp(&self) -> &TcpStream {
        self.stream.get_ref()
    }
}

impl Client {
    /// Opens a socket, answers the challenge and waits for `hello-ok`. A refusal is a [`Refused`].
    pub async fn connect(port: u16, how: Connect) -> Result<Self> {
        let mut socket = Socket::open(port, &how.path, &how.headers).await?;
        let nonce = socket.challenge().await?;
        socket.send_request("connect", "connect", how.params(&nonce)).await?;
        let mut client = Self { socket, next_id: 1, waiting: VecDeque::new(), hello: Value::Null };
        client.hello = client.answer("connect").await?;
        Ok(client)
    }

    /// Asks and waits for the answer; an error answer is a [`Refused`].
    pub async fn request(&mut self, method: &str, params: Value) -> Result<Value> {
        let id = self.start(method, params).await?;
        self.answer(&id).await
    }

    /// Asks without waiting and returns the request's id.
    pub async fn start(&mut self, method: &str, params: Value) -> Result<String> {
        let id = format!("r{}", self.next_id);
        self.next_id += 1;
        self.socket.send_request(&id, method, params).await?;
        Ok(id)
    }

    /// The answer to the request `id`.
    pub async fn answer(&mut self, id: &str) -> Result<Value> {
        let mut frame = self.find(|frame| frame["type"] == "res" && frame["id"] == id).await?;
        if frame["ok"] == true {
            return Ok(frame["payload"].take());
        }
        let error = frame["error"].take();
        let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        Err(Refused { code: text("code"), message: text("message"), error }.into())
    }

    /// Asks for something that must be refused and returns the refusal.
    pub async fn refused(&mut self, method: &str, params: Value) -> Result<Refused> {
        refusal(self.request(method, params).await)
    }

    /// Asks. Returns the request with its answer or its refusal, as golden files hold them, and the latter alone.
    pub async fn pair(&mut self, method: &str, params: Value) -> Result<(Value, Value)> {
        let (key, answer) = match self.request(method, params.clone()).await {
            Ok(payload) => ("payload", payload),
            Err(error) => ("error", error.downcast::<Refused>()?.error),
        };
        let mut pair = json!({ "method": method, "params": params });
        pair[key] = answer.clone();
        Ok((pair, answer))
    }

    /// What it sees at the end: the event `shutdown`, if it came, and the close frame.
    pub async fn farewell(&mut self) -> Result<(Option<Value>, Option<(u16, String)>)> {
        let mut told = None;
        loop {
            match self.socket().next().await? {
                Incoming::Frame(mut frame) if frame["event"] == "shutdown" => {
                    told = Some(frame["payload"].take());
                }
                Incoming::Frame(_) => {}
                Incoming::Closed(how) => return Ok((told, how)),
            }
        }
    }

    /// Sees the daemon restart, and is told so.
    pub async fn sees_a_restart(&mut self) -> Result<()> {
        let (told, how) = self.farewell().await?;
        let expected = json!({ "reason": "gateway restarting", "restartExpectedMs": 1500 });
        ensure!(told == Some(expected), "{told:?}");
        ensure!(how == Some((1012, "service restart".to_owned())), "{how:?}");
        Ok(())
    }

    /// The payload of the next event of this name, also one that has already arrived.
    pub async fn event(&mut self, name: &str) -> Result<Value> {
        Ok(self.event_frame(name).await?["payload"].take())
    }

    /// The whole frame of the next event of this name.
    pub async fn event_frame(&mut self, name: &str) -> Result<Value> {
        self.find(|frame| frame["type"] == "event" && frame["event"] == name).await
    }

    /// Sends a ping and waits for its pong.
    pub async fn ping(&mut self) -> Result<()> {
        self.socket.send(Message::Ping("there?".into())).await?;
        while let Some(incoming) = self.socket.read().await? {
            match incoming {
                Incoming::Frame(frame) => self.waiting.push_back(frame),
                Incoming::Closed(how) => bail!("the connection was closed: {how:?}"),
            }
        }
        Ok(())
    }

    /// Everything that has arrived and was not asked for yet.
    pub fn take_waiting(&mut self) -> Vec<Value> {
        self.waiting.drain(..).collect()
    }

    /// The socket below.
    pub fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    async fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        if let Some(found) = self.waiting.iter().position(&wanted) {
            return self.waiting.remove(found).context("it was just there");
        }
        loop {
            let frame = self.socket.frame().await?;
            if wanted(&frame) {
                return Ok(frame);
            }
            self.waiting.push_back(frame);
        }
    }
}

/// Turns "it must be refused" into the refusal.
pub fn refusal<T: std::fmt::Debug>(outcome: Result<T>) -> Result<Refused> {
    match outcome {
        Ok(value) => bail!("it was not refused: {value:?}"),
        Err(error) => error.downcast::<Refused>(),
    }
}
