//! Time comes in through a parameter, so that tests can move it. Everything that stamps or compares wall-clock
//! time takes a [`Clock`]; deadlines use `tokio::time`, which tests can pause.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// Wall-clock time in milliseconds since the Unix epoch, as the wire carries it.
pub type UnixMs = i64;

/// Where the steady clock begins: when it is first looked at.
static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A source of wall-clock time. Cloning is cheap and clones share the source.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    now: AtomicI64,
    steady: AtomicI64,
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
        Self(Source::Manual(Arc::new(Manual { now: now.into(), steady: now.into() })))
    }

    /// Now, in milliseconds since the epoch. A system clock before 1970 reads as 0.
    #[must_use]
    pub fn now(&self) -> UnixMs {
        match &self.0 {
            Source::System => system_now(),
            Source::Manual(manual) => manual.now.load(Ordering::Relaxed),
        }
    }

    /// Milliseconds on a clock that nobody can set. What waits or ages while the process runs is measured with it, or
    /// a wall clock that jumps would end or prolong it. A manual clock that is set
    /// forward counts as time that passed.
    #[must_use]
    pub fn steady(&self) -> UnixMs {
        match &self.0 {
            Source::System => UnixMs::try_from(STARTED.elapsed().as_millis()).unwrap_or(UnixMs::MAX),
            Source::Manual(manual) => manual.steady.load(Ordering::Relaxed),
        }
    }

    /// Moves a manual clock; does nothing to the system's.
    pub fn set(&self, now: UnixMs) {
        if let Source::Manual(manual) = &self.0 {
            let before = manual.now.swap(now, Ordering::Relaxed);
            manual.steady.fetch_add(now.saturating_sub(before).max(0), Ordering::Relaxed);
        }
    }
}

/// Time since the machine was started, as service managers stamp their events. On Windows the time since 1970,
/// because only unsafe code learns the other: good for comparing two moments that were both asked for here.
#[must_use]
pub fn since_boot() -> Duration {
    #[cfg(unix)]
    {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Duration::try_from(now).unwrap_or_default()
    }
    #[cfg(not(unix))]
    {
        Duration::from_millis(u64::try_from(system_now()).unwrap_or_default())
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
    fn since_boot_is_never_nothing() {
        let first = since_boot();
        assert!(first > Duration::ZERO && since_boot() >= first);
    }

    #[test]
    fn iso_has_three_digits_and_a_z() {
        assert_eq!(iso_utc(1_769_685_937_869), "2026-01-29T11:25:37.869Z");
        assert_eq!(iso_utc(0), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn the_steady_clock_grows() {
        let clock = Clock::system();
        let before = clock.steady();
        while clock.steady() == before {
            std::thread::yield_now();
        }
        assert!(clock.steady() > before);
        let manual = Clock::manual(7);
        manual.set(9);
        manual.set(1);
        manual.set(2);
        assert_eq!(manual.steady(), 10);
    }

    #[test]
    fn manual_clock_moves_for_all_clones() {
        let a = Clock::manual(5);
        let b = a.clone();
        a.set(9);
        assert_eq!(b.now(), 9);
    }
}
