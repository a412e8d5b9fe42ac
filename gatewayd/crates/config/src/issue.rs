//! One finding about a configuration: where, what, and a guess at what was meant.

use std::fmt;

/// A finding. `Display` prints `path: message`, with `<root>` for the empty path and the hint in brackets.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Issue {
    /// Dotted path, list positions as plain numbers; empty for the whole file.
    pub path: String,
    /// What is wrong, in the words clients know.
    pub message: String,
    /// A guess such as `did you mean "port"?`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Issue {
    /// A finding without a hint.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), hint: None }
    }

    /// A finding about the whole file.
    pub fn root(message: impl Into<String>) -> Self {
        Self::new("", message)
    }

    /// The path as people see it.
    #[must_use]
    pub fn shown_path(&self) -> &str {
        if self.path.is_empty() { "<root>" } else { &self.path }
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.shown_path(), self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}
