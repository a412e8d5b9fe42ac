//! The bus. A payload is serialised once, here, and every listener shares the bytes. Publishing never waits: each
//! listener has a bounded queue. Once a queue is three quarters full, droppable events no longer enter it, so that the
//! rest belongs to those that must arrive; when even that is gone the listener is told that it lost some.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway_wire::events::{self, Droppable, Event as Row};
use gateway_wire::types::common::StateVersion;
use serde::Serialize;
use tokio::sync::mpsc::{self, error::TrySendError};

/// Queue of the listener that serves every client.
pub const HUB_QUEUE: usize = 65_536;

/// One event, ready to be framed.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its row: name, guard, whether it carries versions.
    pub row: &'static Row,
    /// Whether a slow client may miss it.
    pub droppable: bool,
    /// Its payload as JSON.
    pub payload: Bytes,
    /// The versions to stamp on it, for the events that carry them.
    pub state: Option<StateVersion>,
}

/// Where events are published. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Bus(Arc<Mutex<Vec<Listener>>>);

#[derive(Debug)]
struct Listener {
    queue: mpsc::Sender<Event>,
    lost: Arc<AtomicU64>,
}

/// The receiving end of one listener; dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    queue: mpsc::Receiver<Event>,
    lost: Arc<AtomicU64>,
}

/// What a listener receives.
#[derive(Clone, Debug)]
pub enum Received {
    /// An event.
    Event(Event),
    /// That many events did not fit into the queue.
    Lagged(u64),
}

impl Bus {
    /// Publishes `payload` under the event's `name` to everybody who listens now.
    pub fn publish<T: Serialize + ?Sized>(
        &self,
        name: &'static str,
        payload: &T,
        state: Option<StateVersion>,
    ) {
        match serde_json::to_vec(payload) {
            Ok(bytes) => self.publish_json(name, bytes.into(), state),
            Err(error) => tracing::error!(event = name, %error, "an event could not be serialised"),
        }
    }

    /// Publishes an event whose payload is JSON already.
    pub fn publish_json(&self, name: &'static str, payload: Bytes, state: Option<StateVersion>) {
        match events::find(name) {
            Some(row) => {
                self.publish_event(&Event {
                    row,
                    droppable: row.droppable == Droppable::Yes,
                    payload,
                    state,
                });
            }
            None => tracing::error!(event = name, "an event without a row was not sent"),
        }
    }

    /// Publishes an event as it is.
    pub fn publish_event(&self, event: &Event) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.offer(event));
    }

    /// How many events wait in the queue of the listener that is furthest behind.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().map(|l| l.queue.max_capacity() - l.queue.capacity()).max().unwrap_or_default()
    }

    /// Listens from now on, with a queue of `capacity` events.
    #[must_use]
    pub fn subscribe(&self, capacity: usize) -> Subscription {
        let (sender, queue) = mpsc::channel(capacity.max(1));
        let lost = Arc::new(AtomicU64::new(0));
        let listener = Listener { queue: sender, lost: lost.clone() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
        Subscription { queue, lost }
    }
}

impl Listener {
    /// Returns whether somebody still listens.
    fn offer(&self, event: &Event) -> bool {
        let room = self.queue.capacity();
        if event.droppable && room <= self.queue.max_capacity() / 4 {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return !self.queue.is_closed();
        }
        match self.queue.try_send(event.clone()) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                true
            }
        }
    }
}

impl Subscription {
    /// The next event, or `None` when the bus is gone. Cancel safe.
    pub async fn recv(&mut self) -> Option<Received> {
        if let Some(lagged) = self.lagged() {
            return Some(lagged);
        }
        self.queue.recv().await.map(Received::Event)
    }

    /// What is there already, without waiting; a hub takes all of it and then writes once.
    pub fn try_recv(&mut self) -> Option<Received> {
        self.lagged().or_else(|| self.queue.try_recv().ok().map(Received::Event))
    }

    /// How many events wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether no event waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn lagged(&self) -> Option<Received> {
        match self.lost.swap(0, Ordering::Relaxed) {
            0 => None,
            lost => Some(Received::Lagged(lost)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(subscription: &mut Subscription) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(received) = subscription.try_recv() {
            seen.push(match received {
                Received::Event(event) => {
                    format!("{} {}", event.row.name, String::from_utf8_lossy(&event.payload))
                }
                Received::Lagged(lost) => format!("lost {lost}"),
            });
        }
        seen
    }

    #[test]
    fn everybody_shares_the_same_bytes_in_order() {
        let bus = Bus::default();
        let (mut one, mut two) = (bus.subscribe(8), bus.subscribe(8));
        bus.publish("tick", &serde_json::json!({"ts": 1}), None);
        bus.publish("no.such.event", &1, None);
        bus.publish("health", &2, Some(StateVersion { presence: 1, health: 2 }));
        let (Some(Received::Event(a)), Some(Received::Event(b))) = (one.try_recv(), two.try_recv()) else {
            panic!("both receive")
        };
        assert_eq!(a.payload.as_ptr(), b.payload.as_ptr());
        assert!(a.droppable);
        assert_eq!(names(&mut one), ["health 2"]);
        assert_eq!(names(&mut two), ["health 2"]);
        drop(one);
        bus.publish("shutdown", &3, None);
        assert_eq!(names(&mut two), ["shutdown 3"]);
        assert_eq!(bus.0.lock().expect("lock").len(), 1, "who left is forgotten");
    }

    #[test]
    fn a_crowded_queue_keeps_its_last_quarter_for_what_must_arrive() {
        let bus = Bus::default();
        let mut slow = bus.subscribe(8);
        for _ in 0..20 {
            bus.publish("tick", &0, None);
        }
        bus.publish("shutdown", &1, None);
        bus.publish("health", &2, None);
        bus.publish("health", &3, None);
        let seen = names(&mut slow);
        assert_eq!(seen[0], "lost 15");
        assert_eq!(seen[7..], ["shutdown 1", "health 2"]);
        assert_eq!(names(&mut slow), Vec::<String>::new());
    }
}
