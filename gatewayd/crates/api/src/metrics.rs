//! How long methods take, by name.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Method {
    method: &'static str,
}

/// The histograms. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    latency: Family<Method, Histogram, fn() -> Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        // 10 microseconds to 10 seconds.
        Self {
            latency: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.000_01, 4.0, 11))),
        }
    }
}

impl Metrics {
    /// Makes the histograms readable.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "gateway_method_duration",
            "Time a method took",
            Unit::Seconds,
            self.latency.clone(),
        );
    }

    /// The histogram of one method.
    pub(crate) fn of(&self, method: &'static str) -> Histogram {
        self.latency.get_or_create(&Method { method }).clone()
    }
}
