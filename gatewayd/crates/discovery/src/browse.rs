//! Looks for gateways everywhere at once.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::beacon::Beacon;
use crate::{mdns, wide_area};

/// Why nothing could be looked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The local network cannot be asked.
    #[error("mDNS cannot be started: {0}")]
    Mdns(#[from] mdns_sd::Error),
}

/// The gateways of the local network and of the tailnet, sorted by name, each once. Each of the two may take `limit`.
/// `servers` finds the DNS servers of the tailnet.
pub async fn browse(
    limit: Duration,
    servers: impl Future<Output = Vec<Ipv4Addr>>,
) -> Result<Vec<Beacon>, Error> {
    let tailnet = async { wide_area::browse(&servers.await).await };
    let (local, tailnet) = tokio::join!(mdns::browse(limit), tokio::time::timeout(limit, tailnet));
    let mut all = local?;
    all.extend(tailnet.unwrap_or_default());
    Ok(sorted(all))
}

fn sorted(mut all: Vec<Beacon>) -> Vec<Beacon> {
    all.sort_by_cached_key(|beacon| (beacon.name().to_lowercase(), beacon.clone()));
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_by_name_and_each_once() {
        let beacon = |instance: &str, display: Option<&str>| Beacon {
            instance_name: instance.to_owned(),
            display_name: display.map(str::to_owned),
            ..Beacon::default()
        };
        let all = sorted(vec![
            beacon("x", Some("b")),
            beacon("A", None),
            beacon("x", Some("b")),
            beacon("y", Some("B")),
        ]);
        let names: Vec<_> = all.iter().map(|beacon| (beacon.name(), beacon.instance_name.as_str())).collect();
        assert_eq!(names, [("A", "A"), ("b", "x"), ("B", "y")]);
    }
}
