//! The daemon: reads its arguments, takes its lock and its port, puts the parts together, serves, and ends in order.
//! What the parts do is in the crates below; nothing here knows the protocol.

pub mod args;
pub mod bind;
pub mod compose;
mod dev;
pub mod exit;
mod force;
pub mod lifecycle;
pub mod logging;
mod log_stream;
mod machine;
mod maintenance;
mod reload;
pub mod print;
mod run;
pub mod start;

pub use run::{Next, run};
