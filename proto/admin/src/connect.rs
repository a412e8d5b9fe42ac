//! Opens a channel to the daemon. A daemon that is just starting gets a short while; every way to fail has its own
//! variant, so that the controller can say what to do next instead of showing a transport error.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::transport::{Channel, Uri};

use crate::endpoint::Endpoint;

/// How often a daemon that does not answer yet is tried.
const RETRY: Duration = Duration::from_millis(25);
/// How long a daemon that is there may take to accept, even when there is nothing to wait for.
const ACCEPT_LIMIT: Duration = Duration::from_secs(3);

/// How to connect.
#[derive(Clone, Copy, Debug)]
pub struct ConnectOptions {
    /// How long a daemon that is not there may take to come up. Zero tries once.
    pub wait: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { wait: Duration::from_secs(1) }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens.
    #[error("no gateway is running: nothing answers at {path}")]
    NotRunning {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The system does not let this user in.
    #[error("this user may not use the admin socket {path}; run the command as the user of the gateway")]
    Refused {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Something listens there, but it belongs to another user, so it is not trusted.
    #[error("the admin socket {path} is held by user {uid}, not by this user or root")]
    Foreign {
        /// The socket.
        path: PathBuf,
        /// Who holds it.
        uid: u32,
    },
    /// It is there but does not take the connection.
    #[error("the gateway at {path} does not accept connections")]
    Timeout {
        /// The socket.
        path: PathBuf,
    },
    /// Anything else.
    #[error("cannot connect to the admin socket {path}")]
    Other {
        /// The socket.
        path: PathBuf,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Connects to the daemon at `endpoint`. The channel connects again by itself when the daemon was restarted.
pub async fn connect(endpoint: &Endpoint, options: ConnectOptions) -> Result<Channel, Error> {
    let stream = dial_until(endpoint, options.wait).await?;
    let other = |source: tonic::transport::Error| Error::Other {
        path: endpoint.path().into(),
        source: source.into(),
    };
    let first = Arc::new(Mutex::new(Some(stream)));
    let target = endpoint.clone();
    let connector = tower::service_fn(move |_: Uri| {
        let ready = first.lock().ok().and_then(|mut slot| slot.take());
        let target = target.clone();
        async move {
            match ready {
                Some(stream) => Ok(TokioIo::new(stream)),
                None => transport::dial(&target).await.map(TokioIo::new),
            }
        }
    });
    let http2 = tonic::transport::Endpoint::from_static("http://localhost").connect_timeout(ACCEPT_LIMIT);
    http2.connect_with_connector(connector).await.map_err(other)
}

async fn dial_until(endpoint: &Endpoint, wait: Duration) -> Result<transport::Stream, Error> {
    let began = Instant::now();
    loop {
        let path = || endpoint.path().to_path_buf();
        let accepted = timeout_at(began + wait.max(ACCEPT_LIMIT), transport::dial(endpoint)).await;
        let error = match accepted {
            Ok(Ok(stream)) => return transport::trusted(stream, endpoint),
            Ok(Err(error)) => error,
            Err(_) => return Err(Error::Timeout { path: path() }),
        };
        let (limit, late) = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                (wait, Error::NotRunning { path: path() })
            }
            // The queue of a socket whose owner does not accept is full.
            io::ErrorKind::WouldBlock => (wait.max(ACCEPT_LIMIT), Error::Timeout { path: path() }),
            io::ErrorKind::PermissionDenied => return Err(Error::Refused { path: path(), source: error }),
            _ => return Err(Error::Other { path: path(), source: error.into() }),
        };
        if began.elapsed() >= limit {
            return Err(late);
        }
        sleep(RETRY.min(limit.saturating_sub(began.elapsed()))).await;
    }
}

#[cfg(unix)]
mod transport {
    use super::{Endpoint, Error, io};

    pub(super) type Stream = tokio::net::UnixStream;

    pub(super) async fn dial(endpoint: &Endpoint) -> io::Result<Stream> {
        Stream::connect(endpoint.path()).await
    }

    /// The socket may lie in a folder for temporary files, so who answers is asked from the kernel.
    pub(super) fn trusted(stream: Stream, endpoint: &Endpoint) -> Result<Stream, Error> {
        let path = || endpoint.path().to_path_buf();
        let uid =
            stream.peer_cred().map_err(|source| Error::Other { path: path(), source: source.into() })?.uid();
        let own = rustix::process::geteuid().as_raw();
        if uid == own || uid == 0 || own == 0 {
            Ok(stream)
        } else {
            Err(Error::Foreign { path: path(), uid })
        }
    }
}

#[cfg(windows)]
mod transport {
    use super::{Endpoint, Error, io};

    pub(super) type Stream = tokio::net::windows::named_pipe::NamedPipeClient;

    const ERROR_PIPE_BUSY: i32 = 231;

    #[allow(clippy::unused_async, reason = "the same shape as on Unix")]
    pub(super) async fn dial(endpoint: &Endpoint) -> io::Result<Stream> {
        let opened = tokio::net::windows::named_pipe::ClientOptions::new().open(endpoint.path());
        opened.map_err(|error| match error.raw_os_error() {
            Some(ERROR_PIPE_BUSY) => io::ErrorKind::WouldBlock.into(),
            _ => error,
        })
    }

    #[allow(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
    pub(super) fn trusted(stream: Stream, _: &Endpoint) -> Result<Stream, Error> {
        Ok(stream)
    }
}

#[cfg(all(test, unix))]
mod tests;
