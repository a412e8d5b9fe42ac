//! The daemon: reads its arguments, takes its lock and its port, puts the parts together, serves, and ends in order.
//! What the parts do is in the crates below; nothing here knows the protocol.

pub mod args;
pub mod bind;
pub mod compose;
mod dev;
mod discovery;
pub mod exit;
mod force;
pub mod handover;
pub mod lifecycle;
mod log_stream;
pub mod logging;
mod machine;
mod maintenance;
pub mod print;
mod reload;
mod run;
pub mod standby;
pub mod start;
pub mod supervise;
mod trial;
mod tunnel;

pub use run::{Next, run};
