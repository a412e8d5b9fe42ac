//! Medians and percentiles. Every short measurement is repeated and its median taken, because the machine is
//! shared with other work and a mean would carry its outliers.

use std::time::Duration;

/// The middle of `values`, or the mean of the two in the middle; `None` when there are none.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// Latencies in microseconds, kept whole so that any percentile can be asked for.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<u32>);

impl Latencies {
    /// Adds one.
    pub fn push(&mut self, latency: Duration) {
        self.0.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// How many were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The smallest latency that `share` of all do not exceed, in milliseconds; 0 when there are none.
    pub fn percentile_ms(&mut self, share: f64) -> f64 {
        if self.0.is_empty() {
            return 0.0;
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank"
        )]
        let rank = ((share * self.0.len() as f64).ceil() as usize).clamp(1, self.0.len());
        let (_, value, _) = self.0.select_nth_unstable(rank - 1);
        f64::from(*value) / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0]), Some(3.0));
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let mut all = Latencies::default();
        assert!(all.is_empty());
        for ms in (1..=100).rev() {
            all.push(Duration::from_millis(ms));
        }
        assert_eq!(all.len(), 100);
        assert_eq!([0.0, 0.5, 0.99, 1.0].map(|share| all.percentile_ms(share)), [1.0, 50.0, 99.0, 100.0]);
        assert_eq!(Latencies::default().percentile_ms(0.99), 0.0);
    }

    #[test]
    fn one_outlier_in_a_hundred_is_not_the_p99() {
        let mut all = Latencies::default();
        (0..99).for_each(|_| all.push(Duration::from_millis(1)));
        all.push(Duration::from_secs(5));
        assert_eq!(all.percentile_ms(0.99), 1.0);
    }
}
