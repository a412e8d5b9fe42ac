//! The `logging` section.

use std::path::PathBuf;

use super::view::View;

/// The `logging` section.
#[derive(Clone, Debug)]
pub struct Logging {
    /// Least level of the file.
    pub level: Level,
    /// The file.
    pub file: PathBuf,
    /// Least level of the console, when it is set.
    pub console_level: Option<Level>,
    /// Form of console lines, when it is set.
    pub console_style: Option<ConsoleStyle>,
    /// Whether secrets are blotted out of tool output.
    pub redact_sensitive: bool,
    /// Patterns that replace the built-in ones; empty means the built-in ones.
    pub redact_patterns: Vec<String>,
}

/// A log level, from nothing to everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing at all.
    Silent,
    /// Only what ends the process.
    Fatal,
    /// Failures.
    Error,
    /// Doubtful things.
    Warn,
    /// The normal course of things.
    Info,
    /// Details.
    Debug,
    /// Everything.
    Trace,
}

/// `logging.consoleStyle`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleStyle {
    /// For people, with colours.
    Pretty,
    /// For people, plain.
    Compact,
    /// One JSON object per line.
    Json,
}

impl Logging {
    pub(super) fn read(view: &View<'_>) -> Self {
        let styles = [
            ("pretty", ConsoleStyle::Pretty),
            ("compact", ConsoleStyle::Compact),
            ("json", ConsoleStyle::Json),
        ];
        Self {
            level: view.choice("logging.level", &LEVELS).unwrap_or(Level::Info),
            file: view.file("logging.file").unwrap_or_else(|| view.paths.log_file()),
            console_level: view.choice("logging.consoleLevel", &LEVELS),
            console_style: view.choice("logging.consoleStyle", &styles),
            redact_sensitive: view.text("logging.redactSensitive").as_deref() != Some("off"),
            redact_patterns: view.texts("logging.redactPatterns"),
        }
    }
}

const LEVELS: [(&str, Level); 7] = [
    ("silent", Level::Silent),
    ("fatal", Level::Fatal),
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("info", Level::Info),
    ("debug", Level::Debug),
    ("trace", Level::Trace),
];
