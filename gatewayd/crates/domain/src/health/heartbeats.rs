//! Whether heartbeats are on, which survives a restart, and what the last one said.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway_wire::types::system::HeartbeatEvent;
use serde::{Deserialize, Serialize};

use crate::events::Bus;
use crate::ports::store::{Buckets, Error};
use crate::settings::Setting;

/// The switch and the last heartbeat. Clones share them.
#[derive(Clone)]
pub struct Heartbeats {
    switch: Setting<Switch>,
    bus: Bus,
    last: Arc<Mutex<Bytes>>,
}

/// On, unless somebody switched it off.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Switch(bool);

impl Default for Switch {
    fn default() -> Self {
        Self(true)
    }
}

impl Heartbeats {
    /// Starts switched on; [`Heartbeats::load`] reads what was set.
    #[must_use]
    pub fn new(store: Arc<dyn Buckets>, bus: Bus) -> Self {
        let last = Arc::new(Mutex::new(Bytes::from_static(b"null")));
        Self { switch: Setting::new(store, "heartbeats"), bus, last }
    }

    /// Reads the stored switch.
    pub async fn load(&self) -> Result<(), Error> {
        self.switch.load().await.map(drop)
    }

    /// Whether heartbeats run at all.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.switch.now().0
    }

    /// Switches heartbeats on or off, on disk first.
    pub async fn set(&self, enabled: bool) -> Result<(), Error> {
        self.switch.set(Switch(enabled)).await
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

    #[test]
    fn the_last_one_is_kept_and_told() {
        let bus = Bus::default();
        let mut events = bus.subscribe(1);
        let heartbeats = Heartbeats::new(Arc::new(MemoryStore::default()), bus);
        let event: HeartbeatEvent =
            serde_json::from_str(r#"{"ts":5,"status":"ok-token","durationMs":7}"#).expect("event");
        heartbeats.happened(&event);
        assert_eq!(heartbeats.last(), r#"{"ts":5,"status":"ok-token","durationMs":7}"#);
        let Some(crate::events::Received::Event(told)) = events.try_recv() else { panic!("an event") };
        assert_eq!((told.row.name, told.payload), ("heartbeat", heartbeats.last()));
    }
}
