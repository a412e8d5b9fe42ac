//! The levels of the log, with the words and numbers of the original.

use std::sync::atomic::{AtomicU8, Ordering};

use tracing_subscriber::filter::LevelFilter;

/// How important a record is; as a threshold, everything up to this passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// A threshold that nothing passes.
    Silent,
    /// The process cannot go on.
    Fatal,
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What an operator wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

const ALL: [Level; 7] =
    [Level::Silent, Level::Fatal, Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];

impl Level {
    /// The level with this name; an unknown word counts as `info`.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        ALL.into_iter().find(|level| level.word() == word).unwrap_or(Self::Info)
    }

    /// The lower-case name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The number in the file: 0 for fatal to 5 for trace.
    #[must_use]
    pub const fn id(self) -> u8 {
        (self as u8).saturating_sub(1)
    }

    pub(super) fn of(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::TRACE => Self::Trace,
        }
    }

    pub(super) fn filter(self) -> LevelFilter {
        match self {
            Self::Silent | Self::Fatal => LevelFilter::OFF,
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

/// A threshold that is read for every record and changed while the process runs.
#[derive(Debug)]
pub(super) struct Threshold(AtomicU8);

impl Threshold {
    pub(super) fn new(level: Level) -> Self {
        Self(AtomicU8::new(level as u8))
    }

    pub(super) fn set(&self, level: Level) {
        self.0.store(level as u8, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Level {
        ALL.get(usize::from(self.0.load(Ordering::Relaxed))).copied().unwrap_or(Level::Info)
    }

    pub(super) fn lets_pass(&self, level: Level) -> bool {
        level as u8 <= self.0.load(Ordering::Relaxed)
    }
}
