//! Who follows a bucket. Only the writer thread publishes, after each commit, so every watcher sees the changes in
//! the order of their revisions.

use std::sync::{Mutex, PoisonError};

use gateway_domain::ports::store::{Bucket, Change, Watch, WatchEvent};
use tokio::sync::mpsc;

/// Changes that may wait for a watcher before it counts as behind.
const BUFFER: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Watchers(Mutex<Vec<Watcher>>);

#[derive(Debug)]
struct Watcher {
    bucket: Bucket,
    prefix: String,
    events: mpsc::Sender<WatchEvent>,
}

impl Watchers {
    /// Follows the keys of `bucket` that start with `prefix`.
    pub(super) fn add(&self, bucket: Bucket, prefix: &str) -> Watch {
        let (events, watch) = mpsc::channel(BUFFER + 1);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|w| !w.events.is_closed());
        all.push(Watcher { bucket, prefix: prefix.to_owned(), events });
        watch
    }

    /// Tells everybody concerned of `change`.
    pub(super) fn publish(&self, bucket: Bucket, change: &Change) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|w| !w.events.is_closed());
        all.iter()
            .filter(|w| w.bucket == bucket && change.key.starts_with(&w.prefix))
            .for_each(|w| w.tell(change));
    }

    /// Ends all watches.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Watcher {
    /// The last free place is kept for `Lagged`. So when nothing fits, `Lagged` is the last event that waits, and the
    /// watcher will list again after the change that is dropped here.
    fn tell(&self, change: &Change) {
        let event = match self.events.capacity() {
            0 => return,
            1 => WatchEvent::Lagged,
            _ => WatchEvent::Changed(change.clone()),
        };
        // It fails only when the watcher has just gone away, and then nobody misses the event.
        let _ = self.events.try_send(event);
    }
}
