//! The refusal for a record that stands in the way of every write.

use std::path::PathBuf;

/// The record is there and cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the record of a config change on trial, {}, cannot be used: {why}", path.display())]
pub struct Unreadable {
    pub(super) path: PathBuf,
    pub(super) why: String,
}
