//! Reading the end of the log file.

use serde::{Deserialize, Serialize};

use super::integer;

/// Lines answered when the caller names no number.
pub const LINES_DEFAULT: u64 = 500;
/// Bytes read when the caller names no number.
pub const BYTES_DEFAULT: u64 = 250_000;

/// The parameters of `logs.tail`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogsTailParams {
    /// The byte offset to read from; absent means the end.
    #[serde(default, deserialize_with = "integer::optional", skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// Most lines to answer, 1 to 5000; see [`LINES_DEFAULT`].
    #[serde(default, deserialize_with = "integer::optional", skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Most bytes to read, 1 to 1000000; see [`BYTES_DEFAULT`].
    #[serde(default, deserialize_with = "integer::optional", skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

/// The result of `logs.tail`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogsTailResult {
    /// The file that was read.
    pub file: String,
    /// Where to continue.
    pub cursor: u64,
    /// The size of the file.
    pub size: u64,
    /// The lines as they stand in the file.
    pub lines: Vec<String>,
    /// Whether lines before these were skipped.
    pub truncated: bool,
    /// Whether the cursor no longer fitted the file.
    pub reset: bool,
}
