//! What several parts share.

use serde::{Deserialize, Serialize};

/// The two counters that tell a client whether its picture of presence and health is current. On the wire they
/// always come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateVersion {
    /// Grows with every change of the presence list.
    pub presence: u64,
    /// Grows with every completed health refresh.
    pub health: u64,
}

/// The answer of methods that have nothing to say but that it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Always true.
    pub ok: bool,
}

impl Done {
    /// `{"ok":true}`.
    pub const OK: Self = Self { ok: true };
}

/// The parameters of methods whose schema has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoParams {}

/// What a session is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// One person.
    Direct,
    /// A group or a channel.
    Group,
    /// The session that everybody shares.
    Global,
    /// Origin unknown.
    Unknown,
}
