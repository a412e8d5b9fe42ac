//! The task that announces, and the handle that ends it with a goodbye.

use gateway_base::task::Tasks;
use gateway_discovery::{Event, Facts, LOCAL, SERVICE, advertise};
use tokio_util::sync::CancellationToken;

use super::options::{Options, ZoneOptions};
use super::zone;
use crate::machine;

/// An announcement on its way or in place.
pub struct Discovery {
    stop: CancellationToken,
    /// Cancelled when nothing is announced any more.
    ended: CancellationToken,
}

impl Discovery {
    /// Writes the zone and announces, as far as `options` ask for it. `None` when there is nothing to take back.
    pub fn start(options: Options, tasks: &Tasks) -> Option<Self> {
        let announces = options.local.is_some();
        let discovery = Self { stop: tasks.stopping().child_token(), ended: CancellationToken::new() };
        let (stop, ended) = (discovery.stop.clone(), discovery.ended.clone());
        tasks.spawn_restarting("discovery", move || {
            let (options, stop, ended) = (options.clone(), stop.clone(), ended.clone());
            async move {
                run(options, &stop).await;
                ended.cancel();
            }
        });
        announces.then_some(discovery)
    }

    /// Takes the announcement back.
    pub async fn withdraw(self) -> Result<(), String> {
        self.stop.cancel();
        self.ended.cancelled().await;
        Ok(())
    }
}

async fn run(options: Options, stop: &CancellationToken) {
    let asked = async { tokio::join!(options.tailnet_name(), machine::given_name()) };
    let Some((tailnet, given)) = stop.run_until_cancelled(asked).await else { return };
    let known = |facts: Facts| Facts {
        tailnet_dns: facts.tailnet_dns.or_else(|| tailnet.clone()),
        display_name: given.clone().unwrap_or(facts.display_name),
        ..facts
    };
    if let Some(zone) = options.zone {
        zone::write(ZoneOptions { facts: known(zone.facts.clone()), ..zone }).await;
    }
    if let Some(facts) = options.local {
        announce(&known(facts), stop).await;
    }
}

async fn announce(facts: &Facts, stop: &CancellationToken) {
    let (instance, host, port) = (facts.instance(), facts.host(), facts.port);
    let ssh = facts.ssh_port.map_or_else(|| "none".to_owned(), |port| port.to_string());
    tracing::debug!(
        subsystem = "gateway/discovery",
        "bonjour: starting (hostname={host}, instance=\"{instance}\", gatewayPort={port}, sshPort={ssh})"
    );
    let unannounced = format!(
        "gateway fqdn={instance}.{SERVICE}.{LOCAL} host={host}.{LOCAL} port={port} state=unannounced"
    );
    advertise(facts, stop, |event| tell(&event, &unannounced, port)).await;
}

fn tell(event: &Event, unannounced: &str, port: u16) {
    match event {
        Event::Announced { fqdn, host } => tracing::info!(
            subsystem = "gateway/discovery",
            file_only = true,
            "bonjour: advertised gateway fqdn={fqdn} host={host} port={port} state=announced"
        ),
        Event::Renamed(name) => tracing::warn!(
            subsystem = "gateway/discovery",
            "bonjour: gateway name conflict resolved; newName=\"{name}\""
        ),
        Event::HostRenamed(name) => tracing::warn!(
            subsystem = "gateway/discovery",
            "bonjour: gateway hostname conflict resolved; newHostname=\"{name}\""
        ),
        Event::Alone => tracing::debug!(
            subsystem = "gateway/discovery",
            "bonjour: no interface is in a local network and nowhere else; announcing when one is"
        ),
        Event::Unannounced => tracing::warn!(
            subsystem = "gateway/discovery",
            "bonjour: watchdog detected non-announced service; attempting re-advertise ({unannounced})"
        ),
        Event::Failed(error) => tracing::warn!(
            subsystem = "gateway/discovery",
            "bonjour: advertise failed ({unannounced}): {error}"
        ),
    }
}
