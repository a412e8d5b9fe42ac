//! What became of a repair.

use serde::Serialize;

/// What became of one repair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// What was to be done.
    pub done: Vec<String>,
    /// How it ended.
    pub result: Ended,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How a repair ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It was made.
    Done,
    /// The person said no.
    Declined,
    /// It could not be made.
    Failed,
}
