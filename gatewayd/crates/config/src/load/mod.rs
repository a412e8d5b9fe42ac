//! From a file to a configuration. Loading never fails: whatever is wrong becomes an issue of the snapshot, and the
//! caller decides what that means for it. Every step has a limit, because the file comes from outside.
//!
//! The order is: text, JSON5, includes, variables, legacy check, validation, defaults, `~`.

mod defaults;
mod include;
mod pipeline;
mod read;
mod snapshot;
mod start;
#[cfg(test)]
mod tests;
mod tilde;
mod vars;

pub use defaults::ALIASES;
pub(crate) use include::Includes;
pub use pipeline::{RELEASE, load, parse_text};
pub use read::MAX_BYTES;
pub(crate) use read::{Read, read};
pub use snapshot::{Place, Snapshot};
pub use start::{Start, load_or_last_good};
pub(crate) use vars::expand;
