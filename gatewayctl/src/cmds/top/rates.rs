//! What lies between two snapshots: totals become rates, and a histogram becomes percentiles.

use std::time::Duration;

use gateway_admin::time;
use gateway_admin::v1::{Latencies, MetricsResponse};
use serde::Serialize;

/// What happened each second between two snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rates {
    /// Requests answered.
    pub requests: f64,
    /// Events published.
    pub events: f64,
    /// Bytes received from clients.
    pub bytes_in: f64,
    /// Bytes sent to clients.
    pub bytes_out: f64,
    /// Connections accepted.
    pub connections: f64,
    /// Processors kept busy, 1 for one of them.
    pub cpu: Option<f64>,
    /// How long requests took.
    pub latency: Percentiles,
}

/// How long requests took, in microseconds; nothing when there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half of them took no longer.
    #[serde(rename = "p50Us")]
    pub p50: Option<f64>,
    /// Nine of ten took no longer.
    #[serde(rename = "p90Us")]
    pub p90: Option<f64>,
    /// 99 of 100 took no longer.
    #[serde(rename = "p99Us")]
    pub p99: Option<f64>,
}

/// How long a snapshot's daemon had run.
#[must_use]
pub fn uptime(of: &MetricsResponse) -> Duration {
    let uptime = of.process.as_ref().and_then(|process| process.uptime.as_ref());
    uptime.and_then(time::length).unwrap_or_default()
}

/// What happened between two snapshots of the same daemon; nothing when they are not that.
#[must_use]
pub fn between(before: &MetricsResponse, now: &MetricsResponse) -> Option<Rates> {
    let pid = |of: &MetricsResponse| of.process.as_ref().map(|process| process.pid);
    let passed = uptime(now).checked_sub(uptime(before)).filter(|passed| !passed.is_zero())?;
    if pid(before) != pid(now) {
        return None;
    }
    let (old, new) = (before.counters.unwrap_or_default(), now.counters.unwrap_or_default());
    let seconds = passed.as_secs_f64();
    let rate = |old: u64, new: u64| float(new.saturating_sub(old)) / seconds;
    Some(Rates {
        requests: rate(old.requests, new.requests),
        events: rate(old.events, new.events),
        bytes_in: rate(old.bytes_in, new.bytes_in),
        bytes_out: rate(old.bytes_out, new.bytes_out),
        connections: rate(old.connections, new.connections),
        cpu: cpu(now).zip(cpu(before)).map(|(new, old)| new.saturating_sub(old).as_secs_f64() / seconds),
        latency: percentiles(before.requests.as_ref(), now.requests.as_ref()),
    })
}

fn cpu(of: &MetricsResponse) -> Option<Duration> {
    of.process.as_ref()?.cpu_time.as_ref().and_then(time::length)
}

fn percentiles(before: Option<&Latencies>, now: Option<&Latencies>) -> Percentiles {
    let Some(now) = now else { return Percentiles::default() };
    let old = |at: usize| before.and_then(|before| before.counts.get(at)).copied().unwrap_or_default();
    let new: Vec<u64> =
        now.counts.iter().enumerate().map(|(at, count)| count.saturating_sub(old(at))).collect();
    let at = |share| percentile(&now.bounds_us, &new, share);
    Percentiles { p50: at(0.5), p90: at(0.9), p99: at(0.99) }
}

/// The duration below which `share` of all lie, spread evenly over its bucket. What is above the last bound counts as
/// that bound, because nothing more is known of it.
fn percentile(bounds: &[u64], counts: &[u64], share: f64) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    let wanted = share * float(total);
    let mut below = 0.0;
    for (at, count) in counts.iter().enumerate() {
        let count = float(*count);
        if count > 0.0 && below + count >= wanted {
            let last = || bounds.last().copied().map(float);
            let upper = bounds.get(at).copied().map(float).or_else(last)?;
            let lower = at.checked_sub(1).and_then(|at| bounds.get(at)).copied().map_or(0.0, float);
            return Some(lower + (upper - lower) * ((wanted - below) / count).clamp(0.0, 1.0));
        }
        below += count;
    }
    None
}

#[allow(clippy::cast_precision_loss, reason = "a total that large is shown with three digits")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use gateway_admin::v1::{Counters, Process};

    use super::*;

    fn snapshot(pid: u32, ms: u64, requests: u64, counts: &[u64]) -> MetricsResponse {
        let time = |ms| Some(time::duration(Duration::from_millis(ms)));
        MetricsResponse {
            process: Some(Process { pid, uptime: time(ms), cpu_time: time(ms / 4), ..Process::default() }),
            counters: Some(Counters { requests, bytes_in: requests * 100, ..Counters::default() }),
            requests: Some(Latencies { bounds_us: vec![100, 200, 500], counts: counts.to_vec(), sum_us: 0 }),
            ..MetricsResponse::default()
        }
    }

    #[test]
    fn rates_are_differences_over_the_daemons_own_time() {
        let (before, now) =
            (snapshot(1, 1_000, 50, &[50, 0, 0, 0]), snapshot(1, 3_000, 150, &[100, 40, 0, 10]));
        let rates = between(&before, &now).expect("the same daemon");
        assert!((rates.requests - 50.0).abs() < 1e-9 && (rates.bytes_in - 5_000.0).abs() < 1e-6);
        assert!(rates.cpu.is_some_and(|cpu| (cpu - 0.25).abs() < 1e-9));
        let Percentiles { p50, p90, p99 } = rates.latency;
        assert_eq!((p50, p90), (Some(100.0), Some(200.0)));
        assert_eq!(p99, Some(500.0), "above the last bound nothing more is known");
    }

    #[test]
    fn another_daemon_has_no_rates_yet() {
        let old = snapshot(1, 9_000, 50, &[1, 0, 0, 0]);
        for now in [
            snapshot(2, 10_000, 60, &[1, 0, 0, 0]),
            snapshot(1, 100, 0, &[0; 4]),
            snapshot(1, 9_000, 51, &[1; 4]),
        ] {
            assert_eq!(between(&old, &now), None);
        }
    }

    #[test]
    fn percentiles_are_spread_over_their_bucket() {
        let bounds = [100, 200];
        assert_eq!(percentile(&bounds, &[0, 0, 0], 0.5), None);
        assert_eq!(percentile(&bounds, &[10, 0, 0], 0.5), Some(50.0));
        assert_eq!(percentile(&bounds, &[0, 10, 0], 0.5), Some(150.0));
        assert_eq!(percentile(&[], &[3], 0.5), None);
        assert_eq!(percentile(&bounds, &[], 0.5), None);
    }
}
