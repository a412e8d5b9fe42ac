//! systemd units: writing and reading a unit file, the steps of every action, and the manager's answers.

mod control;
mod manager;
mod parse;
mod render;

pub use control::{install, is_unavailable, query, remove, restart, start, stop, unit_text};
pub use manager::Manager;
pub use parse::{linger, logical_lines};
pub use render::Error as RenderError;
