//! The commands, one file or folder each. A command gathers facts, makes text or a document of them in a pure
//! function, and hands that to the printer.

pub mod call;
pub mod config;
pub mod dashboard;
pub mod devices;
pub mod discover;
pub mod health;
pub mod logs;
pub mod offline;
pub mod onboard;
pub mod probe;
pub mod reload;
pub mod service;
pub mod setup;
pub mod shutdown;
pub mod status;
#[cfg(test)]
pub(crate) mod testing;
pub mod top;
pub mod upgrade;
pub mod usage_cost;
pub mod watch;
