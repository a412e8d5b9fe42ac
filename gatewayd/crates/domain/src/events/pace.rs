//! Does a thing that many ask for as often as is useful and no more: at once when it has been quiet, otherwise one
//! interval after the last time. However many ask meanwhile, it is done once.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::time::sleep;

/// Least time between two broadcasts of the same snapshot.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Runs `work` whenever `asked` is notified, for ever.
pub async fn paced(asked: &Notify, mut work: impl FnMut()) {
    loop {
        asked.notified().await;
        // Whoever else asked before this moment is served by this run too.
        let _ = asked.notified().now_or_never();
        work();
        sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_done_twice_first_and_last() {
        let (asked, runs) = (Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
        let burst = async {
            for _ in 0..100 {
                asked.notify_one();
                tokio::task::yield_now().await;
            }
            assert_eq!(runs.load(Ordering::Relaxed), 1, "the first at once");
            tokio::time::sleep(INTERVAL).await;
            tokio::task::yield_now().await;
            assert_eq!(runs.load(Ordering::Relaxed), 2, "the rest together");
            tokio::time::sleep(INTERVAL * 5).await;
            assert_eq!(runs.load(Ordering::Relaxed), 2, "and then nothing");
        };
        let work = || {
            runs.fetch_add(1, Ordering::Relaxed);
        };
        tokio::select! {
            () = paced(&asked, work) => unreachable!("it never ends"),
            () = burst => {}
        }
    }
}
