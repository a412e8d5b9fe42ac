//! Who is here: clients by device, installation or connection, and the gateway itself. Each entry is serialised when it
//! changes, so that a list is mostly a copy, and everybody is told at most once a second however many come and go.

mod beacon;
mod entries;
mod handle;
mod system_events;

pub use handle::{Arrival, Own, Presence, PresenceOptions, PresenceTask};
pub use system_events::SystemEvents;
