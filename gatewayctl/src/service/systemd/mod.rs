//! systemd user units: reading a unit file and the manager's answers.

mod control;
mod parse;

pub use control::{is_unavailable, query};
pub use parse::logical_lines;
