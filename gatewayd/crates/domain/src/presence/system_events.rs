//! Short notes that wait for the next turn of a session: a device came, a job ended. At most 20 wait per session, and
//! a note equal to the one before it is not queued.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_base::clock::{Clock, UnixMs};

/// Notes that wait per session.
pub const MAX_QUEUED: usize = 20;
/// Sessions with notes; the one that got its last note longest ago makes room.
const MAX_SESSIONS: usize = 1_000;
/// Bytes of a note that are kept.
const MAX_TEXT: usize = 16 * 1_024;

/// The queues. Clones share them.
#[derive(Clone, Debug)]
pub struct SystemEvents {
    clock: Clock,
    queues: Arc<Mutex<HashMap<String, Queue>>>,
}

#[derive(Debug, Default)]
struct Queue {
    notes: VecDeque<String>,
    last: Option<String>,
    context: Option<String>,
    at: UnixMs,
}

impl SystemEvents {
    /// Queues in which nothing waits.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, queues: Arc::default() }
    }

    /// Queues `text` for `session`. `context` names what it is about; see [`SystemEvents::is_other_context`].
    pub fn push(&self, session: &str, text: &str, context: Option<&str>) {
        let text = text.trim();
        if text.is_empty() || session.is_empty() {
            return;
        }
        let text = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or(text);
        let now = self.clock.steady();
        let mut queues = self.lock();
        if !queues.contains_key(session) && queues.len() >= MAX_SESSIONS {
            let oldest = queues.iter().min_by_key(|(_, queue)| queue.at).map(|(session, _)| session.clone());
            if let Some(oldest) = oldest {
                queues.remove(&oldest);
            }
        }
        let queue = queues.entry(session.to_owned()).or_default();
        queue.at = now;
        queue.context = context.map(str::to_lowercase);
        if queue.last.as_deref() == Some(text) {
            return;
        }
        queue.last = Some(text.to_owned());
        if queue.notes.len() == MAX_QUEUED {
            queue.notes.pop_front();
        }
        queue.notes.push_back(text.to_owned());
    }

    /// Whether the last note of `session` was about something else than `context`.
    #[must_use]
    pub fn is_other_context(&self, session: &str, context: &str) -> bool {
        let queues = self.lock();
        let last = queues.get(session).and_then(|queue| queue.context.as_deref());
        last != Some(context.to_lowercase().as_str())
    }

    /// What waits for `session`.
    #[must_use]
    pub fn waiting(&self, session: &str) -> Vec<String> {
        self.lock().get(session).map(|queue| queue.notes.iter().cloned().collect()).unwrap_or_default()
    }

    /// Takes what waits for `session`.
    #[must_use]
    pub fn take(&self, session: &str) -> Vec<String> {
        self.lock().remove(session).map(|queue| queue.notes.into()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_wait_and_repeats_do_not() {
        let events = SystemEvents::new(Clock::manual(0));
        for n in 0..25 {
            events.push("main", &format!("note {n}"), None);
            events.push("main", &format!(" note {n} "), None);
        }
        events.push("main", "  ", None);
        let waiting = events.waiting("main");
        assert_eq!(waiting.len(), MAX_QUEUED);
        assert_eq!((waiting[0].as_str(), waiting[19].as_str()), ("note 5", "note 24"));
        assert_eq!(events.take("main"), waiting);
        assert!(events.waiting("main").is_empty());
        events.push("main", "note 24", None);
        assert_eq!(events.waiting("main"), ["note 24"], "only a waiting one counts as a repeat");
    }

    #[test]
    fn contexts_are_remembered_per_session() {
        let events = SystemEvents::new(Clock::manual(0));
        assert!(events.is_other_context("main", "a"));
        events.push("main", "x", Some("A"));
        assert!(!events.is_other_context("main", "a"));
        assert!(events.is_other_context("main", "b") && events.is_other_context("other", "a"));
    }

    #[test]
    fn everything_is_bounded() {
        let clock = Clock::manual(0);
        let events = SystemEvents::new(clock.clone());
        for n in 0..MAX_SESSIONS + 10 {
            clock.set(i64::try_from(n).expect("small"));
            events.push(&n.to_string(), &"é".repeat(MAX_TEXT), None);
        }
        assert!(events.waiting("9").is_empty());
        assert_eq!(events.waiting("10")[0].len(), MAX_TEXT);
        assert_eq!(events.lock().len(), MAX_SESSIONS);
    }
}
