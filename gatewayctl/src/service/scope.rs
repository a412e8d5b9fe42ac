//! Whose a service is. On Linux both kinds exist under the same name; elsewhere only the user's does.

use serde::Serialize;

/// Whose service it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// This user's.
    #[default]
    User,
    /// The machine's.
    System,
}

impl Scope {
    /// The word for people and documents.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::System => "system",
        }
    }
}
