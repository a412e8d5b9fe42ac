//! One generated client: its socket, how far its handshake is, and the bytes that wait in either direction.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};

use super::login::{Device, Login, connect_request};
use crate::codec::{self, field};

/// What the driver of a measurement is told.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// The client was let in.
    Ready,
    /// A text frame arrived after that.
    Text(&'a [u8]),
    /// The connection that [`Out::close`] gave up is gone; its place can be used again.
    Closed,
}

/// What a client sends next; it leaves in one write when all that was read is dealt with.
#[derive(Debug, Default)]
pub struct Out {
    bytes: Vec<u8>,
    closing: bool,
}

impl Out {
    /// Appends a request.
    pub fn request(&mut self, text: &str) {
        codec::push_client_frame(&mut self.bytes, codec::TEXT, text.as_bytes());
    }

    /// Appends frames that were built before.
    pub fn frames(&mut self, frames: &[u8]) {
        self.bytes.extend_from_slice(frames);
    }

    /// Says goodbye; the server then ends the connection.
    pub fn close(&mut self) {
        codec::push_client_frame(&mut self.bytes, codec::CLOSE, &1000_u16.to_be_bytes());
        self.closing = true;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Upgrading,
    Challenge,
    Hello,
    Open,
}

pub(super) struct Client {
    pub stream: TcpStream,
    pub out: Out,
    /// Whether the epoll set is asked to say when the socket can be written.
    pub wants_write: bool,
    /// Bytes of events, which nobody asked for.
    pub unasked: u64,
    stage: Stage,
    login: Login,
    carry: Vec<u8>,
}

impl Client {
    pub fn new(stream: TcpStream, login: Login, upgrade: &[u8]) -> Self {
        let out = Out { bytes: upgrade.to_vec(), closing: false };
        Self {
            stream,
            out,
            wants_write: false,
            unasked: 0,
            stage: Stage::Upgrading,
            login,
            carry: Vec::new(),
        }
    }

    pub fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Writes what waits; false when the socket took only a part.
    pub fn flush(&mut self) -> Result<bool> {
        while !self.out.bytes.is_empty() {
            match (&self.stream).write(&self.out.bytes) {
                Ok(written) => drop(self.out.bytes.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(_) if self.out.closing => self.out.bytes.clear(),
                Err(error) => return Err(error).context("a client cannot write"),
            }
        }
        Ok(true)
    }

    /// Reads once and deals with every whole frame; false when the connection has ended.
    pub fn receive(
        &mut self,
        scratch: &mut [u8],
        devices: &[Device],
        tell: &mut impl FnMut(Seen<'_>, &mut Out),
    ) -> Result<bool> {
        let read = match (&self.stream).read(scratch) {
            Ok(0) if self.out.closing => return Ok(false),
            Ok(0) => bail!("the server ended a connection in stage {:?}", self.stage),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(_) if self.out.closing => return Ok(false),
            Err(error) => return Err(error).context("a client cannot read"),
        };
        let fresh = &scratch[..read];
        if self.carry.is_empty() {
            let used = self.consume(fresh, devices, tell)?;
            self.carry.extend_from_slice(&fresh[used..]);
        } else {
            let mut whole = std::mem::take(&mut self.carry);
            whole.extend_from_slice(fresh);
            let used = self.consume(&whole, devices, tell)?;
            whole.drain(..used);
            self.carry = whole;
        }
        Ok(true)
    }

    fn consume(
        &mut self,
        data: &[u8],
        devices: &[Device],
        tell: &mut impl FnMut(Seen<'_>, &mut Out),
    ) -> Result<usize> {
        let mut rest = data;
        if self.stage == Stage::Upgrading {
            let Some(end) = codec::find(rest, b"\r\n\r\n") else { return Ok(0) };
            if !rest.starts_with(b"HTTP/1.1 101") {
                bail!("the upgrade was refused: {}", String::from_utf8_lossy(&rest[..end]));
            }
            rest = &rest[end + 4..];
            self.stage = Stage::Challenge;
        }
        while let Some((head, payload)) = codec::take(&mut rest) {
            match head.opcode {
                codec::TEXT => self.text(payload, devices, tell)?,
                codec::PING => codec::push_client_frame(&mut self.out.bytes, codec::PONG, payload),
                codec::CLOSE if !self.out.closing => {
                    let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default());
                    let code = payload.get(..2).map_or(0, |code| u16::from_be_bytes([code[0], code[1]]));
                    bail!("the server closed a connection in stage {:?}: {code} {reason}", self.stage);
                }
                _ => {}
            }
        }
        Ok(data.len() - rest.len())
    }

    fn text(
        &mut self,
        payload: &[u8],
        devices: &[Device],
        tell: &mut impl FnMut(Seen<'_>, &mut Out),
    ) -> Result<()> {
        let is_event = payload.starts_with(br#"{"type":"event""#);
        match self.stage {
            Stage::Open => {
                if is_event {
                    self.unasked += payload.len() as u64;
                }
                tell(Seen::Text(payload), &mut self.out);
            }
            Stage::Hello if is_event => self.unasked += payload.len() as u64,
            Stage::Hello => {
                let begin = &payload[..payload.len().min(80)];
                if codec::find(begin, br#""ok":true"#).is_none() {
                    bail!("connect was refused: {}", String::from_utf8_lossy(payload));
                }
                self.stage = Stage::Open;
                tell(Seen::Ready, &mut self.out);
            }
            Stage::Challenge | Stage::Upgrading => {
                let nonce = field(payload, br#""nonce":""#).context("a first frame without a nonce")?;
                let request = connect_request(self.login, devices, std::str::from_utf8(nonce)?);
                self.out.request(&request);
                self.stage = Stage::Hello;
            }
        }
        Ok(())
    }
}
