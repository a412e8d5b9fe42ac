//! What clients hear before the gateway goes.

use serde::{Deserialize, Serialize};

/// The payload of `shutdown`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShutdownEvent {
    /// Why; see [`ShutdownEvent::stopping`] and [`ShutdownEvent::restarting`].
    pub reason: String,
    /// When it should be back; `null` when it will not.
    pub restart_expected_ms: Option<u64>,
}

impl ShutdownEvent {
    /// The gateway stops.
    #[must_use]
    pub fn stopping() -> Self {
        Self { reason: "gateway stopping".to_owned(), restart_expected_ms: None }
    }

    /// The gateway restarts within its process.
    #[must_use]
    pub fn restarting() -> Self {
        Self { reason: "gateway restarting".to_owned(), restart_expected_ms: Some(1500) }
    }
}
