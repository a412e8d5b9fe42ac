//! The supervised spawner. Every task of the daemon is spawned here with a kind that says what its end means:
//! start it again after a pause, log it, or stop the daemon (style 5, habit 19). Stopping cancels the token every
//! task was given and waits for them.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the end of a task means for the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The daemon cannot run without it: an error or a panic stops the daemon with exit code 1.
    Essential,
    /// It serves one client or one request: a panic is logged and nothing else happens.
    Request,
}

/// Why the daemon must stop, when a task of kind [`Kind::Essential`] failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Name of the task.
    pub task: &'static str,
    /// What went wrong, with its causes.
    pub reason: String,
}

/// Spawns tasks and ends them together. Clones share everything.
#[derive(Clone, Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    failed: Arc<watch::Sender<Option<Failure>>>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            failed: Arc::new(watch::Sender::new(None)),
        }
    }
}

impl Tasks {
    /// A token that is cancelled when the daemon stops.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs `future` to its end. It should end soon after [`Tasks::stopping`] is cancelled.
    pub fn spawn<F>(&self, name: &'static str, kind: Kind, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let failed = self.failed.clone();
        self.spawn_raw(guard(future).map(move |end| {
            if let Err(reason) = end {
                report(name, kind, reason, &failed);
            }
        }));
    }

    /// Runs `future`; an error it returns counts like a panic.
    pub fn spawn_fallible<F, E>(&self, name: &'static str, kind: Kind, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: std::error::Error + Send + 'static,
    {
        let failed = self.failed.clone();
        self.spawn_raw(guard(future).map(move |end| {
            let reason = match end {
                Ok(Ok(())) => return,
                Ok(Err(error)) => crate::error_chain::Chain(&error).to_string(),
                Err(reason) => reason,
            };
            report(name, kind, reason, &failed);
        }));
    }

    /// Runs what `make` builds and builds it again after it failed, with a pause that doubles from one second to a
    /// minute; a run of a minute resets the pause. A normal return ends it.
    pub fn spawn_restarting<M, F>(&self, name: &'static str, mut make: M)
    where
        M: FnMut() -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.spawn_raw(async move {
            let mut pause = Duration::from_secs(1);
            loop {
                let began = tokio::time::Instant::now();
                let Err(reason) = guard(make()).await else { return };
                if began.elapsed() > Duration::from_secs(60) {
                    pause = Duration::from_secs(1);
                }
                tracing::error!(
                    task = name,
                    reason,
                    pause_s = pause.as_secs(),
                    "task failed; starting it again"
                );
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(60)),
                }
            }
        });
    }

    /// Resolves with the first failure of an essential task.
    pub async fn failed(&self) -> Failure {
        let mut seen = self.failed.subscribe();
        loop {
            if let Some(failure) = seen.borrow_and_update().clone() {
                return failure;
            }
            if seen.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Asks every task to end and waits up to `limit`. Returns how many were left running.
    pub async fn stop(&self, limit: Duration) -> usize {
        self.stop.cancel();
        self.tracker.close();
        let _ = tokio::time::timeout(limit, self.tracker.wait()).await;
        self.tracker.len()
    }

    #[allow(clippy::disallowed_methods, reason = "this is the supervised spawner itself")]
    fn spawn_raw(&self, future: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.tracker.track_future(future));
    }
}

/// Ends with the text of a panic. Adapters, here and where it is spawned, because an `async` block keeps room for what
/// it was given beside what it awaits: two of them made the task of an idle client three times as large as its content.
fn guard<F: Future>(future: F) -> impl Future<Output = Result<F::Output, String>> {
    AssertUnwindSafe(future).catch_unwind().map(|end| end.map_err(|panic| panic_text(panic.as_ref())))
}

/// The text of a caught panic.
#[must_use]
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.as_deref().unwrap_or("no message"))
}

fn report(name: &'static str, kind: Kind, reason: String, failed: &watch::Sender<Option<Failure>>) {
    match kind {
        Kind::Request => tracing::error!(task = name, reason, "task failed"),
        Kind::Essential => {
            tracing::error!(task = name, reason, "essential task failed; stopping");
            failed.send_if_modified(|slot| {
                let first = slot.is_none();
                slot.get_or_insert(Failure { task: name, reason });
                first
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_adds_next_to_nothing_to_a_task() {
        let content = || async {
            let held = [0u8; 4096];
            std::future::pending::<()>().await;
            std::hint::black_box(&held);
        };
        let (bare, guarded) = (size_of_val(&content()), size_of_val(&guard(content())));
        assert!(guarded < bare + 64, "{bare} bytes became {guarded}");
    }

    #[tokio::test]
    async fn an_essential_panic_is_reported() {
        let tasks = Tasks::default();
        tasks.spawn("x", Kind::Essential, async { panic!("boom") });
        let failure = tasks.failed().await;
        assert_eq!((failure.task, failure.reason.as_str()), ("x", "panicked: boom"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_restarting_task_comes_back_until_it_returns() {
        let tasks = Tasks::default();
        let (sent, mut runs) = tokio::sync::mpsc::channel(8);
        let mut n = 0;
        tasks.spawn_restarting("x", move || {
            n += 1;
            let (sent, n) = (sent.clone(), n);
            async move {
                let _ = sent.send(n).await;
                assert!(n >= 3, "not yet");
            }
        });
        let mut seen = Vec::new();
        while let Some(n) = runs.recv().await {
            seen.push(n);
        }
        assert_eq!(seen, [1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn stop_cancels_and_counts_what_stays() {
        let tasks = Tasks::default();
        let token = tasks.stopping();
        tasks.spawn("good", Kind::Request, async move { token.cancelled().await });
        tasks.spawn("stuck", Kind::Request, std::future::pending());
        assert_eq!(tasks.stop(Duration::from_secs(1)).await, 1);
    }
}
