//! The ordered stop (style 6.8): stop accepting, tell everybody, close clients, flush the store, close the admin socket
//! last so that a controller can watch. Accepting ends first, so that whoever connects after the news waits in the
//! kernel's queue for the next image of the program instead of being let in by one that ends.

use std::time::Duration;

use gateway_adapters::store::Store;
use gateway_api::domain::Domain;
use gateway_base::task::Tasks;
use gateway_server::admin::health::{Board, Phase};
use gateway_server::listen::Accepting;
use gateway_server::ws::RESTART;
use gateway_server::ws::hub::Hub;
use gateway_server::ws::preauth::PreAuth;
use gateway_wire::types::shutdown::ShutdownEvent;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::discovery::Discovery;
use crate::lifecycle::{Goal, StopPlan};
use crate::tunnel::Tunnel;

/// How long a socket that was accepted before the stop may take to say who it is.
const UNDECIDED: Duration = Duration::from_millis(250);

/// Names of the steps that every stop has, in order.
const STEPS: [&str; 6] = [
    "stop accepting",
    "tell clients",
    "close clients",
    "flush the store",
    "close the admin socket",
    "end tasks",
];

/// The step after the first two where the announcement in the network is taken back: who looks for a gateway must not
/// find one that is going.
const WITHDRAW: &str = "withdraw the announcement";

/// The step after that where the publication through Tailscale is taken back.
const RESET: &str = "take the tailscale settings back";

/// Names of the steps, in order; a controller that watches sees each of them.
pub fn steps(withdraws: bool, resets: bool) -> Vec<&'static str> {
    let mut names = STEPS.to_vec();
    let optional = [(withdraws, WITHDRAW), (resets, RESET)];
    names.splice(2..2, optional.into_iter().filter_map(|(wanted, name)| wanted.then_some(name)));
    names
}

/// What the stop acts on.
pub struct Parts {
    pub board: Board,
    pub domain: Domain,
    pub hub: Hub,
    pub store: Store,
    pub tasks: Tasks,
    /// What is announced.
    pub discovery: Option<Discovery>,
    /// What is taken back.
    pub tunnel: Option<Tunnel>,
    /// Ends accepting on the control plane's port.
    pub accepting: Accepting,
    /// Sends those away who have not shaken hands.
    pub closing: CancellationToken,
    /// Those who have not shaken hands.
    pub preauth: PreAuth,
    /// Leaves the admin socket in its place.
    pub admin_stays: CancellationToken,
    /// Ends the streams of a stop's progress.
    pub watching: CancellationToken,
    /// Ends the admin server.
    pub admin: CancellationToken,
    /// Cancelled when the admin server has ended.
    pub admin_ended: CancellationToken,
}

/// The steps, in order.
pub fn plan(parts: Parts) -> StopPlan {
    let Parts { board, domain, hub, store, tasks, tunnel, watching, admin, admin_ended, .. } = parts;
    let Parts { accepting, closing, preauth, admin_stays, discovery, .. } = parts;
    let [stop_accepting, tell, close, flush, close_admin, end] = STEPS;
    let mut plan = StopPlan::default();
    let second = Duration::from_secs(1);
    plan.needed(stop_accepting, second, move |_| async move {
        accepting.end().await;
        Ok(())
    });
    plan.polite(tell, second, move |request| {
        board.enter(Phase::Draining);
        let event = match request.goal {
            Goal::Stop => ShutdownEvent::stopping(),
            Goal::Return | Goal::Restart => ShutdownEvent::restarting(),
        };
        domain.bus.publish("shutdown", &event, None);
        async move {
            board.enter(Phase::Stopping);
            Ok(())
        }
    });
    if let Some(discovery) = discovery {
        plan.polite(WITHDRAW, second, move |_| discovery.withdraw());
    }
    if let Some(tunnel) = tunnel {
        plan.polite(RESET, 2 * second, move |_| tunnel.reset());
    }
    plan.polite(close, Duration::from_secs(2), move |_| async move {
        closing.cancel();
        hub.close(|_| true, RESTART.0, RESTART.1).await;
        let clients = async {
            while !hub.is_empty() {
                hub.fewer().await;
            }
        };
        let undecided = timeout(UNDECIDED, async {
            while !preauth.is_empty() {
                preauth.fewer().await;
            }
        });
        if let ((), Err(_)) = tokio::join!(clients, undecided) {
            tracing::debug!(
                subsystem = "gateway",
                left = preauth.len(),
                "sockets that said nothing are cut off"
            );
        }
        Ok(())
    });
    plan.needed(flush, Duration::from_secs(2), move |_| async move {
        store.close().await;
        Ok(())
    });
    plan.needed(close_admin, Duration::from_secs(2), move |request| {
        if request.goal == Goal::Restart {
            admin_stays.cancel();
        }
        watching.cancel();
        admin.cancel();
        async move {
            admin_ended.cancelled().await;
            Ok(())
        }
    });
    plan.needed(end, second, move |request| {
        // Clients wait for what comes after a restart, and one that does not answer the close must not hold them up.
        let limit = Duration::from_millis(if request.goal == Goal::Stop { 500 } else { 200 });
        async move {
            match tasks.stop(limit).await {
                0 => Ok(()),
                left => Err(format!("{left} tasks did not end in time")),
            }
        }
    });
    plan
}
