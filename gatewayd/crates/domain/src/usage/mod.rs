//! What was spent: tokens and money, added up from the transcripts, and what providers report about their limits.

mod cost;
mod totals;

pub use cost::{Error, Usage, UsageOptions};
