//! Implements the ports of the domain against the real outside: the store of acknowledged state, the files the
//! gateway reads, and the programs it runs. Siblings here do not know each other; what they share is the domain's traits.

pub mod agent_files;
pub mod log_tail;
pub mod store;
pub mod tailscale;
