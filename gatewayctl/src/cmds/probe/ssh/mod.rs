//! Gateways that are reached through `ssh`: which host is meant, and the tunnel to it. The system's own program does
//! the work, so its keys, agents, known hosts and configuration count.

mod place;
mod tunnel;

pub use place::{Place, choose};
pub use tunnel::{Tunnel, open};
