//! Checks parameters against the schemas that the server enforces, and words the problems as clients expect them:
//! all problems in a fixed order, each once, joined by `; `. Types do not do this job, because a typed decoder
//! stops at the first problem and has its own words.

mod check;
mod schema;

#[cfg(test)]
mod tests;

pub use check::{check, check_raw, has_schema};
