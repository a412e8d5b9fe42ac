//! Keys of older releases. A configuration that holds one is not valid until it has been migrated; what can be
//! migrated without a choice to make is migrated here, by frozen steps that know nothing of the present types.

mod agents;
mod legacy;
mod moves;
mod steps;
#[cfg(test)]
mod tests;

pub use legacy::legacy_issues;
pub use steps::{Migrated, migrate};
