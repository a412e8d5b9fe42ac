//! The process environment as a value. It is read once in `main` and passed along, so that nothing below reads
//! or writes global state and tests can give their own.

use std::collections::BTreeMap;
use std::fmt;

/// Names and values of environment variables. Blank values count as absent, as the original treats them. Tokens and
/// keys are among them, so `Debug` shows the names alone.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The variables of this process; names or values that are not UTF-8 are left out.
    #[must_use]
    pub fn from_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        )
    }

    /// A made-up environment, for tests and for children.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// The value of `name`, unless it is absent or blank.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|v| !v.trim().is_empty())
    }

    /// Whether `name` holds one of `1`, `true`, `yes`, `on` in any case.
    #[must_use]
    pub fn truthy(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|v| matches!(v.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on"))
    }

    /// Whether `name` is exactly `1`.
    #[must_use]
    pub fn is_one(&self, name: &str) -> bool {
        self.get(name) == Some("1")
    }

    /// Sets `name` unless it already holds a value that is not blank. Returns whether it was set.
    pub fn set_if_absent(&mut self, name: &str, value: impl Into<String>) -> bool {
        if self.get(name).is_some() {
            return false;
        }
        self.0.insert(name.to_owned(), value.into());
        true
    }

    /// Sets `name`, whatever it held.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Removes `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// All pairs, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown() {
        let env = Env::from_pairs([("CLAWDBOT_GATEWAY_TOKEN", "hunter2")]);
        assert_eq!(format!("{env:?}"), "{\"CLAWDBOT_GATEWAY_TOKEN\"}");
    }

    #[test]
    fn blank_is_absent() {
        let mut env = Env::from_pairs([("A", " "), ("B", "x")]);
        assert_eq!(env.get("A"), None);
        assert!(env.set_if_absent("A", "y"));
        assert!(!env.set_if_absent("B", "y"));
        assert_eq!((env.get("A"), env.get("B")), (Some("y"), Some("x")));
    }
}
