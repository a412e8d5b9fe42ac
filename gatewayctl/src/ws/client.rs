//! One connection after its handshake, and the few things asked on it.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use gateway_base::clock::Clock;
use gateway_wire::version::PROTOCOL;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::connect::{self, Mode, ROLE};
use super::dial::{Stream, dial};
use super::error::Error;
use super::timing::{Lap, Timing};
use crate::identity::{Identity, TokenFile};
use crate::target::{Secrets, Target};

/// How long the challenge may take before we connect without a nonce, as the original does.
const CHALLENGE_WAIT: Duration = Duration::from_millis(750);

/// The one version of the protocol that is spoken here.
const OUR_PROTOCOL: u64 = PROTOCOL as u64;

/// How to open a connection.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Our own key.
    pub identity: &'a Identity,
    /// The tokens issued to it.
    pub tokens: &'a TokenFile,
    /// In which role we come.
    pub mode: Mode,
    /// The time for everything on this connection.
    pub timeout: Duration,
    /// The time of day.
    pub clock: &'a Clock,
}

/// What the gateway said of itself at the end of the handshake.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hello {
    /// The protocol version.
    pub protocol: u64,
    /// The program and the connection.
    pub server: Server,
    /// Rights that were granted, and the token to come back with.
    pub auth: Option<Granted>,
    /// Where it keeps its things.
    pub snapshot: Snapshot,
}

/// The `snapshot` part of the greeting, as far as it is needed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Snapshot {
    /// The state folder.
    pub state_dir: Option<PathBuf>,
}

/// The `server` part of the greeting.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Server {
    /// Its version.
    pub version: String,
    /// The host's name.
    pub host: String,
}

/// The `auth` part of the greeting.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Granted {
    /// A token for this device.
    pub device_token: String,
    /// The role it is for.
    pub role: String,
    /// What it allows.
    pub scopes: Vec<String>,
}

/// The answer to one of several calls, and how long it took.
pub type Timed = (Result<Value, Error>, Duration);

/// An open connection.
pub struct Connection {
    stream: Stream,
    deadline: Instant,
    timeout: Duration,
    hello: Hello,
    /// How long socket and handshake took.
    took: Duration,
}

impl Connection {
    /// Opens a connection and introduces us.
    pub async fn open(target: &Target, options: Options<'_>) -> Result<Self, Error> {
        Self::open_timed(target, options, &mut Timing::default()).await
    }

    /// The same; `timing` tells how long each step took, and how far it came.
    pub async fn open_timed(
        target: &Target,
        options: Options<'_>,
        timing: &mut Timing,
    ) -> Result<Self, Error> {
        let began = Instant::now();
        let deadline = began + options.timeout;
        let late = || Error::Timeout(options.timeout.as_millis());
        let stream = timeout_at(deadline, dial(&target.url, target.pin.as_deref(), timing))
            .await
            .map_err(|_| late())??;
        let mut lap = Lap::start();
        let (timeout, hello, took) = (options.timeout, Hello::default(), Duration::ZERO);
        let mut connection = Self { stream, deadline, timeout, hello, took };
        let nonce = connection.challenge(began + CHALLENGE_WAIT.min(options.timeout)).await?;
        let (secrets, scopes) = with_device_token(target, &options);
        let params = connect::params(
            options.mode,
            scopes.as_deref(),
            options.identity,
            &secrets,
            nonce.as_deref(),
            options.clock,
        );
        let answer = connection.call("connect", params, false).await.map_err(as_refusal)?;
        connection.hello =
            serde_json::from_value(answer).map_err(|e| Error::Protocol(format!("hello-ok: {e}")))?;
        if !matches!(connection.hello.protocol, 0 | OUR_PROTOCOL) {
            return Err(Error::OtherProtocol(connection.hello.protocol));
        }
        connection.took = began.elapsed();
        timing.hello = Some(lap.next());
        connection.keep_device_token(&options);
        Ok(connection)
    }

    /// What the gateway said of itself.
    #[must_use]
    pub const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// How long it took to connect.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.took
    }

    /// Calls a method and waits for its answer, or for its last answer.
    pub async fn call(&mut self, method: &str, params: Value, expect_final: bool) -> Result<Value, Error> {
        let id = self.send(method, &params).await?;
        loop {
            let Some(answer) = self.next_answer().await? else { continue };
            if answer.id != id || (expect_final && answer.is_accepted()) {
                continue;
            }
            return answer.into_result();
        }
    }

    /// Calls several methods at once. The answers come in the order of the calls, each with the time it took.
    pub async fn call_all(&mut self, calls: &[(&str, Value)]) -> Result<Vec<Timed>, Error> {
        let began = Instant::now();
        let mut waiting = Vec::with_capacity(calls.len());
        for (method, params) in calls {
            waiting.push((self.send(method, params).await?, None));
        }
        while waiting.iter().any(|(_, answer)| answer.is_none()) {
            let Some(answer) = self.next_answer().await? else { continue };
            if let Some((_, slot)) = waiting.iter_mut().find(|(id, slot)| slot.is_none() && *id == answer.id)
            {
                *slot = Some((answer.into_result(), began.elapsed()));
            }
        }
        Ok(waiting.into_iter().filter_map(|(_, answer)| answer).collect())
    }

    /// Ends the connection in good order; what goes wrong here no longer matters.
    pub async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let _ = timeout_at(self.deadline, self.stream.close(Some(frame))).await;
    }

    async fn challenge(&mut self, until: Instant) -> Result<Option<String>, Error> {
        loop {
            let Ok(frame) = timeout_at(until, self.next_frame()).await else { return Ok(None) };
            let frame = frame?;
            if frame["event"] == "connect.challenge" {
                return Ok(frame["payload"]["nonce"].as_str().map(str::to_owned));
            }
        }
    }

    async fn send(&mut self, method: &str, params: &Value) -> Result<String, Error> {
        let id = gateway_base::id::uuid();
        let frame = json!({"type": "req", "id": id, "method": method, "params": params});
        let sent = timeout_at(self.deadline, self.stream.send(Message::text(frame.to_string()))).await;
        match sent {
            Err(_) => Err(self.late()),
            // The reason for a broken connection is in what the gateway sent before it broke.
            Ok(_) => Ok(id),
        }
    }

    async fn next_answer(&mut self) -> Result<Option<Answer>, Error> {
        let frame = timeout_at(self.deadline, self.next_frame()).await;
        let frame = frame.map_err(|_| self.late())??;
        if frame["type"] != "res" {
            return Ok(None);
        }
        serde_json::from_value(frame).map(Some).map_err(|e| Error::Protocol(e.to_string()))
    }

    async fn next_frame(&mut self) -> Result<Value, Error> {
        loop {
            // Whoever sends without a pause must not outlive the deadline, nor keep others from being asked beside it.
            tokio::task::yield_now().await;
            let text = match self.stream.next().await {
                Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
                Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = frame
                        .map_or((1005, String::new()), |f| (u16::from(f.code), f.reason.as_str().to_owned()));
                    return Err(Error::Closed { code, reason });
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(broken(&error)),
                None => return Err(Error::Closed { code: 1006, reason: String::new() }),
            };
            return serde_json::from_slice(&text).map_err(|e| Error::Protocol(e.to_string()));
        }
    }

    fn late(&self) -> Error {
        Error::Timeout(self.timeout.as_millis())
    }

    /// The token for next time. That it could not be kept costs nothing now, so it is not an error.
    fn keep_device_token(&self, options: &Options<'_>) {
        if let Some(granted) = &self.hello.auth
            && !granted.device_token.is_empty()
        {
            let Granted { device_token, role, scopes } = granted;
            let _ = options.tokens.keep(options.identity.id(), role, device_token, scopes, options.clock);
        }
    }
}

/// The secrets to send: those that are known, else the token this device was issued. Who claims more than such a token
/// was issued for is refused, so the scopes of one that is not for everything come with it. A secret from the command line is never replaced.
fn with_device_token(target: &Target, options: &Options<'_>) -> (Secrets, Option<Vec<String>>) {
    let mut secrets = target.secrets.clone();
    if !secrets.is_empty() || secrets.explicit {
        return (secrets, None);
    }
    let id = options.identity.id();
    secrets.token = options.tokens.get(id, ROLE);
    let scopes = options.tokens.scopes(id, ROLE);
    let is_narrow = !scopes.is_empty() && !scopes.iter().any(|scope| scope == "operator.admin");
    (secrets, is_narrow.then_some(scopes))
}

/// A connection that went away, or one over which came what no gateway sends.
fn broken(error: &WsError) -> Error {
    match error {
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Error::Closed { code: 1006, reason: String::new() }
        }
        WsError::Capacity(_) | WsError::Protocol(_) | WsError::Utf8(_) => Error::Protocol(error.to_string()),
        _ => Error::Closed { code: 1006, reason: String::new() },
    }
}

/// A failed `connect` is the gateway's refusal of us, not of a request.
fn as_refusal(error: Error) -> Error {
    match error {
        Error::Method { message, details, .. }
            if message == "protocol mismatch" && details["expectedProtocol"].is_u64() =>
        {
            Error::OtherProtocol(details["expectedProtocol"].as_u64().unwrap_or_default())
        }
        Error::Method { code, message, details } => Error::Refused { code, message, details },
        other => other,
    }
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    ok: bool,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    error: Value,
}

impl Answer {
    fn is_accepted(&self) -> bool {
        self.ok && self.payload["status"] == "accepted"
    }

    fn into_result(mut self) -> Result<Value, Error> {
        if self.ok {
            return Ok(self.payload);
        }
        // Plugin methods may answer with the text inside the payload and no error at all.
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let message = text(&self.error["message"]).or_else(|| text(&self.payload["error"]));
        Err(Error::Method {
            code: text(&self.error["code"]).unwrap_or_else(|| "UNAVAILABLE".to_owned()),
            message: message.unwrap_or_else(|| "unknown error".to_owned()),
            details: self.error["details"].take(),
        })
    }
}

#[cfg(test)]
mod tests;
