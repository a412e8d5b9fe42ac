//! Accepts sockets on the gateway's port. The listeners were bound before anything else was loaded; here they are
//! served: TLS first when it is on, then HTTP/1.1, from which clients upgrade.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_base::task::Kind;
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::http::{self, Http};
use crate::tls::Tls;

/// Pause after a failed accept, for example for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long a TLS handshake may take.
const TLS_LIMIT: Duration = Duration::from_secs(10);

/// Ends accepting. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Accepting {
    stop: CancellationToken,
    loops: TaskTracker,
}

/// One listener's part of it.
#[derive(Debug)]
pub struct Turn {
    stop: CancellationToken,
    _loop: TaskTrackerToken,
}

impl Accepting {
    /// For one listener.
    #[must_use]
    pub fn turn(&self) -> Turn {
        Turn { stop: self.stop.clone(), _loop: self.loops.token() }
    }

    /// Ends it and waits until nobody accepts any more. Whoever connects from then on is left to the next owner of the
    /// socket, if there is one.
    pub async fn end(&self) {
        self.stop.cancel();
        self.loops.close();
        self.loops.wait().await;
    }
}

/// Serves `listener` until accepting ends.
pub async fn run(
    listener: std::net::TcpListener,
    tls: Option<Tls>,
    http: Arc<Http>,
    turn: Turn,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let acceptor = tls.map(|tls| TlsAcceptor::from(tls.config));
    loop {
        let accepted = tokio::select! {
            biased;
            () = turn.stop.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => welcome(tcp, peer, acceptor.clone(), &http),
            Err(error) => {
                tracing::warn!(subsystem = "gateway", %error, "accept failed; no new client for {ACCEPT_PAUSE:?}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn welcome(tcp: TcpStream, peer: SocketAddr, acceptor: Option<TlsAcceptor>, http: &Arc<Http>) {
    http.serve.metrics.accepted.inc();
    let ticket = http.preauth.enter(peer.ip());
    if let Err(error) = prepare(&tcp) {
        tracing::debug!(subsystem = "gateway", %error, "a client was gone before it was served");
        return;
    }
    let http = http.clone();
    let tasks = http.serve.tasks.clone();
    tasks.spawn("http", Kind::Request, async move {
        match acceptor {
            None => http::serve_plain(http, tcp, peer, ticket).await,
            Some(acceptor) => {
                // Boxed: a TLS session is large and most connections have none.
                let session = tokio::select! {
                    biased;
                    () = ticket.evicted.cancelled() => return,
                    session = tokio::time::timeout(TLS_LIMIT, acceptor.accept(tcp)) => session,
                };
                match session {
                    Ok(Ok(session)) => http::serve_tls(http, Box::new(session), peer, ticket).await,
                    _ => http.serve.metrics.refused("tls"),
                }
            }
        }
    });
}

/// Small frames leave at once, and a peer that vanished without a word is found within two minutes.
fn prepare(tcp: &TcpStream) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    sockopt::set_socket_keepalive(tcp, true)?;
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        sockopt::set_tcp_keepidle(tcp, Duration::from_secs(60))?;
        sockopt::set_tcp_keepintvl(tcp, Duration::from_secs(15))?;
        sockopt::set_tcp_keepcnt(tcp, 4)?;
    }
    #[cfg(target_os = "linux")]
    sockopt::set_tcp_user_timeout(tcp, 120_000)?;
    Ok(())
}
