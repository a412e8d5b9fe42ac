//! Carries what parts say about themselves to the health board and to the summary that clients see.

use std::time::Duration;

use gateway_adapters::store::{Store, StoreHealth};
use gateway_api::domain::Domain;
use gateway_base::brief::brief;
use gateway_base::error_chain::Chain;
use gateway_base::task::{Kind, Tasks};
use gateway_config::live::Live;
use gateway_domain::devices::{Devices, Phase};
use gateway_server::admin::health::{Board, Part, State};
use tokio::sync::watch;

/// How often a store that refuses writes is tried, so that health recovers although nobody writes.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// How many records that cannot be read are named.
const RECORDS: usize = 3;

/// The store broke; the daemon has to stop so that nothing is acknowledged that is not on disk (rule R4).
#[derive(Debug, thiserror::Error)]
#[error("the store failed: {0}")]
struct StoreFailed(String);

/// Follows the store and the records of devices in it, and stops the daemon when the store fails. A `note` from its
/// opening is kept in sight.
pub fn store(store: &Store, note: String, devices: &Devices, board: &Board, tasks: &Tasks) {
    let (store, mut health, mut records) = (store.clone(), store.health(), devices.phase());
    let (board, stop) = (board.clone(), tasks.stopping());
    tasks.spawn_fallible("store health", Kind::Essential, async move {
        loop {
            let now = health.borrow_and_update().clone();
            let unread = unread(&records.borrow_and_update());
            match (now, unread) {
                (StoreHealth::Ok, Some(reason)) => board.set(Part::Store, State::Degraded, reason),
                (StoreHealth::Ok, None) if note.is_empty() => board.set(Part::Store, State::Serving, ""),
                (StoreHealth::Ok, None) => board.set(Part::Store, State::Degraded, note.as_str()),
                (StoreHealth::Degraded { reason }, _) => board.set(Part::Store, State::Degraded, reason),
                (StoreHealth::Failed { reason }, _) => {
                    board.set(Part::Store, State::Failed, reason.as_str());
                    return Err(StoreFailed(reason));
                }
            }
            let refuses = matches!(*health.borrow(), StoreHealth::Degraded { .. });
            tokio::select! {
                changed = health.changed() => if changed.is_err() { return Ok(()) },
                () = tokio::time::sleep(TRY_AGAIN), if refuses => store.try_write().await,
                changed = records.changed() => if changed.is_err() { return Ok(()) },
                () = stop.cancelled() => return Ok(()),
            }
        }
    });
}

fn unread(records: &Phase) -> Option<String> {
    match records {
        Phase::Failed(error) => Some(format!("device records cannot be read: {}", Chain(error))),
        Phase::Ready(unreadable) if !unreadable.is_empty() => Some(format!(
            "stored records cannot be read and are left as they are: {}",
            brief(unreadable, RECORDS)
        )),
        Phase::Loading | Phase::Ready(_) => None,
    }
}

/// Follows the configuration: degraded while the daemon runs on something other than the file.
pub fn config(live: &Live, board: &Board, tasks: &Tasks) {
    let (live, board, stop) = (live.clone(), board.clone(), tasks.stopping());
    tasks.spawn("config health", Kind::Essential, async move {
        let mut changes = live.subscribe();
        loop {
            match &live.current().degraded {
                None => board.set(Part::Config, State::Serving, ""),
                Some(reason) => board.set(Part::Config, State::Degraded, reason.as_str()),
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
        }
    });
}

/// Follows the log file: degraded while it cannot be written.
pub fn log(mut trouble: watch::Receiver<Option<String>>, board: &Board, tasks: &Tasks) {
    let (board, stop) = (board.clone(), tasks.stopping());
    tasks.spawn("log health", Kind::Essential, async move {
        loop {
            match trouble.borrow_and_update().as_deref() {
                None => board.set(Part::Log, State::Serving, ""),
                Some(reason) => board.set(Part::Log, State::Degraded, reason),
            }
            tokio::select! {
                changed = trouble.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
        }
    });
}

/// Follows the board: what is wrong with a part is a problem that clients read in `health` and `status`.
pub fn problems(board: &Board, domain: &Domain, tasks: &Tasks) {
    let (mut changes, health, stop) = (board.subscribe(), domain.health.clone(), tasks.stopping());
    tasks.spawn("problems", Kind::Essential, async move {
        loop {
            let problems = {
                let now = changes.borrow_and_update();
                let bad = |part: &&Part| matches!(now.part(**part).state, State::Degraded | State::Failed);
                let text = |part: &Part| format!("{}: {}", part.name(), now.part(*part).reason);
                Part::ALL.iter().filter(bad).map(text).collect()
            };
            health.set_problems(problems);
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
        }
    });
}
