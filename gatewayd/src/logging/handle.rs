//! What the rest of the daemon holds of the log: change its levels, its file or its masks while it runs, open the
//! file anew, wait until everything is written.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gateway_base::redact::Redactor;
use gateway_config::sections::{ConsoleStyle, Level, Logging};
use tokio::sync::watch;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::reload;

use super::level::{self, Threshold};
use super::queue::Queue;

/// Shared by the handle, the layer and both sinks.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) file_level: Threshold,
    pub(super) console_level: Threshold,
    /// Raised with every change of `texts`; sinks look at it before each batch.
    generation: AtomicU64,
    texts: Mutex<Texts>,
    /// Why the file cannot be written, while it cannot.
    trouble: watch::Sender<Option<String>>,
}

/// What the sinks need beyond the level.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    /// The log file; none until the start has taken its lock and its port.
    pub(super) file: Option<PathBuf>,
    pub(super) style: Option<ConsoleStyle>,
    pub(super) redactor: Arc<Redactor>,
}

impl Shared {
    pub(super) fn new(file_level: Level, console_level: Level, texts: Texts) -> Self {
        Self {
            file_level: Threshold::new(file_level),
            console_level: Threshold::new(console_level),
            generation: AtomicU64::new(1),
            texts: Mutex::new(texts),
            trouble: watch::Sender::new(None),
        }
    }

    /// Says whether the file can be written.
    pub(super) fn report(&self, trouble: Option<String>) {
        self.trouble.send_if_modified(|now| {
            let changed = *now != trouble;
            *now = trouble;
            changed
        });
    }

    /// The texts, when they changed since the caller saw generation `seen`.
    pub(super) fn newer(&self, seen: &mut u64) -> Option<Texts> {
        let generation = self.generation.load(Ordering::Acquire);
        if generation == *seen {
            return None;
        }
        *seen = generation;
        Some(self.texts().clone())
    }

    fn change(&self, change: impl FnOnce(&mut Texts)) {
        change(&mut self.texts());
        self.generation.fetch_add(1, Ordering::Release);
    }

    fn texts(&self) -> MutexGuard<'_, Texts> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle on the log of this process. Clones share everything.
#[derive(Clone, Debug)]
pub struct LogHandle {
    pub(super) shared: Arc<Shared>,
    pub(super) filter: reload::Handle<LevelFilter, Registry>,
    pub(super) file: Queue,
    pub(super) console: Queue,
    /// `--verbose` was given: the console never shows less than debug.
    pub(super) verbose: bool,
}

impl LogHandle {
    /// Takes over everything the configuration says. A pattern that cannot be used leaves the built-in ones, and says
    /// so.
    pub fn configure(&self, config: &Logging) {
        let redactor = match (config.redact_sensitive, config.redact_patterns.as_slice()) {
            (false, _) => Redactor::off(),
            (true, []) => Redactor::built_in(),
            (true, patterns) => {
                Redactor::custom(patterns.iter().map(String::as_str)).unwrap_or_else(|error| {
                    tracing::warn!(subsystem = "gateway/log", "{error}; using the built-in patterns");
                    Redactor::built_in()
                })
            }
        };
        let file = config.file.clone();
        self.change(|texts| {
            texts.redactor = Arc::new(redactor);
            texts.style = config.console_style;
            // Before the start has its lock and its port no file is touched.
            if texts.file.is_some() {
                texts.file = Some(file);
            }
        });
        self.set_levels(config.level, config.console_level.unwrap_or(Level::Info));
    }

    /// Sets what the file and the console take from now on.
    pub fn set_levels(&self, file: Level, console: Level) {
        let console = if self.verbose { console.max(Level::Debug) } else { console };
        self.shared.file_level.set(file);
        self.shared.console_level.set(console);
        // It fails only when the subscriber is gone, and then nobody logs.
        let _ = self.filter.reload(level::filter(file.max(console)));
    }

    /// The levels of the file and of the console.
    #[must_use]
    pub fn levels(&self) -> (Level, Level) {
        (self.shared.file_level.get(), self.shared.console_level.get())
    }

    /// Writes to `path` from now on. Records from before the first call are kept for it.
    pub fn set_file(&self, path: PathBuf) {
        self.change(|texts| texts.file = Some(path));
    }

    /// The log file, once there is one.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        self.shared.texts().file.clone()
    }

    /// Opens the file anew, after somebody moved it away.
    pub fn reopen(&self) {
        self.change(|_| ());
    }

    /// Why the file cannot be written, while it cannot.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.shared.trouble.subscribe()
    }

    fn change(&self, change: impl FnOnce(&mut Texts)) {
        self.shared.change(change);
        self.file.wake();
    }

    /// Waits until everything logged so far is written, at most `limit` for each sink. Blocks; for the very end.
    pub fn flush(&self, limit: Duration) -> bool {
        let console = self.console.flush(limit);
        self.file.flush(limit) && console
    }
}
