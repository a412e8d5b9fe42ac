//! How long requests took, as a histogram of plain atomics: noting one is a search among few bounds and two additions.
//! Percentiles are made by whoever reads it, from the difference of two readings.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// The upper bounds of the buckets in microseconds: 1, 2 and 5 of each power of ten.
pub const BOUNDS_US: [u64; 19] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 2_000_000, 5_000_000, 10_000_000,
];

/// The histogram. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Latency(Arc<Cells>);

#[derive(Debug, Default)]
struct Cells {
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// What it held at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// One for each bound, and one for what is above the last.
    pub counts: [u64; BOUNDS_US.len() + 1],
    /// All durations together.
    pub sum_us: u64,
}

impl Latency {
    /// Notes one request.
    pub fn note(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        if let Some(cell) = self.0.counts.get(bucket) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
        self.0.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Reads it.
    #[must_use]
    pub fn read(&self) -> Reading {
        let counts = std::array::from_fn(|at| self.0.counts[at].load(Ordering::Relaxed));
        Reading { counts, sum_us: self.0.sum_us.load(Ordering::Relaxed) }
    }
}

impl Collector for Latency {
    #[allow(clippy::cast_precision_loss, reason = "seconds are told as a floating point number")]
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let reading = self.read();
        let bounds = BOUNDS_US.iter().map(|us| *us as f64 / 1e6).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(reading.counts).collect();
        let (sum, count) = (reading.sum_us as f64 / 1e6, reading.counts.iter().sum());
        encoder
            .encode_descriptor(
                "gateway_request_duration",
                "How long requests took.",
                Some(&Unit::Seconds),
                MetricType::Histogram,
            )?
            .encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn each_duration_is_in_one_bucket() {
        let latency = Latency::default();
        for us in [0, 10, 11, 20, 1_000, 1_001, 10_000_000, 10_000_001] {
            latency.note(Duration::from_micros(us));
        }
        latency.note(Duration::MAX);
        let reading = latency.read();
        assert_eq!(reading.counts.iter().sum::<u64>(), 9);
        assert_eq!((reading.counts[0], reading.counts[1]), (2, 2));
        assert_eq!((reading.counts[6], reading.counts[7]), (1, 1));
        assert_eq!(reading.counts[18..], [1, 2]);
    }

    #[test]
    fn it_is_a_histogram_for_prometheus() {
        let (latency, mut registry, mut text) = (Latency::default(), Registry::default(), String::new());
        latency.note(Duration::from_micros(1_500));
        latency.note(Duration::from_secs(60));
        registry.register_collector(Box::new(latency));
        encode(&mut text, &registry).expect("is written");
        for line in [
            "# TYPE gateway_request_duration_seconds histogram",
            "gateway_request_duration_seconds_sum 60.0015",
            "gateway_request_duration_seconds_count 2",
            "gateway_request_duration_seconds_bucket{le=\"0.001\"} 0",
            "gateway_request_duration_seconds_bucket{le=\"0.002\"} 1",
            "gateway_request_duration_seconds_bucket{le=\"+Inf\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }
}
