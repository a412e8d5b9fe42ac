//! The health of the daemon, part by part. The parts write to one [`Board`]; the admin `Health` call, the standard gRPC
//! health service and the HTTP probes all read it, so they cannot contradict one another.

use std::sync::Arc;

use gateway_admin::{time, v1};
use gateway_base::clock::{Clock, UnixMs};
use tokio::sync::watch;

pub use gateway_admin::v1::{PartState as State, Phase};

/// A part whose health is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The configuration: degraded while the daemon runs on something other than the file.
    Config,
    /// The control plane's listeners.
    Listener,
    /// The embedded store.
    Store,
    /// The log file.
    Log,
    /// The chat channels.
    Channels,
    /// The timers.
    Cron,
    /// The device nodes.
    Nodes,
    /// The agents' memory.
    Memory,
    /// The publication through Tailscale; shown only where it is asked for.
    Tailscale,
}

impl Part {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 9] = [
        Self::Config,
        Self::Listener,
        Self::Store,
        Self::Log,
        Self::Channels,
        Self::Cron,
        Self::Nodes,
        Self::Memory,
        Self::Tailscale,
    ];

    /// Its name, which is also its service name for health checks.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Listener => "listener",
            Self::Store => "store",
            Self::Log => "log",
            Self::Channels => "channels",
            Self::Cron => "cron",
            Self::Nodes => "nodes",
            Self::Memory => "memory",
            Self::Tailscale => "tailscale",
        }
    }

    /// Whether nobody can be served without it.
    const fn vital(self) -> bool {
        matches!(self, Self::Listener | Self::Store)
    }
}

/// How one part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartHealth {
    /// Its state.
    pub state: State,
    /// Why; empty when there is nothing to say.
    pub reason: String,
    /// Since when it has been in this state.
    pub since: UnixMs,
}

/// The health of everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where the daemon is in its life.
    pub phase: Phase,
    parts: [PartHealth; Part::ALL.len()],
}

impl Snapshot {
    /// How `part` is.
    #[must_use]
    pub fn part(&self, part: Part) -> &PartHealth {
        &self.parts[part as usize]
    }

    /// The parts that this gateway has.
    fn shown(&self) -> impl Iterator<Item = (Part, &PartHealth)> {
        let all = Part::ALL.into_iter().map(|part| (part, self.part(part)));
        all.filter(|(_, health)| health.state != State::Unspecified)
    }

    /// The verdict on the whole: a part that is vital decides, any other can only degrade.
    #[must_use]
    pub fn overall(&self) -> State {
        match self.phase {
            Phase::Unspecified | Phase::Starting => return State::Starting,
            Phase::Draining | Phase::Stopping => return State::Stopping,
            Phase::Serving => {}
        }
        let vital = Part::ALL.iter().filter(|part| part.vital()).map(|part| self.part(*part).state);
        let broken = vital.clone().find(|state| !works(*state));
        let dented = |part: &PartHealth| matches!(part.state, State::Degraded | State::Failed);
        broken.unwrap_or(if self.parts.iter().any(dented) { State::Degraded } else { State::Serving })
    }

    /// Whether clients can be served now: readiness.
    #[must_use]
    pub fn ready(&self) -> bool {
        works(self.overall())
    }

    /// Whether the start is over: the start-up probe.
    #[must_use]
    pub fn started(&self) -> bool {
        !matches!(self.phase, Phase::Unspecified | Phase::Starting)
    }

    /// The answer of the admin `Health` call.
    #[must_use]
    pub fn to_proto(&self) -> v1::HealthResponse {
        let part = |(part, health): (Part, &PartHealth)| v1::PartHealth {
            name: part.name().to_owned(),
            state: health.state.into(),
            reason: health.reason.clone(),
            since: Some(time::timestamp(health.since)),
        };
        let parts = self.shown().map(part).collect();
        v1::HealthResponse { state: self.overall().into(), phase: self.phase.into(), parts }
    }

    /// Every service name of the standard health check with whether it is serving. From the first moment of a stop
    /// none is but `liveness` and `startup`.
    pub(super) fn services(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let stopping = matches!(self.phase, Phase::Draining | Phase::Stopping);
        let parts = self.shown().map(move |(part, health)| (part.name(), !stopping && works(health.state)));
        let whole = [
            ("", self.ready()),
            ("readiness", self.ready()),
            ("startup", self.started()),
            ("liveness", true),
            ("gateway.admin.v1.Admin", !stopping),
        ];
        whole.into_iter().chain(parts)
    }
}

/// Where the parts write how they are. Clones share it.
#[derive(Clone, Debug)]
pub struct Board {
    state: Arc<watch::Sender<Snapshot>>,
    clock: Clock,
}

impl Board {
    /// A board on which everything is starting that every gateway has.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let starting = PartHealth { state: State::Starting, reason: String::new(), since: clock.now() };
        let absent = PartHealth { state: State::Unspecified, ..starting.clone() };
        let parts =
            Part::ALL.map(|part| if part == Part::Tailscale { absent.clone() } else { starting.clone() });
        Self { state: Arc::new(watch::Sender::new(Snapshot { phase: Phase::Starting, parts })), clock }
    }

    /// Writes down how `part` is.
    pub fn set(&self, part: Part, state: State, reason: impl Into<String>) {
        let (reason, now) = (reason.into(), self.clock.now());
        self.state.send_if_modified(|board| {
            let slot = &mut board.parts[part as usize];
            let since = if slot.state == state { slot.since } else { now };
            let new = PartHealth { state, reason, since };
            let changed = *slot != new;
            *slot = new;
            changed
        });
    }

    /// Moves on to `phase`. There is no way back: a stop that has begun stays begun.
    pub fn enter(&self, phase: Phase) {
        self.state.send_if_modified(|board| {
            let forward = (phase as i32) > (board.phase as i32);
            if forward {
                board.phase = phase;
            }
            forward
        });
    }

    /// How everything is now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.state.borrow().clone()
    }

    /// Follows the changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Snapshot> {
        self.state.subscribe()
    }
}

const fn works(state: State) -> bool {
    matches!(state, State::Serving | State::Degraded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving() -> Board {
        let board = Board::new(Clock::manual(1000));
        for part in Part::ALL {
            board.set(part, State::Serving, "");
        }
        board.enter(Phase::Serving);
        board
    }

    #[test]
    fn parts_keep_their_place() {
        for (index, part) in Part::ALL.into_iter().enumerate() {
            assert_eq!(part as usize, index, "{}", part.name());
        }
    }

    #[test]
    fn a_vital_part_decides_and_others_degrade() {
        let board = serving();
        assert_eq!(board.snapshot().overall(), State::Serving);
        board.set(Part::Cron, State::Disabled, "not part of this program");
        assert_eq!(board.snapshot().overall(), State::Serving);
        board.set(Part::Channels, State::Failed, "no network");
        assert_eq!((board.snapshot().overall(), board.snapshot().ready()), (State::Degraded, true));
        board.set(Part::Store, State::Failed, "disk is full");
        assert_eq!((board.snapshot().overall(), board.snapshot().ready()), (State::Failed, false));
    }

    #[test]
    fn a_part_that_was_not_asked_for_is_not_shown() {
        let board = Board::new(Clock::manual(1));
        let shown = || board.snapshot().to_proto().parts.iter().any(|part| part.name == "tailscale");
        let service = || board.snapshot().services().any(|(name, _)| name == "tailscale");
        assert_eq!((shown(), service()), (false, false));
        board.set(Part::Tailscale, State::Failed, "not logged in");
        assert_eq!((shown(), service()), (true, true));
    }

    #[test]
    fn a_stop_cannot_be_taken_back() {
        let board = serving();
        board.enter(Phase::Draining);
        board.enter(Phase::Serving);
        assert_eq!(board.snapshot().overall(), State::Stopping);
        let up: Vec<_> = board.snapshot().services().filter(|(_, up)| *up).map(|(name, _)| name).collect();
        assert_eq!(up, ["startup", "liveness"]);
    }

    #[test]
    fn since_moves_with_the_state_and_not_with_the_reason() {
        let clock = Clock::manual(1);
        let board = Board::new(clock.clone());
        board.set(Part::Store, State::Degraded, "slow");
        clock.set(2);
        board.set(Part::Store, State::Degraded, "slower");
        assert_eq!(board.snapshot().part(Part::Store).since, 1);
        board.set(Part::Store, State::Serving, "");
        assert_eq!(board.snapshot().part(Part::Store).since, 2);
    }

    #[test]
    fn saying_the_same_again_wakes_nobody() {
        let board = serving();
        let mut changes = board.subscribe();
        changes.mark_unchanged();
        board.set(Part::Store, State::Serving, "");
        board.enter(Phase::Serving);
        assert!(!changes.has_changed().expect("the board is there"));
    }
}
