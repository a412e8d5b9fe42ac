//! Between the milliseconds that the rest of the project counts in and the contract's time types, which stock clients
//! print in a form people can read.

use std::time::Duration;

/// `unix_ms`, milliseconds since the Unix epoch, as the contract carries it.
#[must_use]
pub fn timestamp(unix_ms: i64) -> prost_types::Timestamp {
    let nanos = i32::try_from(unix_ms.rem_euclid(1000)).unwrap_or_default() * 1_000_000;
    prost_types::Timestamp { seconds: unix_ms.div_euclid(1000), nanos }
}

/// The way back from [`timestamp`]; what does not fit is cut to the nearest that does.
#[must_use]
pub fn unix_ms(at: &prost_types::Timestamp) -> i64 {
    at.seconds.saturating_mul(1000).saturating_add(i64::from(at.nanos) / 1_000_000)
}

/// `length` as the contract carries it.
#[must_use]
pub fn duration(length: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(length.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(length.subsec_nanos()).unwrap_or_default(),
    }
}

/// The way back from [`duration`]; nothing when it is negative.
#[must_use]
pub fn length(of: &prost_types::Duration) -> Option<Duration> {
    let nanos = u32::try_from(of.nanos).ok()?.min(999_999_999);
    Some(Duration::new(u64::try_from(of.seconds).ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_as_they_were() {
        for ms in [0, 1, 999, 1_769_685_937_869, -1, -1500] {
            let there = timestamp(ms);
            assert!((0..1_000_000_000).contains(&there.nanos));
            assert_eq!(unix_ms(&there), ms);
        }
        let long = Duration::from_millis(90_061_001);
        assert_eq!(length(&duration(long)), Some(long));
    }

    #[test]
    fn nonsense_from_outside_is_cut() {
        assert_eq!(unix_ms(&prost_types::Timestamp { seconds: i64::MAX, nanos: i32::MAX }), i64::MAX);
        assert_eq!(length(&prost_types::Duration { seconds: -1, nanos: 0 }), None);
        assert_eq!(length(&prost_types::Duration { seconds: 0, nanos: -1 }), None);
        let full = length(&prost_types::Duration { seconds: i64::MAX, nanos: i32::MAX });
        assert_eq!(full.map(|full| full.subsec_nanos()), Some(999_999_999));
    }
}
