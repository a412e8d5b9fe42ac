//! The end of the tracing machinery: makes a record of an event and offers it to the sinks that want it.

use std::sync::Arc;

use gateway_base::clock::Clock;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::handle::Shared;
use super::level;
use super::queue::Queue;
use super::record::{self, Record};

pub(super) struct LogLayer {
    pub(super) clock: Clock,
    pub(super) shared: Arc<Shared>,
    pub(super) file: Queue,
    pub(super) console: Queue,
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn register_callsite(&self, meta: &'static Metadata<'static>) -> Interest {
        if record::is_wanted(meta) { Interest::always() } else { Interest::never() }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = level::of(*event.metadata().level());
        let to_file = self.shared.file_level.lets_pass(level);
        let to_console = self.shared.console_level.lets_pass(level);
        if !to_file && !to_console {
            return;
        }
        let record = Arc::new(Record::of_event(event, self.clock.now()));
        if to_console && !record.file_only {
            self.console.offer(record.clone());
        }
        if to_file {
            self.file.offer(record);
        }
    }
}
