//! The command line: every command with its options and examples. Each subcommand owns its options, so that none
//! is swallowed by a parent.

mod commands;
mod config;
mod devices;
mod doctor;
mod onboard;
mod options;
mod root;
mod service;
mod top;
mod upgrade;
mod watch;

pub use commands::*;
pub use config::*;
pub use devices::*;
pub use doctor::*;
pub use onboard::*;
pub use options::*;
pub use root::*;
pub use service::*;
pub use top::*;
pub use upgrade::*;
pub use watch::*;
