//! Is this value a configuration? First its shape against the key table, then the rules between keys.

mod across;
mod agents;
mod channels;
mod shape;
mod suggest;
#[cfg(test)]
mod tests;

pub(crate) use shape::{BIND_WORDS, bind_address};
pub use shape::{shape, unknown_keys};
pub use suggest::closest;
pub(crate) use suggest::elsewhere;

use serde_json::Value;

use crate::issue::Issue;
use crate::load::Place;

/// Errors and warnings of a value whose includes and variables are already resolved. The rules between keys are
/// looked at only when the shape is right, as they rely on it.
#[must_use]
pub fn check(value: &Value, place: &Place<'_>) -> (Vec<Issue>, Vec<Issue>) {
    let mut issues = shape(value);
    let mut warnings = Vec::new();
    if issues.is_empty() {
        channels::check(value, &mut issues);
        agents::check(value, place, &mut issues);
        across::check(value, &mut issues, &mut warnings);
    }
    (issues, warnings)
}
