//! Waiting for something to become true, never for a time to pass.

use std::future::Future;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep, timeout};

/// Long enough for a busy machine with two cores; a test that passes never waits for it.
pub const LIMIT: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(5);

/// Asks `check` again and again until it gives a value.
pub async fn until<T, F>(what: &str, check: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    until_within(LIMIT, PAUSE, what, check).await
}

/// The same, for what takes longer than [`LIMIT`] or should not be asked that often.
pub async fn until_within<T, F>(
    limit: Duration,
    pause: Duration,
    what: &str,
    mut check: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = check().await? {
            return Ok(value);
        }
        if Instant::now() > end {
            bail!("waited {limit:?} for {what}");
        }
        sleep(pause).await;
    }
}

/// Runs `future` and fails when it takes longer than [`LIMIT`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> Result<T> {
    match timeout(LIMIT, future).await {
        Ok(value) => Ok(value),
        Err(_) => bail!("waited {LIMIT:?} for {what}"),
    }
}
