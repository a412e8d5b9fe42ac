//! The budget of sockets that have not said who they are. When it is used up, the oldest of them makes room: an
//! honest client is done within milliseconds, so a flood throws out itself. One address has a smaller budget of its
//! own, so that it cannot use up everybody's (rule R21, GHSA-jv4g).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How many sockets may be undecided at once.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// In all.
    pub total: usize,
    /// From one address; IPv6 counts by /64.
    pub per_peer: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { total: 2048, per_peer: 512 }
    }
}

/// Counts the undecided sockets. Clones share the count.
#[derive(Clone)]
pub struct PreAuth {
    budget: Budget,
    shared: Arc<Mutex<Waiting>>,
    gone: Arc<Notify>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    by_peer: HashMap<IpAddr, VecDeque<(u64, CancellationToken)>>,
    order: VecDeque<(u64, IpAddr)>,
    count: usize,
}

/// A place in the budget; dropping it gives the place back.
pub struct Ticket {
    id: u64,
    peer: IpAddr,
    /// Cancelled when the place is taken away.
    pub evicted: CancellationToken,
    shared: Arc<Mutex<Waiting>>,
    gone: Arc<Notify>,
}

impl PreAuth {
    /// An empty budget.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self { budget, shared: Arc::default(), gone: Arc::default() }
    }

    /// Takes a place for a socket from `peer`, evicting the oldest when there is none.
    #[must_use]
    pub fn enter(&self, peer: IpAddr) -> Ticket {
        let peer = group(peer);
        let mut waiting = lock(&self.shared);
        if waiting.by_peer.get(&peer).is_some_and(|q| q.len() >= self.budget.per_peer) {
            waiting.evict_oldest_of(peer);
        } else if waiting.count >= self.budget.total {
            waiting.evict_oldest();
        }
        let id = waiting.next;
        waiting.next += 1;
        let evicted = CancellationToken::new();
        waiting.by_peer.entry(peer).or_default().push_back((id, evicted.clone()));
        waiting.order.push_back((id, peer));
        waiting.count += 1;
        Ticket { id, peer, evicted, shared: self.shared.clone(), gone: self.gone.clone() }
    }

    /// Resolves when a place was given back since the last time, or at once when that happened already.
    pub async fn fewer(&self) {
        self.gone.notified().await;
    }

    /// How many sockets are undecided.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.shared).count
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.shared).remove(self.peer, self.id);
        self.gone.notify_one();
    }
}

impl Waiting {
    fn evict_oldest_of(&mut self, peer: IpAddr) {
        let oldest = self.by_peer.get(&peer).and_then(|q| q.front()).cloned();
        if let Some((id, token)) = oldest {
            token.cancel();
            self.remove(peer, id);
        }
    }

    fn evict_oldest(&mut self) {
        while let Some((id, peer)) = self.order.pop_front() {
            let found = self.by_peer.get(&peer).and_then(|q| q.iter().find(|(i, _)| *i == id)).cloned();
            if let Some((_, token)) = found {
                token.cancel();
                self.remove(peer, id);
                return;
            }
        }
    }

    fn remove(&mut self, peer: IpAddr, id: u64) {
        let Some(queue) = self.by_peer.get_mut(&peer) else { return };
        let before = queue.len();
        queue.retain(|(i, _)| *i != id);
        self.count -= before - queue.len();
        if queue.is_empty() {
            self.by_peer.remove(&peer);
        }
        // Places that were given back leave their entry in `order`; it is cleared when mostly stale.
        if self.order.len() > 64 && self.order.len() > self.count * 4 {
            let by_peer = &self.by_peer;
            self.order.retain(|(i, p)| by_peer.get(p).is_some_and(|q| q.iter().any(|(j, _)| j == i)));
        }
    }
}

/// The address that shares a budget: itself, or its /64 for IPv6.
fn group(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

fn lock(shared: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_oldest_of_the_same_peer_makes_room() {
        let budget = PreAuth::new(Budget { total: 10, per_peer: 2 });
        let other = budget.enter(ip("10.0.0.2"));
        let first = budget.enter(ip("10.0.0.1"));
        let second = budget.enter(ip("10.0.0.1"));
        let third = budget.enter(ip("::ffff:10.0.0.1"));
        assert!(first.evicted.is_cancelled());
        assert!(
            !other.evicted.is_cancelled() && !second.evicted.is_cancelled() && !third.evicted.is_cancelled()
        );
        assert_eq!(budget.len(), 3);
        drop((first, second, third, other));
        assert!(budget.is_empty());
    }

    #[test]
    fn the_oldest_of_all_makes_room_when_the_total_is_reached() {
        let budget = PreAuth::new(Budget { total: 3, per_peer: 3 });
        let gone = budget.enter(ip("10.0.0.9"));
        drop(gone);
        let tickets: Vec<_> = (1..=4).map(|n| budget.enter(ip(&format!("10.0.0.{n}")))).collect();
        let evicted: Vec<_> = tickets.iter().map(|t| t.evicted.is_cancelled()).collect();
        assert_eq!(evicted, [true, false, false, false]);
        assert_eq!(budget.len(), 3);
    }

    #[test]
    fn a_slash_64_is_one_peer() {
        let budget = PreAuth::new(Budget { total: 10, per_peer: 1 });
        let first = budget.enter(ip("2001:db8::1"));
        let _second = budget.enter(ip("2001:db8::2"));
        assert!(first.evicted.is_cancelled());
    }
}
