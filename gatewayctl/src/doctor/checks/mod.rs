//! The checks, one file each, and the list of them. A check is added by its file and one row here; the table in
//! `tests` then demands a situation in which it speaks.

mod config;
mod daemon;
mod mode;
mod permissions;
mod store;
#[cfg(test)]
mod tests;

use super::check::Check;

/// Every check, in the order of the report.
pub const ALL: &[Check] = &[config::CHECK, mode::CHECK, permissions::CHECK, store::CHECK, daemon::CHECK];
