//! In development mode a new build of the program restarts the gateway in place, once the file has been quiet for a
//! moment and the new program can say its version.

use std::fs::Metadata;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use gateway_base::program::{self, Call, End};
use gateway_base::task::Tasks;

use super::handle::{Goal, Lifecycle, Request};

const LOOK: Duration = Duration::from_millis(500);

/// Watches `file` until the tasks stop.
pub(super) fn watch(file: PathBuf, tasks: &Tasks, lifecycle: &Lifecycle) {
    let (stop, lifecycle) = (tasks.stopping(), lifecycle.clone());
    tasks.spawn_restarting("binary-watch", move || {
        let (file, stop, lifecycle) = (file.clone(), stop.clone(), lifecycle.clone());
        async move {
            let first = Mark::of(&file);
            let mut last = first;
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(LOOK) => {}
                }
                let now = Mark::of(&file);
                let is_quiet = now == last;
                last = now;
                if is_quiet && now != first && now.is_some() && says_its_version(file.clone()).await {
                    tracing::info!(subsystem = "dev", "dev: binary changed; restarting");
                    lifecycle.request(Duration::ZERO, Request::new(Goal::Restart, "binary changed"));
                    return;
                }
            }
        }
    });
}

/// A build that is not finished may hang or say anything.
async fn says_its_version(program: PathBuf) -> bool {
    let call = Call::new(program, ["--version"]);
    program::run(&call).await.is_ok_and(|ran| ran.end == End::Success)
}

/// What tells one build of a file from another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    len: u64,
    modified: Option<SystemTime>,
}

impl Mark {
    fn of(file: &PathBuf) -> Option<Self> {
        let meta: Metadata = std::fs::metadata(file).ok()?;
        Some(Self { len: meta.len(), modified: meta.modified().ok() })
    }
}
