//! The levels of the log: how the words of the configuration relate to those of `tracing`, and their numbers in the
//! file.

use std::sync::atomic::{AtomicU8, Ordering};

use gateway_config::sections::Level;
use tracing_subscriber::filter::LevelFilter;

const ALL: [Level; 7] =
    [Level::Silent, Level::Fatal, Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];

/// The lower-case name.
pub(super) const fn word(level: Level) -> &'static str {
    match level {
        Level::Silent => "silent",
        Level::Fatal => "fatal",
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}

/// The number in the file: 0 for fatal to 5 for trace.
pub(super) const fn id(level: Level) -> u8 {
    (level as u8).saturating_sub(1)
}

pub(super) fn of(level: tracing::Level) -> Level {
    match level {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::TRACE => Level::Trace,
    }
}

pub(super) fn filter(level: Level) -> LevelFilter {
    match level {
        Level::Silent | Level::Fatal => LevelFilter::OFF,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    }
}

/// A threshold that is read for every event and changed while the process runs: everything up to it passes.
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
