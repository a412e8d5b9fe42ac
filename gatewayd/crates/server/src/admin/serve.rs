//! Runs the admin socket: accepts within limits, serves the services, and ends when told to, last of all parts. It
//! spawns nothing itself; the composition root spawns [`Server::run`], outside the tasks that a stop waits for.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use gateway_admin::v1::admin_server::AdminServer;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic_health::pb::health_server::HealthServer;

use super::backend::Backend;
use super::connection::Connection;
use super::health::Board;
use super::health_service::HealthService;
use super::listen::{Listener, own_uid};
use super::reflection;
use super::routes::Routes;
use super::service::Service;

/// The largest message in either direction, which is also what stock clients accept.
const MESSAGE_BYTES: usize = 4 * 1024 * 1024;
const STREAMS_PER_CONNECTION: u32 = 64;
const HEADER_BYTES: u32 = 16 * 1024;
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(60);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// Pause after a failed accept, for example for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the admin server ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The transport failed.
    #[error("the admin server failed")]
    Transport(#[from] tonic::transport::Error),
}

/// How much the admin socket takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more are closed as they come.
    pub connections: usize,
    /// How long a new connection may say nothing.
    pub opening: Duration,
    /// How long calls may go on after the end was asked for.
    pub closing: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 256, opening: Duration::from_secs(5), closing: Duration::from_secs(1) }
    }
}

/// The admin server, ready to run.
pub struct Server {
    /// The bound socket.
    pub listener: Listener,
    /// The daemon.
    pub backend: Arc<dyn Backend>,
    /// Where the parts write how they are.
    pub health: Board,
    /// How much it takes.
    pub limits: Limits,
}

impl Server {
    /// Serves until `stop` is cancelled, then closes the socket, removes it and gives calls a moment to end.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let Self { listener, backend, health, limits } = self;
        let places = Arc::new(Semaphore::new(limits.connections));
        let open = {
            let places = places.clone();
            move || limits.connections.saturating_sub(places.available_permits())
        };
        let standard_health = HealthServer::new(HealthService { board: health.clone(), stop: stop.clone() });
        let service = Service { backend, health, stop: stop.clone(), open_connections: Arc::new(open) };
        let service = AdminServer::new(service)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES);
        let routes = Routes::new(own_uid())
            .with(service)
            .with(standard_health)
            .with(reflection::v1())
            .with(reflection::v1alpha());
        let gone = CancellationToken::new();
        let _gone = gone.clone().drop_guard();
        let incoming = incoming(listener, places, limits, gone);
        let transport = transport().serve_with_incoming_shutdown(routes, incoming, stop.cancelled());
        let closing = async {
            stop.cancelled().await;
            tokio::time::sleep(limits.closing).await;
        };
        tokio::select! {
            served = transport => Ok(served?),
            () = closing => {
                tracing::debug!(subsystem = "admin", "calls that did not end were cut off");
                Ok(())
            }
        }
    }
}

fn transport() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
}

/// The connections that found a place. Dropping the stream closes and removes the socket.
fn incoming(
    listener: Listener,
    places: Arc<Semaphore>,
    limits: Limits,
    server: CancellationToken,
) -> impl Stream<Item = io::Result<Connection>> {
    stream::unfold((listener, places, server), move |(listener, places, server)| async move {
        loop {
            let stream = match listener.accept().await {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(subsystem = "admin", %error, "accept failed; no new caller for {ACCEPT_PAUSE:?}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = places.clone().try_acquire_owned() else {
                tracing::warn!(
                    subsystem = "admin",
                    limit = limits.connections,
                    "too many connections; closed a new one"
                );
                continue;
            };
            let connection = Connection::new(stream, place, limits.opening, server.clone());
            return Some((Ok(connection), (listener, places, server)));
        }
    })
}
