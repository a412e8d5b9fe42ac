//! The configuration: reading, checking, editing and reloading one JSON5 file.
//!
//! One table (`keys`) defines every key; reading (`load`) runs text through JSON5, includes, variables, the legacy
//! check, validation, defaults and `~` expansion, and never fails; writing (`edit`, `write`) keeps the user's text
//! and is a transaction; `live` hands the current state to everyone else.

pub mod diff;
pub mod edit;
pub mod environment;
pub mod explain;
pub mod issue;
pub mod json5;
pub mod keys;
pub mod last_good;
pub mod live;
pub mod load;
pub mod migrate;
pub mod path;
pub mod redact;
pub mod schema;
pub mod sections;
pub mod validate;
pub mod write;

pub use issue::Issue;
pub use load::Snapshot;
pub use sections::Config;
