//! systemd units: writing and reading a unit file, the steps of every action, and the manager's answers.

mod control;
pub mod linger;
mod manager;
pub mod missing;
mod parse;
mod render;
pub mod timer;

pub use control::{
    clear, drop_ins, install, is_unavailable, link, query, read, remove, restart, start, stop, unit_text,
};
pub use manager::Manager;
pub use parse::{logical_lines, unit as read_unit};
pub use render::Error as RenderError;
#[cfg(test)]
pub use render::unit as unit_for_version;
