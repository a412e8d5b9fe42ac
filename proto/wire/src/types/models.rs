//! The models that can be chosen.

use serde::{Deserialize, Serialize};

/// The result of `models.list`, sorted by provider and then name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelsListResult {
    /// Every model.
    pub models: Vec<ModelChoice>,
}

/// One model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelChoice {
    /// The id at its provider.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The provider.
    pub provider: String,
    /// Its context window in tokens; not 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u64>,
    /// Whether it can think.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<bool>,
    /// What it reads: `text`, `image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Vec<String>>,
}
