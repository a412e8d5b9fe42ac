//! Config changes that cannot lock anybody out. A change on trial is in force like any other, but this module takes it
//! back unless it is confirmed: when its time is up, when health drops, when the daemon cannot start with it, and when
//! the daemon finds at its start that the one before it died. The record on disk is the truth; everything here can be
//! lost at any moment.

mod start;
mod task;
#[cfg(test)]
mod tests;

pub use start::{Found, find, rescue};
pub use task::{Error, Trials, TrialsOptions, new};
