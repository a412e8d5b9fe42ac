//! Puts the parts together. It builds and owns no policy.

use std::time::Duration;

use crate::exit::Exit;
use crate::lifecycle::{Running, StopPlan};
use crate::start::Boot;

/// Why the parts could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum Error {}

impl Error {
    /// The exit code that goes with it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match *self {}
    }
}

/// Builds every part, in order, and serves.
#[allow(clippy::unused_async, reason = "building the parts waits for the store")]
pub async fn serve(boot: Boot) -> Result<Running, Error> {
    let mut stop = StopPlan::default();
    let (tasks, listeners) = (boot.tasks, boot.listeners);
    stop.needed("stop tasks", Duration::from_secs(1), move |_| async move {
        drop(listeners);
        match tasks.stop(Duration::from_secs(1)).await {
            0 => Ok(()),
            left => Err(format!("{left} tasks did not end")),
        }
    });
    Ok(Running { stop, reload: std::sync::Arc::new(|| Box::pin(async {})) })
}
