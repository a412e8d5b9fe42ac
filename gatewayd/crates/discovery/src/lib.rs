//! How gateways are found: a gateway announces itself by mDNS in its local network and writes a DNS zone for its
//! tailnet; a controller asks both. Nothing here is authenticated: whoever is in the network can say anything, so what
//! is found is a hint for a person. No fingerprint is pinned and no secret is sent because of it.

mod advertise;
mod beacon;
mod browse;
mod dns;
mod facts;
mod mdns;
mod names;
mod service;
mod tailnet;
mod wide_area;
mod zone;

pub use advertise::{Event, advertise};
pub use beacon::Beacon;
pub use browse::{Error, browse};
pub use facts::Facts;
pub use service::{DOMAINS, LOCAL, SERVICE, WIDE_AREA};
pub use tailnet::servers;
pub use zone::Zone;
