//! The envelopes. Reading borrows from the frame and makes no intermediate tree, and writing appends to a byte
//! buffer, because every request and every event of every client passes here. What does not parse is read a
//! second time, slowly, only to explain the refusal in the words of the protocol.

mod read;
mod write;

#[cfg(test)]
mod tests;

pub use crate::types::common::StateVersion;
pub use read::{ParseError, Request, parse, parse_str};
pub(crate) use write::json;
pub use write::{write_err, write_event, write_ok, write_ok_with};
