//! The only writer of the config file. A write is a transaction: the new text is checked with the code the daemon
//! starts with, compared with what was there, the old text is kept as a numbered copy, and only then is the file
//! replaced. Nothing is touched when any of it fails.

mod loss;
#[cfg(test)]
mod tests;
mod trial;
mod unreadable;
mod writer;

pub use loss::lost;
pub use trial::{TakenBack, Trial, record_path, trial};
pub use unreadable::Unreadable;
pub use writer::{Committed, Copy, Drops, Error, Writer, history, stamp};
