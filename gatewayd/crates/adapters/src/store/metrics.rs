//! What the store counts. The names leave room for the prefix of the registry they are put in.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use gateway_domain::ports::store::Error;

type Label = [(&'static str, &'static str); 1];

/// Counters and histograms of the store. Clones share everything.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Seconds from the begin of a transaction to its commit on disk.
    pub(super) commit_seconds: Histogram,
    /// Writes that one commit carried.
    pub(super) group_size: Histogram,
    writes_waiting: Gauge,
    reads_waiting: Gauge,
    calls: Family<Label, Counter>,
    failures: Family<Label, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            commit_seconds: Histogram::new(exponential_buckets(0.000_1, 2.0, 15)),
            group_size: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            writes_waiting: Gauge::default(),
            reads_waiting: Gauge::default(),
            calls: Family::default(),
            failures: Family::default(),
        }
    }
}

impl Metrics {
    /// Puts everything into `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "store_commit_seconds",
            "Time from the begin of a transaction to its commit on disk",
            self.commit_seconds.clone(),
        );
        registry.register("store_commit_writes", "Writes carried by one commit", self.group_size.clone());
        registry.register(
            "store_writes_waiting",
            "Writes that were asked for and are not on disk yet",
            self.writes_waiting.clone(),
        );
        registry.register(
            "store_reads_waiting",
            "Reads that were asked for and are not answered yet",
            self.reads_waiting.clone(),
        );
        registry.register("store_calls", "Calls to the store by kind", self.calls.clone());
        registry.register("store_failures", "Calls that failed by reason", self.failures.clone());
    }

    /// Counts a write as waiting until the result is dropped.
    pub(super) fn write_waits(&self) -> Waiting {
        Waiting::in_line(&self.writes_waiting)
    }

    /// Counts a read as waiting until the result is dropped.
    pub(super) fn read_waits(&self) -> Waiting {
        Waiting::in_line(&self.reads_waiting)
    }

    pub(super) fn called(&self, kind: &'static str) {
        self.calls.get_or_create(&[("kind", kind)]).inc();
    }

    pub(super) fn failed(&self, error: &Error) {
        let reason = match error {
            Error::Conflict { .. } => "conflict",
            Error::Invalid(_) => "invalid",
            Error::Full => "full",
            Error::ReadOnly => "read_only",
            Error::Failed(_) => "failed",
        };
        self.failures.get_or_create(&[("reason", reason)]).inc();
    }
}

/// A call that waits: for room, in the queue, or for its turn in a transaction.
pub(super) struct Waiting(Gauge);

impl Waiting {
    fn in_line(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}
