//! The talk mode that a client switches for the mobile nodes.

use serde::{Deserialize, Serialize};

/// The parameters of `talk.mode`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TalkModeParams {
    /// Whether to talk.
    pub enabled: bool,
    /// What the talk is doing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}

/// The result of `talk.mode` and the payload of the event of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TalkMode {
    /// Whether talk mode is on.
    pub enabled: bool,
    /// What the talk is doing.
    pub phase: Option<String>,
    /// When it changed.
    pub ts: u64,
}
