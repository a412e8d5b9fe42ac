//! Looks for gateways in the local network and in the tailnet. What is found was said by whoever is there: it is shown
//! and suggested, and no secret is sent anywhere because of it.

use std::net::Ipv4Addr;
use std::time::Duration;

use gateway_discovery::{Beacon, Error, browse, servers};

use crate::service::{Call, RunError, Runner, System};

/// How long Tailscale's program may take.
const STATUS: Duration = Duration::from_millis(700);
/// The names of the program; the application of macOS puts none on the `PATH`.
const PROGRAMS: [&str; 2] = ["tailscale", "/Applications/Tailscale.app/Contents/MacOS/Tailscale"];

/// The gateways that answer within `limit`, sorted by name.
pub async fn beacons(limit: Duration) -> Result<Vec<Beacon>, Error> {
    browse(limit, tailnet()).await
}

/// The DNS servers of the tailnet. A machine without Tailscale is in none.
async fn tailnet() -> Vec<Ipv4Addr> {
    for program in PROGRAMS {
        match System.run(&Call::new(program, ["status", "--json"]).within(STATUS)).await {
            Err(RunError::Missing(_)) => {}
            // What a program says that fails is still an answer: it may only be out of order.
            Ok(ran) => return servers(&ran.stdout),
            Err(_) => return Vec::new(),
        }
    }
    Vec::new()
}
