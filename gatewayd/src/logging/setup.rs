//! Starts the log. The console works at once; the file is named later, when the lock and the port are ours, and
//! then gets everything that was logged before.

use std::sync::Arc;

use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::redact::Redactor;
use gateway_config::sections::{ConsoleStyle, Level};
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, reload};

use super::console::ConsoleSink;
use super::file::FileSink;
use super::handle::{LogHandle, Shared, Texts};
use super::layer::LogLayer;
use super::level;
use super::queue::Queue;

/// How the log begins; most of it can be changed later through the handle.
#[derive(Debug)]
pub struct Options {
    /// Stamps the records.
    pub clock: Clock,
    /// What the file takes.
    pub file_level: Level,
    /// What the console takes.
    pub console_level: Level,
    /// `--verbose`: the console takes at least debug.
    pub verbose: bool,
    /// The form of the console lines; none means by what stdout is.
    pub style: Option<ConsoleStyle>,
    /// Only this subsystem and those below it on the console.
    pub only: Option<&'static str>,
}

/// Starts the sinks. The subscriber is for `tracing::subscriber::set_global_default`.
pub fn start(
    options: Options,
    env: &Env,
) -> std::io::Result<(LogHandle, impl Subscriber + Send + Sync + use<>)> {
    let Options { clock, file_level, verbose, style, only, .. } = options;
    let console_level = if verbose { options.console_level.max(Level::Debug) } else { options.console_level };
    let texts = Texts { file: None, style, redactor: Arc::new(Redactor::built_in()) };
    let shared = Arc::new(Shared::new(file_level, console_level, texts));
    let console = Queue::start("log-console", ConsoleSink::new(shared.clone(), env, only))?;
    let file = Queue::start("log-file", FileSink::new(shared.clone(), console.clone(), clock.clone()))?;
    let (filter, filter_handle) = reload::Layer::new(level::filter(file_level.max(console_level)));
    let layer = LogLayer { clock, shared: shared.clone(), file: file.clone(), console: console.clone() };
    let subscriber = Registry::default().with(filter).with(layer);
    Ok((LogHandle { shared, filter: filter_handle, file, console, verbose }, subscriber))
}
