//! The command line: every command with its options and examples. Each subcommand owns its options, so that none
//! is swallowed by a parent.

mod commands;
mod options;
mod root;

pub use commands::*;
pub use options::*;
pub use root::*;
