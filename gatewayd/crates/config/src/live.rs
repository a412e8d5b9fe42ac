//! The configuration in force. Everyone who needs it holds a [`Live`] and asks when it needs it; the reload code
//! alone replaces it. Reading takes no lock.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::Value;
use tokio::sync::watch;

use crate::load::Snapshot;
use crate::sections::Config;

/// One configuration in force. Its values may be secrets, so `Debug` leaves them out.
#[derive(Clone)]
pub struct Current {
    /// The typed view.
    pub config: Arc<Config>,
    /// The resolved value, defaults included.
    pub value: Arc<Value>,
    /// Hash of the text it came from.
    pub hash: String,
    /// Why it is not the one in the file, when it is the last good copy.
    pub degraded: Option<String>,
}

/// A cheap handle; clones share the state.
#[derive(Clone, Debug)]
pub struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    current: ArcSwap<Current>,
    changes: watch::Sender<u64>,
}

impl Current {
    /// What `snapshot` says; `degraded` names the reason when it is not the file's own.
    #[must_use]
    pub fn of(snapshot: &Snapshot, degraded: Option<String>) -> Self {
        Self {
            config: Arc::clone(&snapshot.config),
            value: Arc::new(snapshot.value.clone()),
            hash: snapshot.hash.clone(),
            degraded,
        }
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hash, degraded, .. } = self;
        f.debug_struct("Current").field("hash", hash).field("degraded", degraded).finish_non_exhaustive()
    }
}

impl Live {
    /// Starts with `current`.
    #[must_use]
    pub fn new(current: Current) -> Self {
        Self(Arc::new(Shared { current: ArcSwap::from_pointee(current), changes: watch::Sender::new(0) }))
    }

    /// The configuration in force now.
    #[must_use]
    pub fn current(&self) -> Arc<Current> {
        self.0.current.load_full()
    }

    /// The typed view in force now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.0.current.load().config)
    }

    /// Puts `next` in force and tells all subscribers.
    pub fn replace(&self, next: Current) {
        self.0.current.store(Arc::new(next));
        self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// A receiver that wakes with every replacement; its value counts them.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn replacing_wakes_subscribers_and_is_seen_by_all() {
        let empty = |hash: &str| Current {
            config: Arc::new(Config::default()),
            value: Arc::new(Value::Null),
            hash: hash.to_owned(),
            degraded: None,
        };
        let live = Live::new(empty("a"));
        let mut changes = live.subscribe();
        live.clone().replace(empty("b"));
        changes.changed().await.expect("the handle is alive");
        assert_eq!((*changes.borrow(), live.current().hash.as_str()), (1, "b"));
    }
}
