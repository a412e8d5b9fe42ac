//! How long each step of a connection took. It is filled in while connecting, so that a connection that failed tells
//! how far it came.

use std::time::Duration;

use tokio::time::Instant;

/// The steps of a connection; those that were not reached or not needed are absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// From the host's name to its addresses.
    pub resolve: Option<Duration>,
    /// To an open socket.
    pub tcp: Option<Duration>,
    /// To an encrypted one.
    pub tls: Option<Duration>,
    /// To a WebSocket.
    pub upgrade: Option<Duration>,
    /// From there to the gateway's greeting.
    pub hello: Option<Duration>,
}

impl Timing {
    /// Whether somebody accepted the connection.
    #[must_use]
    pub const fn was_accepted(&self) -> bool {
        self.tcp.is_some()
    }

    /// The steps that were taken, by name.
    pub fn steps(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let steps = [
            ("resolve", self.resolve),
            ("tcp", self.tcp),
            ("tls", self.tls),
            ("upgrade", self.upgrade),
            ("hello", self.hello),
        ];
        steps.into_iter().filter_map(|(name, took)| took.map(|took| (name, took)))
    }
}

/// A stopwatch for consecutive steps.
#[derive(Debug)]
pub(super) struct Lap(Instant);

impl Lap {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start or the last call.
    pub(super) fn next(&mut self) -> Duration {
        let took = self.0.elapsed();
        self.0 += took;
        took
    }
}
