//! LaunchAgents of macOS: writing and reading a property list, the steps of every action, and launchd's answers. All
//! of it is plain text and data, so it is tested on every system.

mod control;
mod manager;
mod missing;
mod parse;
mod render;
pub mod timer;

pub use control::{install, query, remove, restart, start, stop};
pub use manager::Manager;
pub use missing::{Commands, mend};
pub use parse::{agent as read_agent, lines, starts_by_itself, stays};
pub use render::{Error as RenderError, agent as agent_text, error_log};
