//! Takes requests off the socket. tungstenite decodes the frames and answers pings and closes; all messages that one
//! read brought are handled in one turn, so that their answers leave in one write.

use std::io::{self, Read, Write};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::outbox::Outbox;
use super::stream::Source;

/// Bytes read at a time. Requests are small; a large message is read in several steps.
const READ_BUFFER: usize = 1024;

/// Messages handled in one turn before other tasks get theirs.
const TURN: usize = 64;

/// Decodes what one client sends.
pub(super) struct Incoming {
    source: Source,
    context: WebSocketContext,
}

/// Why reading ended.
#[derive(Debug)]
pub(super) enum End {
    /// The client closed, or the socket is gone.
    Gone,
    /// The client broke a rule; it is told this code.
    Broke(u16),
}

impl Incoming {
    /// Reads from `source`, with messages of at most `max_message` bytes.
    pub fn new(source: Source, max_message: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(64 * 1024)
            .max_message_size(Some(max_message))
            .max_frame_size(Some(max_message));
        Self { source, context: WebSocketContext::new(Role::Server, Some(config)) }
    }

    /// Changes the limit of later messages.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.context.set_config(|c| {
            c.max_message_size = Some(bytes);
            c.max_frame_size = Some(bytes);
        });
    }

    /// Gives every message that is there to `take`, up to a turn's worth. `Ready(Ok)` means more may be there at
    /// once; `Pending` means the socket is empty and `cx` will be woken.
    pub fn poll_messages(
        &mut self,
        cx: &mut Context<'_>,
        outbox: &Outbox,
        mut take: impl FnMut(Bytes) -> bool,
    ) -> Poll<Result<(), End>> {
        for _ in 0..TURN {
            let mut io = Io { source: &mut self.source, cx: &mut *cx, outbox };
            match self.context.read(&mut io) {
                Ok(Message::Text(text)) => {
                    if !take(text.into()) {
                        return Poll::Ready(Ok(()));
                    }
                }
                Ok(Message::Binary(bytes)) => {
                    if !take(bytes) {
                        return Poll::Ready(Ok(()));
                    }
                }
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_)) => {}
                Err(Error::Io(e)) if e.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(end_of(&error))),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads and forgets until the peer has closed, so that the last frame sent is not lost to a reset.
    pub fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut sink = [0u8; 512];
        loop {
            match self.source.poll_read(cx, &mut sink) {
                Poll::Ready(Ok(n)) if n > 0 => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => End::Broke(1009),
        Error::Utf8(_) => End::Broke(1007),
        Error::Protocol(p) => match p {
            tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake => End::Gone,
            _ => End::Broke(1002),
        },
        _ => End::Gone,
    }
}

/// What tungstenite reads from and writes its pongs to.
struct Io<'a, 'b> {
    source: &'a mut Source,
    cx: &'a mut Context<'b>,
    outbox: &'a Outbox,
}

impl Read for Io<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.source.poll_read(self.cx, buf) {
            Poll::Ready(done) => done,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Io<'_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        // tungstenite hands over whole frames: its buffer is taken completely at every call.
        self.outbox.send(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
