//! Numbers as they fit into a column.

use std::time::Duration;

const KILO: f64 = 1_000.0;

/// A count or a rate with at most five characters: `0`, `0.4`, `37`, `1.2k`, `45M`.
#[must_use]
pub fn number(value: f64) -> String {
    let (value, unit) = scaled(value, &["", "k", "M", "G", "T", "P"]);
    if value == 0.0 || value >= 9.95 || (unit.is_empty() && value.fract() == 0.0) {
        format!("{value:.0}{unit}")
    } else {
        format!("{value:.1}{unit}")
    }
}

/// A number of bytes: `0 B`, `1.5 kB`, `14 MB`.
#[must_use]
pub fn bytes(value: f64) -> String {
    let (value, unit) = scaled(value, &["B", "kB", "MB", "GB", "TB", "PB"]);
    if unit == "B" || value >= 9.95 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// A duration in microseconds: `80 µs`, `1.2 ms`, `3.0 s`.
#[must_use]
pub fn micros(value: f64) -> String {
    let (value, unit) = match value {
        v if v < KILO => (v, "µs"),
        v if v < KILO * KILO => (v / KILO, "ms"),
        v => (v / KILO / KILO, "s"),
    };
    if unit == "µs" || value >= 9.95 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// How long something runs: `45 s`, `3 min`, `2 h 5 min`, `12 d 3 h`.
#[must_use]
pub fn length(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min"),
        3_600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

fn scaled<'a>(mut value: f64, units: &[&'a str]) -> (f64, &'a str) {
    let mut left = units.iter();
    let mut unit = left.next().copied().unwrap_or_default();
    // What is rounded to 1000 belongs to the next unit.
    while value >= 999.5 {
        let Some(next) = left.next() else { break };
        value /= KILO;
        unit = next;
    }
    (value, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let numbers = [0.0, 0.04, 0.4, 3.0, 37.0, 999.4, 999.6, 1_234.0, 45_000_000.0, 1e18].map(number);
        assert_eq!(numbers, ["0", "0.0", "0.4", "3", "37", "999", "1.0k", "1.2k", "45M", "1000P"]);
        assert_eq!([0.0, 999.0, 1_500.0, 14_200_000.0].map(bytes), ["0 B", "999 B", "1.5 kB", "14 MB"]);
        assert_eq!([80.0, 1_200.0, 45_000.0, 3_000_000.0].map(micros), ["80 µs", "1.2 ms", "45 ms", "3.0 s"]);
        let lengths = [45, 200, 7_500, 1_050_000].map(|seconds| length(Duration::from_secs(seconds)));
        assert_eq!(lengths, ["45 s", "3 min", "2 h 5 min", "12 d 3 h"]);
    }
}
