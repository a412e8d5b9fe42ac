//! Edits of the config text that leave everything else as it is: comments, order, quotes, `$schema`, `${VAR}`,
//! trailing commas, line endings. An edit is stated as the value the text shall have; the differences to the value
//! it has are then written at their places, and the result is read back before it is given out.

mod document;
mod reconcile;
mod render;
#[cfg(test)]
mod tests;

pub use document::{Document, Error};
