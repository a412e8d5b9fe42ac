//! One accepted connection of the admin socket: who is at the other end by the kernel's word, its place among the
//! connections that are allowed, and the two ways it ends from this side: it does not begin to speak in time, or the
//! server is gone.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use super::listen::{Stream, uid_of};

/// What every HTTP/2 client sends first.
const PREFACE_BYTES: usize = 24;

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    /// The user, or nothing when the kernel does not tell.
    pub(super) uid: Option<u32>,
}

impl Peer {
    /// Whether a daemon of user `own` serves this peer: the same user, or root, who could become that user anyway.
    pub(super) fn may_enter(self, own: u32) -> bool {
        self.uid.is_some_and(|uid| uid == own || uid == 0)
    }
}

/// An accepted connection.
pub(super) struct Connection {
    stream: Stream,
    peer: Peer,
    /// Waits for the client's first bytes; gone once they are there.
    opening: Option<Opening>,
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
    _place: OwnedSemaphorePermit,
}

struct Opening {
    deadline: Pin<Box<Sleep>>,
    missing: usize,
}

impl Connection {
    /// Takes over `stream`, which must say the HTTP/2 preface within `limit` and ends with `server`.
    pub(super) fn new(
        stream: Stream,
        place: OwnedSemaphorePermit,
        limit: Duration,
        server: CancellationToken,
    ) -> Self {
        let peer = Peer { uid: uid_of(&stream) };
        let opening = Opening { deadline: Box::pin(tokio::time::sleep(limit)), missing: PREFACE_BYTES };
        let gone = Box::pin(server.cancelled_owned());
        Self { stream, peer, opening: Some(opening), gone, _place: place }
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.gone.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if let Some(opening) = &mut self.opening
            && opening.deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = buf.filled().len().saturating_sub(before);
        if let Some(opening) = &mut self.opening {
            opening.missing = opening.missing.saturating_sub(read);
            if opening.missing == 0 {
                self.opening = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_user_and_root_may_enter() {
        let peer = |uid| Peer { uid };
        assert!(peer(Some(1000)).may_enter(1000));
        assert!(peer(Some(0)).may_enter(1000));
        assert!(!peer(Some(1001)).may_enter(1000));
        assert!(!peer(Some(1000)).may_enter(0));
        assert!(!peer(None).may_enter(1000));
        assert!(!peer(None).may_enter(0));
    }
}
