//! The words that wake a listening device.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The parameters of `voicewake.set`. There is no schema: entries that are not text are left out, and the rest of
/// the cleaning is the owner's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct VoicewakeSetParams {
    /// The words.
    pub triggers: Vec<String>,
}

impl TryFrom<Value> for VoicewakeSetParams {
    type Error = &'static str;

    fn try_from(params: Value) -> Result<Self, Self::Error> {
        let triggers = params.get("triggers").and_then(Value::as_array);
        let triggers = triggers.ok_or("voicewake.set requires triggers: string[]")?;
        Ok(Self { triggers: triggers.iter().filter_map(Value::as_str).map(str::to_owned).collect() })
    }
}

/// The result of `voicewake.get` and `voicewake.set`, and the payload of `voicewake.changed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voicewake {
    /// The words in force.
    pub triggers: Vec<String>,
}
