//! Scheduled Tasks of Windows: writing and reading a task's definition, the steps of every action, and the
//! scheduler's answers. All of it is plain text and data, so it is tested on every system.

mod control;
mod manager;
mod missing;
mod parse;
mod render;
pub mod timer;
mod words;

pub use control::{install, query, remove, restart, start, stop};
pub use manager::Manager;
pub use missing::{Commands, mend};
pub use render::{Error as RenderError, task as task_text};
#[cfg(test)]
pub use {parse::task as read_task, words::join};
