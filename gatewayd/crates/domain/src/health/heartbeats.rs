//! Whether heartbeats are on, which survives a restart, and what the last one said.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway_wire::types::system::HeartbeatEvent;

use crate::events::Bus;
use crate::ports::store::{Bucket, Buckets, Error, Expect};

const KEY: &str = "heartbeats";

/// The switch and the last heartbeat. Clones share them.
#[derive(Clone)]
pub struct Heartbeats {
    store: Arc<dyn Buckets>,
    bus: Bus,
    enabled: Arc<AtomicBool>,
    last: Arc<Mutex<Bytes>>,
}

impl Heartbeats {
    /// Starts switched on; [`Heartbeats::load`] reads what was set.
    #[must_use]
    pub fn new(store: Arc<dyn Buckets>, bus: Bus) -> Self {
        let last = Arc::new(Mutex::new(Bytes::from_static(b"null")));
        Self { store, bus, enabled: Arc::new(AtomicBool::new(true)), last }
    }

    /// Reads the stored switch.
    pub async fn load(&self) -> Result<(), Error> {
        if let Some(record) = self.store.get(Bucket::Settings, KEY).await? {
            match serde_json::from_slice(&record.value) {
                Ok(enabled) => self.enabled.store(enabled, Ordering::Relaxed),
                Err(error) => tracing::error!(%error, "the stored heartbeat switch cannot be read; it counts as on"),
            }
        }
        Ok(())
    }

    /// Whether heartbeats run at all.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// Switches heartbeats on or off, on disk first.
    pub async fn set(&self, enabled: bool) -> Result<(), Error> {
        let value = Bytes::from_static(if enabled { b"true" } else { b"false" });
        self.store.put(Bucket::Settings, KEY, value, Expect::Any).await?;
        self.enabled.store(enabled, Ordering::Relaxed);
        Ok(())
    }

    /// The last heartbeat event, or `null`, as JSON.
    #[must_use]
    pub fn last(&self) -> Bytes {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes and announces the outcome of a heartbeat.
    pub fn happened(&self, event: &HeartbeatEvent) {
        let Ok(json) = serde_json::to_vec(event) else { return };
        let json = Bytes::from(json);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = json.clone();
        self.bus.publish_json("heartbeat", json, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryStore;

    #[tokio::test]
    async fn the_switch_survives_a_restart() {
        let store = MemoryStore::default();
        let first = Heartbeats::new(Arc::new(store.clone()), Bus::default());
        assert!(first.enabled());
        first.set(false).await.expect("stored");
        let second = Heartbeats::new(Arc::new(store), Bus::default());
        second.load().await.expect("loaded");
        assert!(!second.enabled());
        assert_eq!(second.last(), "null");
    }
}
