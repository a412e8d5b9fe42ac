//! Takes requests off the socket. tungstenite decodes the frames and answers pings and closes; all messages that one
//! read brought are handled in one turn, so that their answers leave in one write.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::task::{Context, Poll};

use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::outbox::Outbox;
use super::stream::Source;

/// Bytes taken from the socket at a time, into a buffer that belongs to the thread.
const READ: usize = 16 * 1024;

/// What every connection keeps to decode from. Requests are small; a large message makes it grow for itself.
const READ_BUFFER: usize = 1024;

/// Messages handled in one turn before other tasks get theirs.
const TURN: usize = 64;

thread_local! {
    static ARRIVED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

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
        mut take: impl FnMut(Message) -> bool,
    ) -> Poll<Result<(), End>> {
        ARRIVED.with_borrow_mut(|buffer| {
            buffer.resize(READ, 0);
            let mut io = Io { source: &mut self.source, buffer, unread: 0..0, cx, outbox };
            let ended = decode(&mut self.context, &mut io, &mut take);
            let unread = io.unread;
            if !unread.is_empty() {
                self.source.unread(&buffer[unread]);
            }
            ended
        })
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

fn decode(
    context: &mut WebSocketContext,
    io: &mut Io<'_, '_>,
    take: &mut impl FnMut(Message) -> bool,
) -> Poll<Result<(), End>> {
    for _ in 0..TURN {
        let message = match context.read(io) {
            Ok(message @ (Message::Text(_) | Message::Binary(_))) => message,
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_)) => continue,
            Err(Error::Io(e)) if e.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(end_of(&error))),
        };
        if !take(message) {
            break;
        }
    }
    Poll::Ready(Ok(()))
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
    /// What came from the source last,
    buffer: &'a mut [u8],
    /// and which part of it is still to be decoded.
    unread: Range<usize>,
    cx: &'a mut Context<'b>,
    outbox: &'a Outbox,
}

impl Read for Io<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() {
            match self.source.poll_read(self.cx, self.buffer) {
                Poll::Ready(read) => self.unread = 0..read?,
                Poll::Pending => return Err(io::ErrorKind::WouldBlock.into()),
            }
        }
        let n = self.buffer[self.unread.clone()].as_ref().read(buf)?;
        self.unread.start += n;
        Ok(n)
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::super::outbox::Limits;
    use super::super::stream::Stream;
    use super::*;

    /// A masked text frame with a mask of zeros.
    fn frame(text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).expect("a short text");
        [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_bytes()].concat()
    }

    #[tokio::test]
    async fn every_message_is_given_once_and_in_order_wherever_a_turn_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut client =
            TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a client");
        let (server, _) = listener.accept().await.expect("a connection");
        let wanted: Vec<String> = (0..2_000).map(|n| format!("message {n} {}", "x".repeat(n % 90))).collect();
        let all: Vec<u8> = wanted.iter().flat_map(|text| frame(text)).collect();
        assert!(all.len() > 4 * READ);
        // The HTTP side read into the middle of a frame.
        let (early, rest) = all.split_at(1_003);
        let (source, sink) = Stream::Plain(server, Bytes::copy_from_slice(early)).split();
        let outbox = Outbox::new(sink.direct(), Limits::default());
        let mut incoming = Incoming::new(source, 1_000);
        let rest = rest.to_vec();
        let writing = async move {
            client.write_all(&rest).await.expect("is written");
            client.shutdown().await.expect("is ended");
            client
        };
        let mut found = Vec::new();
        let reading = async {
            loop {
                let turn = std::future::poll_fn(|cx| {
                    incoming.poll_messages(cx, &outbox, |message| {
                        found.push(message.to_text().expect("text").to_owned());
                        !found.len().is_multiple_of(7)
                    })
                });
                match turn.await {
                    Ok(()) => tokio::task::yield_now().await,
                    Err(end) => return end,
                }
            }
        };
        let (_client, end) = tokio::join!(writing, reading);
        assert!(matches!(end, End::Gone), "{end:?}");
        assert_eq!(found, wanted);
    }
}
