//! The socket below a connection. A plain TCP socket can be written by whoever has something to send, without a
//! queue; a TLS session has state, so only the connection's own task may write it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::server::TlsStream;

/// A socket after the upgrade, with the bytes the HTTP side had read too far.
pub enum Stream {
    /// Plain TCP.
    Plain(TcpStream, Bytes),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>, Bytes),
}

impl Stream {
    /// Splits into what reads, what anyone may write to, and what only the connection's task may write to.
    pub(super) fn split(self) -> (Source, Sink) {
        match self {
            Self::Plain(tcp, early) => {
                let (read, write) = tcp.into_split();
                (Source { early, inner: Reader::Plain(read) }, Sink::Plain(Arc::new(write)))
            }
            Self::Tls(tls, early) => {
                let (read, write) = tokio::io::split(*tls);
                (Source { early, inner: Reader::Tls(Box::new(read)) }, Sink::Tls(write))
            }
        }
    }
}

/// The reading half.
pub(super) struct Source {
    early: Bytes,
    inner: Reader,
}

enum Reader {
    Plain(OwnedReadHalf),
    Tls(Box<ReadHalf<TlsStream<TcpStream>>>),
}

impl Source {
    /// Reads into `buf`; 0 is the end. A pending read has registered `cx`.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.early.has_remaining() {
            let n = buf.len().min(self.early.len());
            self.early.copy_to_slice(&mut buf[..n]);
            return Poll::Ready(Ok(n));
        }
        let mut target = ReadBuf::new(buf);
        match &mut self.inner {
            // A read that does not fill the buffer has emptied the socket: the next one is pending without a call.
            Reader::Plain(read) => ready!(Pin::new(read).poll_read(cx, &mut target))?,
            Reader::Tls(read) => ready!(Pin::new(read).poll_read(cx, &mut target))?,
        }
        Poll::Ready(Ok(target.filled().len()))
    }

    /// Takes back the last bytes that were read and not used.
    pub fn unread(&mut self, bytes: &[u8]) {
        self.early = [bytes, &self.early].concat().into();
    }
}

/// The writing half.
pub(super) enum Sink {
    /// Anyone may try to write at any time.
    Plain(Arc<OwnedWriteHalf>),
    /// Only the connection's task writes.
    Tls(WriteHalf<TlsStream<TcpStream>>),
}

impl Sink {
    /// The socket that others may write to directly, if there is one.
    pub fn direct(&self) -> Option<Arc<OwnedWriteHalf>> {
        match self {
            Self::Plain(tcp) => Some(tcp.clone()),
            Self::Tls(_) => None,
        }
    }

    /// Writes some of `bytes`.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(tcp) => loop {
                ready!(tcp.as_ref().as_ref().poll_write_ready(cx))?;
                match tcp.try_write(bytes) {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                    done => return Poll::Ready(done),
                }
            },
            Self::Tls(write) => Pin::new(write).poll_write(cx, bytes),
        }
    }

    /// Pushes out what the TLS session still holds.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(write) => Pin::new(write).poll_flush(cx),
        }
    }

    /// Tells the peer that nothing more will come.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => {
                // The peer may be gone already; then there is nobody to tell.
                let _ = rustix::net::shutdown(tcp.as_ref().as_ref(), rustix::net::Shutdown::Write);
                Poll::Ready(Ok(()))
            }
            Self::Tls(write) => Pin::new(write).poll_shutdown(cx),
        }
    }
}
