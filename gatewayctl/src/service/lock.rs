//! One action at a time on one service. Actions that arrive meanwhile wait for the first, and then find that what
//! they wanted is done (rule R10).

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_base::limits;
use tokio::time::Instant;

/// How long the actions before this one may take: an honest start and stop, and some room.
const LIMIT: Duration = Duration::from_secs(120 + limits::SERVICE_STOP.as_secs());
/// How often a lock that is held is tried.
const AGAIN: Duration = Duration::from_millis(25);

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    _file: File,
}

/// Why the lock is not held.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else holds it.
    #[error("another command is still working on this service")]
    Busy,
    /// The file cannot be used.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
}

impl Held {
    /// Waits for the lock at `path`.
    pub async fn new(path: &Path) -> Result<Self, Error> {
        let failed = |error| Error::File(path.to_path_buf(), error);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(path).map_err(failed)?;
        let end = Instant::now() + LIMIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { path: path.to_path_buf(), _file: file }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if Instant::now() < end => tokio::time::sleep(AGAIN).await,
                Err(TryLockError::WouldBlock) => return Err(Error::Busy),
            }
        }
    }

    /// Gives it back for the last time: the file goes too.
    pub fn remove(self) {
        // An empty file that stays in the folder of the session harms nobody.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_second_waits_for_the_first_and_gives_up_some_time() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("lock");
        let first = Held::new(&path).await.expect("is free");
        assert!(matches!(Held::new(&path).await, Err(Error::Busy)));
        let (second, ()) = tokio::join!(Held::new(&path), async { drop(first) });
        second.expect("is free again").remove();
        assert!(!path.exists());
    }
}
