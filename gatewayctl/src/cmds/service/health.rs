//! Whether the gateway of a service serves, by its own word over the private socket.

use std::future::Future;
use std::time::Duration;

use gateway_admin::connect::{self, ConnectOptions, Error};
use gateway_admin::endpoint::Endpoint;
use gateway_admin::time;
use gateway_admin::v1::admin_client::AdminClient;
use gateway_admin::v1::{AnnounceRestartRequest, Phase, ShutdownMode, ShutdownRequest, StatusRequest};
use gateway_base::clock::since_boot;
use gateway_base::limits;
use gateway_base::paths::Paths;

use crate::admin;

/// How long it may take to say so.
const LIMIT: Duration = Duration::from_secs(2);

/// How long after its announcement a manager may begin a restart.
const ANNOUNCED: Duration = Duration::from_secs(10);

/// What asking gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It serves.
    Serving {
        /// Its process.
        pid: u32,
        /// When that started, since the start of the machine; not later than it is said to be.
        started: Duration,
    },
    /// Nobody, or not yet.
    NotYet,
    /// It is there and does not talk to this user.
    NotAllowed,
}

/// Asks the gateway of a state folder.
pub trait Health {
    /// Asks once.
    fn ask(&self, paths: &Paths) -> impl Future<Output = Answer>;

    /// Asks it to stop, and waits until it has or its time is over. Whether it has, but for its process.
    fn end(&self, paths: &Paths) -> impl Future<Output = bool>;

    /// Tells it that its manager is about to restart it, so that it can tell its clients.
    fn announce(&self, paths: &Paths) -> impl Future<Output = ()>;

    /// Asks it to restart in place, and waits until the stop is over. Whether it agreed.
    fn renew(&self, paths: &Paths) -> impl Future<Output = bool>;
}

/// Asks over the private socket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Socket;

impl Health for Socket {
    async fn ask(&self, paths: &Paths) -> Answer {
        let endpoint = Endpoint::find(&paths.state);
        let channel = match connect::connect(&endpoint, ConnectOptions { wait: Duration::ZERO }).await {
            Ok(channel) => channel,
            Err(Error::Refused { .. } | Error::Foreign { .. }) => return Answer::NotAllowed,
            Err(_) => return Answer::NotYet,
        };
        let asked = AdminClient::new(channel).status(admin::within(StatusRequest {}, LIMIT)).await;
        match asked.map(tonic::Response::into_inner) {
            Ok(status) if status.phase() == Phase::Serving => {
                status.process.map_or(Answer::NotYet, |process| {
                    let up = process.uptime.as_ref().and_then(time::length).unwrap_or_default();
                    Answer::Serving { pid: process.pid, started: since_boot().saturating_sub(up) }
                })
            }
            Err(status) if status.code() == tonic::Code::PermissionDenied => Answer::NotAllowed,
            _ => Answer::NotYet,
        }
    }

    async fn end(&self, paths: &Paths) -> bool {
        // Whoever does not end by then is ended by the manager.
        let stop = shut_down(paths, ShutdownMode::Stop);
        tokio::time::timeout(limits::SERVICE_STOP, stop).await.is_ok_and(|asked| asked.is_some())
    }

    async fn announce(&self, paths: &Paths) {
        let announce = async {
            let mut client = client(paths).await?;
            let request = AnnounceRestartRequest { valid_for: Some(time::duration(ANNOUNCED)) };
            client.announce_restart(admin::within(request, LIMIT)).await.ok()
        };
        // One that cannot be told is restarted all the same; its clients hear that it stops.
        let _ = tokio::time::timeout(LIMIT, announce).await;
    }

    async fn renew(&self, paths: &Paths) -> bool {
        let stop = shut_down(paths, ShutdownMode::Restart);
        tokio::time::timeout(limits::SERVICE_STOP, stop).await.is_ok_and(|asked| asked.is_some())
    }
}

async fn client(paths: &Paths) -> Option<admin::Client> {
    let options = ConnectOptions { wait: Duration::ZERO };
    connect::connect(&Endpoint::find(&paths.state), options).await.ok().map(AdminClient::new)
}

/// Asks for the end and follows it; nothing when nobody took the request.
async fn shut_down(paths: &Paths, mode: ShutdownMode) -> Option<()> {
    let reason = "asked by gatewayctl".to_owned();
    let request = ShutdownRequest { mode: mode.into(), reason, ..ShutdownRequest::default() };
    let mut steps = client(paths).await?.shutdown(request).await.ok()?.into_inner();
    while let Ok(Some(_)) = steps.message().await {}
    Some(())
}
