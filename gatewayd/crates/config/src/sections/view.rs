//! Reads single keys of a validated value, with the default of the key table when one is absent.

use std::path::PathBuf;

use gateway_base::paths::Paths;
use gateway_base::secret::Secret;
use serde_json::Value;

use crate::keys::default_of;
use crate::path::get_dotted;

/// A value and the paths that its file names are relative to.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) value: &'a Value,
    pub(super) paths: &'a Paths,
}

impl<'a> View<'a> {
    /// The value as written, without a default.
    pub(super) fn raw(&self, path: &str) -> Option<&'a Value> {
        get_dotted(self.value, path)
    }

    fn or_default(&self, path: &str) -> Option<Value> {
        self.raw(path).cloned().or_else(|| default_of(path))
    }

    /// A text; blank counts as absent.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let value = self.or_default(path)?;
        value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A secret; an empty one counts as absent, white space is kept.
    pub(super) fn secret(&self, path: &str) -> Option<Secret> {
        self.raw(path)?.as_str().filter(|text| !text.is_empty()).map(Secret::new)
    }

    /// A switch; off when neither the value nor the table says anything.
    pub(super) fn flag(&self, path: &str) -> bool {
        self.or_default(path).and_then(|v| v.as_bool()).unwrap_or(false)
    }

    /// A whole number.
    pub(super) fn number<T: TryFrom<u64>>(&self, path: &str) -> Option<T> {
        whole(&self.or_default(path)?).and_then(|n| n.try_into().ok())
    }

    /// A list of texts.
    pub(super) fn texts(&self, path: &str) -> Vec<String> {
        texts(self.or_default(path).as_ref())
    }

    /// A choice, by the word that is written.
    pub(super) fn choice<T: Copy>(&self, path: &str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.or_default(path)?;
        choices.iter().find(|(name, _)| word.as_str() == Some(name)).map(|(_, choice)| *choice)
    }

    /// A file or folder, `~` expanded.
    pub(super) fn file(&self, path: &str) -> Option<PathBuf> {
        let text = self.raw(path)?.as_str().map(str::trim).filter(|text| !text.is_empty())?;
        Some(self.paths.expand(text))
    }
}

/// The texts of a list.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and in range"
)]
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        value.as_f64().filter(|f| f.fract() == 0.0 && (0.0..1.8e19).contains(f)).map(|f| f as u64)
    })
}
