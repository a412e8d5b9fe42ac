//! What `discover` found, in the original's JSON form.

use std::time::Duration;

use gateway_discovery::{Beacon, DOMAINS};
use serde::Serialize;

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How long each domain might take.
    pub timeout_ms: u64,
    /// Where was looked.
    pub domains: [&'static str; 2],
    /// How many there are.
    pub count: usize,
    /// The gateways, sorted by name.
    pub beacons: Vec<Found>,
}

/// A gateway.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// What it says of itself.
    #[serde(flatten)]
    pub beacon: Beacon,
    /// Where to reach it.
    pub ws_url: Option<String>,
}

impl Report {
    /// A report of these.
    pub fn new(timeout: Duration, beacons: Vec<Beacon>) -> Self {
        let beacons: Vec<Found> =
            beacons.into_iter().map(|beacon| Found { ws_url: beacon.ws_url(), beacon }).collect();
        Self {
            timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            domains: DOMAINS,
            count: beacons.len(),
            beacons,
        }
    }
}
