//! The owner as its callers see it, over a store in memory.

use std::sync::Arc;

use gateway_base::clock::Clock;
use gateway_wire::types::devices::{DeviceTokenSummary, PairedDevice};
use tokio::sync::oneshot;

use super::identity::Identity;
use super::*;
use crate::events::{Bus, Received, Subscription};
use crate::ports::store::{self, Bucket, Buckets, Expect};
use crate::testing::MemoryStore;

mod attempts;
mod model;
mod pairing;
mod tokens;

const START: i64 = 1_000_000_000;

/// A running owner. Dropping it ends the task without a flush; [`Fixture::stop`] ends it properly.
struct Fixture {
    store: MemoryStore,
    clock: Clock,
    devices: Devices,
    events: Subscription,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Fixture {
    fn new() -> Self {
        Self::over(MemoryStore::default(), Clock::manual(START))
    }

    #[allow(clippy::disallowed_methods, reason = "a test has no supervisor")]
    fn over(store: MemoryStore, clock: Clock) -> Self {
        let bus = Bus::default();
        let events = bus.subscribe(1_024);
        let (devices, task) =
            Devices::new(DevicesOptions { store: Arc::new(store.clone()), bus, clock: clock.clone() });
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(task.run(async move {
            let _ = stopped.await;
        }));
        Self { store, clock, devices, events, stop, task }
    }

    async fn stop(self) -> (MemoryStore, Clock) {
        drop(self.stop);
        self.task.await.expect("the owner ends");
        (self.store, self.clock)
    }

    async fn restart(self) -> Self {
        let (store, clock) = self.stop().await;
        Self::over(store, clock)
    }

    fn advance(&self, ms: i64) {
        self.clock.set(self.clock.now() + ms);
    }

    fn events(&mut self) -> Vec<(&'static str, serde_json::Value)> {
        let mut seen = Vec::new();
        while let Some(Received::Event(event)) = self.events.try_recv() {
            seen.push((event.row.name, serde_json::from_slice(&event.payload).expect("payload")));
        }
        seen
    }

    async fn pair(&self, admission: Admission) -> Issued {
        match self.devices.admit(admission).await.expect("admitted") {
            Admitted::Paired(issued) => issued,
            Admitted::PairingRequired { request_id } => panic!("pairing required: {request_id}"),
        }
    }

    async fn request(&self, admission: Admission) -> String {
        match self.devices.admit(admission).await.expect("admitted") {
            Admitted::PairingRequired { request_id } => request_id,
            Admitted::Paired(issued) => panic!("paired: {issued:?}"),
        }
    }

    async fn verify(&self, n: u8, role: &str, token: &str, scopes: &[&str]) -> Result<(), TokenError> {
        self.devices.verify_token(&identity(n), role, token, &list(scopes)).await.expect("records")
    }
}

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|&s| s.to_owned()).collect()
}

fn identity(n: u8) -> Identity {
    Identity { device_id: format!("device-{n}"), public_key: format!("key-{n}") }
}

fn remote(n: u8, role: &str, scopes: &[&str]) -> Admission {
    Admission {
        identity: identity(n),
        meta: Meta {
            display_name: Some(format!("Device {n}")),
            platform: Some("linux".to_owned()),
            client_id: Some("test".to_owned()),
            client_mode: Some("test".to_owned()),
            remote_ip: Some(format!("192.0.2.{n}")),
        },
        role: role.to_owned(),
        scopes: list(scopes),
        is_local: false,
    }
}

fn local(n: u8, role: &str, scopes: &[&str]) -> Admission {
    let mut admission = remote(n, role, scopes);
    admission.meta.remote_ip = Some("127.0.0.1".to_owned());
    admission.is_local = true;
    admission
}

fn tokens(device: &PairedDevice) -> &[DeviceTokenSummary] {
    device.tokens.as_deref().unwrap_or_default()
}

fn admin() -> Vec<String> {
    list(&[scopes::ADMIN])
}
