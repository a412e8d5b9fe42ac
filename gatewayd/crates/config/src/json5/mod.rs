//! JSON5 text as a tree that remembers where every value stands. One scanner serves both reading and editing, so
//! that an edit can never see the file differently from the loader; and it has what a file from outside needs:
//! positions in its errors and a limit on nesting.

mod error;
mod node;
mod number;
mod scan;
mod string;
#[cfg(test)]
mod tests;

pub use error::SyntaxError;
pub use node::{Element, Kind, Member, Node};
pub(crate) use scan::is_identifier;
pub use scan::{MAX_DEPTH, parse};
