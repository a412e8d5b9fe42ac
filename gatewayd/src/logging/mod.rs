//! The log: one subscriber that turns every event of the process into a record once, and two sinks that write it,
//! each on its own thread behind a bounded queue, so that a full disk or a stopped terminal never holds up a worker
//! (operations 10, rule R25).
//!
//! The file takes JSON, one record per line: `time`, `_meta` with level and subsystem as the original's viewers read
//! them, the message under `"1"` and the fields under `"2"`.

mod console;
mod file;
mod fold;
mod handle;
mod layer;
mod level;
mod queue;
mod record;
mod setup;
#[cfg(test)]
mod tests;

pub use handle::LogHandle;
pub use setup::{Options, start};
