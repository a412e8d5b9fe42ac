//! How long methods take: one histogram of plain atomics for each row of the table, so that noting a call is a search
//! among few bounds and two additions. `/metrics` shows each and all together; percentiles are made by whoever
//! compares two readings.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gateway_wire::methods::METHODS;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

/// The upper bounds of the buckets in microseconds: those that `/metrics` shows of all methods together, and those of
/// a single one.
pub const BOUNDS_US: [u64; 29] = [
    10, 20, 40, 50, 100, 160, 200, 500, 640, 1_000, 2_000, 2_560, 5_000, 10_000, 10_240, 20_000, 40_960,
    50_000, 100_000, 163_840, 200_000, 500_000, 655_360, 1_000_000, 2_000_000, 2_621_440, 5_000_000,
    10_000_000, 10_485_760,
];

/// The histograms, in the order of the table. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<[Cells]>);

#[derive(Debug, Default)]
struct Cells {
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_ns: AtomicU64,
}

/// What one histogram held at one moment, or several together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// One for each bound, and one for what is above the last.
    pub counts: [u64; BOUNDS_US.len() + 1],
    /// All durations together, in nanoseconds.
    pub sum_ns: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self(METHODS.iter().map(|_| Cells::default()).collect())
    }
}

impl Metrics {
    /// Makes the histograms readable.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }

    /// Notes one call of the method at `place` in the table.
    pub(crate) fn note(&self, place: usize, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| bound * 1_000 < ns);
        let Some(cells) = self.0.get(place) else { return };
        if let Some(cell) = cells.counts.get(bucket) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
        cells.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// Reads all methods together.
    #[must_use]
    pub fn read(&self) -> Reading {
        self.0.iter().map(Cells::read).fold(Reading::default(), |all, one| Reading {
            counts: std::array::from_fn(|at| all.counts[at] + one.counts[at]),
            sum_ns: all.sum_ns + one.sum_ns,
        })
    }
}

impl Cells {
    fn read(&self) -> Reading {
        let counts = std::array::from_fn(|at| self.counts[at].load(Ordering::Relaxed));
        Reading { counts, sum_ns: self.sum_ns.load(Ordering::Relaxed) }
    }
}

impl Reading {
    /// Writes the buckets of those bounds that are `shown`.
    fn encode(&self, mut encoder: MetricEncoder<'_>, shown: fn(u64) -> bool) -> fmt::Result {
        let (mut buckets, mut waiting) = (Vec::new(), 0);
        for (bound, count) in BOUNDS_US.iter().map(Some).chain([None]).zip(self.counts) {
            waiting += count;
            if bound.is_none_or(|us| shown(*us)) {
                buckets.push((bound.map_or(f64::INFINITY, |us| seconds(*us)), std::mem::take(&mut waiting)));
            }
        }
        let sum = Duration::from_nanos(self.sum_ns).as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, self.counts.iter().sum(), &buckets, None)
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (unit, kind) = (Some(&Unit::Seconds), MetricType::Histogram);
        let mut each =
            encoder.encode_descriptor("gateway_method_duration", "Time a method took.", unit, kind)?;
        for (method, cells) in METHODS.iter().zip(self.0.iter()) {
            cells.read().encode(each.encode_family(&[("method", method.name)])?, is_of_one)?;
        }
        let all =
            encoder.encode_descriptor("gateway_request_duration", "How long requests took.", unit, kind)?;
        self.read().encode(all, is_of_all)
    }
}

/// Whether a bound is shown of a single method: 10 microseconds and powers of four of it.
fn is_of_one(bound: u64) -> bool {
    (bound / 10).is_power_of_two() && (bound / 10).trailing_zeros().is_multiple_of(2)
}

/// Whether a bound is shown of all methods together: 1, 2 and 5 of each power of ten.
fn is_of_all(bound: u64) -> bool {
    bound == 10 || !is_of_one(bound)
}

#[allow(clippy::cast_precision_loss, reason = "the bounds are far below 2^52")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

    use super::*;

    type Each = Family<[(&'static str, &'static str); 1], Histogram, fn() -> Histogram>;

    fn text(register: impl FnOnce(&mut Registry)) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        register(&mut registry);
        encode(&mut text, &registry).expect("is written");
        text
    }

    #[test]
    fn each_duration_is_in_one_bucket() {
        assert!(BOUNDS_US.is_sorted());
        let metrics = Metrics::default();
        for us in [0, 10, 20, 21, 1_000, 10_485_760] {
            metrics.note(0, Duration::from_micros(us));
        }
        metrics.note(1, Duration::from_nanos(10_001));
        metrics.note(2, Duration::from_secs(60));
        metrics.note(METHODS.len(), Duration::ZERO);
        let mut counts = [0; BOUNDS_US.len() + 1];
        (counts[0], counts[1], counts[2], counts[9], counts[28], counts[29]) = (2, 2, 1, 1, 1, 1);
        assert_eq!(metrics.read().counts, counts);
    }

    /// What dashboards were promised: the names, labels and bounds of two histograms of the library.
    #[test]
    fn they_read_like_the_histograms_of_the_library() {
        const OF_ALL: [f64; 19] = [
            0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05,
            0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
        ];
        let each = Each::new_with_constructor(|| Histogram::new(exponential_buckets(0.000_01, 4.0, 11)));
        let (all, metrics) = (Histogram::new(OF_ALL), Metrics::default());
        let place = METHODS.iter().position(|method| method.name == "health").expect("a method");
        for us in [7, 10, 11, 640, 150_000, 10_000_001, 60_000_000] {
            let took = Duration::from_micros(us);
            metrics.note(place, took);
            each.get_or_create(&[("method", "health")]).observe(took.as_secs_f64());
            all.observe(took.as_secs_f64());
        }
        let wanted = text(|registry| {
            registry.register_with_unit("gateway_method_duration", "Time a method took", Unit::Seconds, each);
            registry.register_with_unit(
                "gateway_request_duration",
                "How long requests took",
                Unit::Seconds,
                all,
            );
        });
        let found = text(|registry| metrics.register(registry));
        for line in wanted.lines() {
            assert!(found.lines().any(|found| found == line), "{line} is missing in\n{found}");
        }
        let lines = |name: &str| found.lines().filter(|line| line.starts_with(name)).count();
        assert_eq!(lines("gateway_method_duration_seconds_bucket"), 12 * METHODS.len());
        assert_eq!(lines("gateway_request_duration_seconds_bucket"), 20);
    }
}
