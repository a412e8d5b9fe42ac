//! What the parts of the daemon hold of its life: the phase it is in, and the way to ask for its end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Where the daemon is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Parts are being built.
    #[default]
    Starting,
    /// Clients are served.
    Serving,
    /// Nothing new begins; what runs may finish.
    Draining,
    /// Parts are being ended.
    Stopping,
    /// Everything has ended.
    Stopped,
}

/// The phase, and during a stop how far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// The step of the stop that is running.
    pub step: Option<&'static str>,
    /// Steps that have ended.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

/// What follows a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Nothing.
    Stop,
    /// The process ends, and its service manager starts it again at once.
    Return,
    /// The same program with the same arguments.
    Restart,
}

/// A request to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is to follow.
    pub goal: Goal,
    /// Why, for the log and the clients.
    pub reason: String,
    /// How long running work may take to finish; none means the ordinary limit.
    pub drain: Option<Duration>,
}

impl Request {
    /// A request without a drain limit of its own.
    pub fn new(goal: Goal, reason: impl Into<String>) -> Self {
        Self { goal, reason: reason.into(), drain: None }
    }
}

/// A handle on the life of the daemon. Clones share it.
#[derive(Clone, Debug)]
pub struct Lifecycle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    progress: watch::Sender<Progress>,
    requested: watch::Sender<Option<Due>>,
    restarts: Mutex<Restarts>,
}

#[derive(Clone, Debug)]
struct Due {
    at: Instant,
    request: Request,
}

/// Who may restart the daemon with a signal.
#[derive(Debug, Default)]
struct Restarts {
    anybody: bool,
    permits: usize,
    permits_end: Option<Instant>,
    /// Until when an end that the service manager asks for is one half of a restart.
    announced_end: Option<Instant>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self(Arc::new(Inner {
            progress: watch::Sender::new(Progress::default()),
            requested: watch::Sender::new(None),
            restarts: Mutex::default(),
        }))
    }
}

impl Lifecycle {
    /// The phase now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.progress.borrow().phase
    }

    /// Follows the phase and the steps of a stop.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.0.progress.subscribe()
    }

    /// Asks for the end after `delay`. The first request counts, except that a stop replaces a restart that has not
    /// begun. Returns whether this one counts.
    pub fn request(&self, delay: Duration, request: Request) -> bool {
        if self.phase() > Phase::Serving {
            return false;
        }
        self.0.requested.send_if_modified(|slot| {
            let counts = match slot {
                None => true,
                Some(due) => due.request.goal == Goal::Restart && request.goal == Goal::Stop,
            };
            if counts {
                *slot = Some(Due { at: Instant::now() + delay, request });
            }
            counts
        })
    }

    /// Resolves with the request that counts, when it is due.
    pub async fn requested(&self) -> Request {
        let mut changes = self.0.requested.subscribe();
        loop {
            let due = changes.borrow_and_update().clone();
            let changed = changes.changed();
            match due {
                Some(due) => tokio::select! {
                    () = tokio::time::sleep_until(due.at) => return due.request,
                    _ = changed => {}
                },
                // The sender lives in self, so there is always a next change to wait for.
                None => drop(changed.await),
            }
        }
    }

    /// Whether anybody may restart the daemon with SIGUSR1 (`commands.restart`).
    pub fn allow_restarts(&self, anybody: bool) {
        self.restarts().anybody = anybody;
    }

    /// Lets one SIGUSR1 restart the daemon within `valid_for`.
    pub fn permit_restart(&self, valid_for: Duration) {
        let now = Instant::now();
        let mut restarts = self.restarts();
        if restarts.permits_end.is_none_or(|end| end < now) {
            restarts.permits = 0;
        }
        restarts.permits += 1;
        restarts.permits_end = restarts.permits_end.max(Some(now + valid_for));
    }

    /// Whether a SIGUSR1 counts now; uses up a permit.
    pub(super) fn takes_restart(&self) -> bool {
        let mut restarts = self.restarts();
        if restarts.anybody {
            return true;
        }
        let valid = restarts.permits > 0 && restarts.permits_end.is_some_and(|end| Instant::now() <= end);
        restarts.permits = if valid { restarts.permits - 1 } else { 0 };
        valid
    }

    /// Takes an end that the service manager asks for within `valid_for` for one half of a restart.
    pub fn announce_restart(&self, valid_for: Duration) {
        self.restarts().announced_end = Some(Instant::now() + valid_for);
    }

    /// What follows an end that the service manager asks for now, as far as it was announced.
    pub(super) fn goal_of_end(&self) -> Goal {
        let is_announced = self.restarts().announced_end.is_some_and(|end| Instant::now() <= end);
        if is_announced { Goal::Return } else { Goal::Stop }
    }

    pub(super) fn advance(&self, progress: Progress) {
        self.0.progress.send_replace(progress);
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.0.progress.send_modify(|progress| progress.phase = phase);
    }

    fn restarts(&self) -> std::sync::MutexGuard<'_, Restarts> {
        self.0.restarts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
