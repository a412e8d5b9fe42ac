//! The domain's owners and handles, built bottom up over the store.

use std::sync::Arc;

use gateway_adapters::agent_files::Files;
use gateway_adapters::store::Store;
use gateway_api::domain::Domain;
use gateway_base::clock::Clock;
use gateway_base::paths::Paths;
use gateway_base::task::{Kind, Tasks};
use gateway_config::live::Live;
use gateway_domain::agents::{Agents, AgentsOptions};
use gateway_domain::devices::{Devices, DevicesOptions};
use gateway_domain::events::{Bus, Versions};
use gateway_domain::health::{Health, HealthOptions, Heartbeats};
use gateway_domain::models::Models;
use gateway_domain::ports::store::Buckets;
use gateway_domain::presence::{Own, Presence, PresenceOptions};
use gateway_domain::usage::{Usage, UsageOptions};
use gateway_domain::voicewake::Voicewake;
use gateway_domain::wizard::Wizards;

/// What the domain is built from.
pub struct Ingredients<'a> {
    pub store: &'a Store,
    pub live: &'a Live,
    pub paths: &'a Paths,
    pub clock: &'a Clock,
    pub own: Own,
    pub tasks: &'a Tasks,
}

/// Builds the handles and starts their owners.
pub async fn build(from: Ingredients<'_>) -> Domain {
    let Ingredients { store, live, paths, clock, own, tasks } = from;
    let store: Arc<dyn Buckets> = Arc::new(store.clone());
    let (bus, versions) = (Bus::default(), Versions::default());
    let (devices, owner) =
        Devices::new(DevicesOptions { store: store.clone(), bus: bus.clone(), clock: clock.clone() });
    tasks.spawn("devices", Kind::Essential, owner.run(stopped(tasks)));
    let (presence, owner) = Presence::new(PresenceOptions {
        own,
        bus: bus.clone(),
        versions: versions.clone(),
        clock: clock.clone(),
    });
    tasks.spawn("presence", Kind::Essential, owner.run(stopped(tasks)));
    let heartbeats = Heartbeats::new(store.clone(), bus.clone());
    let (health, owner) = Health::new(HealthOptions {
        live: live.clone(),
        paths: paths.clone(),
        bus: bus.clone(),
        versions: versions.clone(),
        heartbeats,
        clock: clock.clone(),
    });
    tasks.spawn("health", Kind::Essential, owner.run(stopped(tasks)));
    let voicewake = Voicewake::new(store, bus.clone(), clock.clone());
    load_settings(&health, &voicewake).await;
    let files = Arc::new(Files::new(&paths.state));
    Domain {
        agents: Agents::new(AgentsOptions { config: live.clone(), files: files.clone() }),
        models: Models::new(live.clone()),
        wizards: Wizards::new(clock.clone()),
        usage: Usage::new(UsageOptions { files, config: live.clone(), clock: clock.clone() }),
        bus,
        versions,
        devices,
        presence,
        health,
        voicewake,
    }
}

/// Reads what the store knows, before anybody can ask for it. A store that cannot answer shows in its own health.
async fn load_settings(health: &Health, voicewake: &Voicewake) {
    let (heartbeats, words) = tokio::join!(health.heartbeats().load(), voicewake.load());
    if let Err(error) = heartbeats {
        tracing::error!(subsystem = "gateway", %error, "the heartbeat switch cannot be read");
    }
    if let Err(error) = words {
        tracing::error!(subsystem = "gateway", %error, "the wake words cannot be read");
    }
    health.ask();
}

fn stopped(tasks: &Tasks) -> impl Future<Output = ()> + Send + use<> {
    let stop = tasks.stopping();
    async move { stop.cancelled().await }
}
