//! The two counters of `stateVersion`: they let a client see that its copy of the presence list or of the health
//! summary is old. Both start at 1, and a restart in place keeps them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gateway_wire::types::common::StateVersion;

/// The counters. Clones share them.
#[derive(Clone, Debug)]
pub struct Versions(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    presence: AtomicU64,
    health: AtomicU64,
}

impl Default for Versions {
    fn default() -> Self {
        Self(Arc::new(Counters { presence: AtomicU64::new(1), health: AtomicU64::new(1) }))
    }
}

impl Versions {
    /// Both as they are now.
    #[must_use]
    pub fn current(&self) -> StateVersion {
        StateVersion {
            presence: self.0.presence.load(Ordering::Relaxed),
            health: self.0.health.load(Ordering::Relaxed),
        }
    }

    /// Counts a change of the presence list.
    pub fn bump_presence(&self) -> StateVersion {
        self.0.presence.fetch_add(1, Ordering::Relaxed);
        self.current()
    }

    /// Counts a finished health refresh.
    pub fn bump_health(&self) -> StateVersion {
        self.0.health.fetch_add(1, Ordering::Relaxed);
        self.current()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_start_at_one_and_count_apart() {
        let versions = Versions::default();
        assert_eq!(versions.current(), StateVersion { presence: 1, health: 1 });
        let other = versions.clone();
        other.bump_presence();
        assert_eq!(versions.bump_health(), StateVersion { presence: 2, health: 2 });
    }
}
