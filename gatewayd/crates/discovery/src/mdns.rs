//! Asks the local network by mDNS.

use std::collections::BTreeMap;
use std::time::Duration;

use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::time::{Instant, timeout_at};

use crate::beacon::Beacon;
use crate::service::{LOCAL, local_type};

/// The most gateways that are listed.
const BEACONS: usize = 128;

/// The gateways that answer within `limit`.
pub async fn browse(limit: Duration) -> Result<Vec<Beacon>, mdns_sd::Error> {
    let end = Instant::now() + limit;
    let daemon = ServiceDaemon::new()?;
    let events = daemon.browse(&local_type())?;
    let mut found: BTreeMap<String, Beacon> = BTreeMap::new();
    while let Ok(Ok(event)) = timeout_at(end, events.recv_async()).await {
        match event {
            ServiceEvent::ServiceResolved(service) if found.len() < BEACONS => {
                found.extend(beacon(&service).map(|beacon| (service.fullname.clone(), beacon)));
            }
            ServiceEvent::ServiceRemoved(_, name) => {
                found.remove(&name);
            }
            _ => {}
        }
    }
    // It has a thread of its own, which ends by itself.
    let _ = daemon.shutdown();
    Ok(found.into_values().collect())
}

fn beacon(service: &ResolvedService) -> Option<Beacon> {
    let rest = service.fullname.len().checked_sub(local_type().len() + 1)?;
    let instance = service.fullname.get(..rest).filter(|name| !name.is_empty())?;
    let strings =
        service.txt_properties.iter().map(|pair| (pair.key().as_bytes(), pair.val().unwrap_or_default()));
    Some(Beacon::read(instance, LOCAL, Some((&service.host, service.port)), strings))
}
