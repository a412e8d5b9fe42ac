//! Time comes in through a parameter, so that tests can move it. Everything that stamps or compares wall-clock
//! time takes a [`Clock`]; deadlines use `tokio::time`, which tests can pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Wall-clock time in milliseconds since the Unix epoch, as the wire carries it.
pub type UnixMs = i64;

/// A source of wall-clock time. Cloning is cheap and clones share the source.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The operating system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `now` until [`Clock::set`] moves it.
    #[must_use]
    pub fn manual(now: UnixMs) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(now))))
    }

    /// Now, in milliseconds since the epoch. A system clock before 1970 reads as 0.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        match &self.0 {
            Source::System => system_now(),
            Source::Manual(now) => now.load(Ordering::Relaxed),
        }
    }

    /// Moves a manual clock; does nothing to the system's.
    pub fn set(&self, now: UnixMs) {
        if let Source::Manual(cell) = &self.0 {
            cell.store(now, Ordering::Relaxed);
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the one place that reads the system clock")]
fn system_now() -> UnixMs {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| UnixMs::try_from(d.as_millis()).unwrap_or(UnixMs::MAX))
}

/// `2026-01-29T11:25:37.869Z`: UTC with milliseconds, the form the logs and the config stamps use.
#[must_use]
pub fn iso_utc(at: UnixMs) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| format!("{t:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_has_three_digits_and_a_z() {
        assert_eq!(iso_utc(1_769_685_937_869), "2026-01-29T11:25:37.869Z");
        assert_eq!(iso_utc(0), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn manual_clock_moves_for_all_clones() {
        let a = Clock::manual(5);
        let b = a.clone();
        a.set(9);
        assert_eq!(b.now(), 9);
    }
}
