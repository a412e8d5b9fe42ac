//! How everything is: the `health` summary, the `status` result and the heartbeat switch. Both results are kept
//! serialised and made anew when something changed, so asking costs a copy.

mod heartbeats;
mod sessions;
mod status;
mod summary;

pub use heartbeats::Heartbeats;
pub use summary::{Health, HealthOptions, HealthTask};
