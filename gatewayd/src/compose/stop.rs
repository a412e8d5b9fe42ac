//! The ordered stop (style 6.8): tell everybody, stop accepting, close clients, flush the store, close the admin socket
//! last so that a controller can watch.

use std::time::Duration;

use gateway_adapters::store::Store;
use gateway_api::domain::Domain;
use gateway_base::task::Tasks;
use gateway_server::admin::health::{Board, Phase};
use gateway_server::ws::hub::Hub;
use gateway_wire::types::shutdown::ShutdownEvent;
use tokio_util::sync::CancellationToken;

use crate::discovery::Discovery;
use crate::lifecycle::{Goal, StopPlan};
use crate::tunnel::Tunnel;

/// Names of the steps that every stop has, in order.
const STEPS: [&str; 6] = [
    "tell clients",
    "stop accepting",
    "close clients",
    "flush the store",
    "close the admin socket",
    "end tasks",
];

/// The step after the first one where the announcement in the network is taken back: who looks for a gateway must not
/// find one that is going.
const WITHDRAW: &str = "withdraw the announcement";

/// The step after that where the publication through Tailscale is taken back.
const RESET: &str = "take the tailscale settings back";

/// Names of the steps, in order; a controller that watches sees each of them.
pub fn steps(withdraws: bool, resets: bool) -> Vec<&'static str> {
    let mut names = STEPS.to_vec();
    let optional = [(withdraws, WITHDRAW), (resets, RESET)];
    names.splice(1..1, optional.into_iter().filter_map(|(wanted, name)| wanted.then_some(name)));
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
    pub accepting: CancellationToken,
    /// Ends the streams of a stop's progress.
    pub watching: CancellationToken,
    /// Ends the admin server.
    pub admin: CancellationToken,
    /// Cancelled when the admin server has ended.
    pub admin_ended: CancellationToken,
}

/// The steps, in order.
pub fn plan(parts: Parts) -> StopPlan {
    let Parts {
        board,
        domain,
        hub,
        store,
        tasks,
        discovery,
        tunnel,
        accepting,
        watching,
        admin,
        admin_ended,
    } = parts;
    let [tell, stop_accepting, close, flush, close_admin, end] = STEPS;
    let mut plan = StopPlan::default();
    let second = Duration::from_secs(1);
    plan.polite(tell, second, move |request| {
        board.enter(Phase::Draining);
        let event = match request.goal {
            Goal::Stop => ShutdownEvent::stopping(),
            Goal::Restart => ShutdownEvent::restarting(),
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
    plan.needed(stop_accepting, second, move |_| async move {
        accepting.cancel();
        Ok(())
    });
    plan.polite(close, Duration::from_secs(2), move |_| async move {
        hub.close(|_| true, 1012, "service restart").await;
        while !hub.is_empty() {
            hub.fewer().await;
        }
        Ok(())
    });
    plan.needed(flush, Duration::from_secs(2), move |_| async move {
        store.close().await;
        Ok(())
    });
    plan.needed(close_admin, Duration::from_secs(2), move |_| async move {
        watching.cancel();
        admin.cancel();
        admin_ended.cancelled().await;
        Ok(())
    });
    plan.needed(end, second, move |_| async move {
        match tasks.stop(Duration::from_millis(500)).await {
            0 => Ok(()),
            left => Err(format!("{left} tasks did not end in time")),
        }
    });
    plan
}
