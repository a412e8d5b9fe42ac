//! What methods ask of the root of the daemon, and the log file that they read.

use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use gateway_api::context::{Control, LogReader, Reloaded};
use gateway_domain::ports::BoxFuture;
use gateway_wire::types::logs::LogsTailResult;

use crate::reload::{How, Reload};

/// What methods ask of the root.
#[derive(Default)]
pub(super) struct Root {
    reload: OnceLock<Reload>,
}

impl Root {
    /// Passes reloads on to `reload` from now on. Only the first call counts.
    pub(super) fn serve(&self, reload: Reload) {
        let _ = self.reload.set(reload);
    }
}

impl Control for Root {
    fn reload(&self, delay: Duration) -> BoxFuture<'static, Reloaded> {
        let reload = self.reload.get().cloned();
        Box::pin(async move {
            match reload {
                Some(reload) => reload.now(How::Restart(delay)).await,
                None => Reloaded::default(),
            }
        })
    }
}

/// Reads the log file for `logs.tail`.
pub(super) struct LogFile;

impl LogReader for LogFile {
    fn tail(
        &self,
        path: &Path,
        cursor: Option<u64>,
        limit: usize,
        max_bytes: u64,
    ) -> io::Result<LogsTailResult> {
        let tail = gateway_adapters::log_tail::tail(path, cursor, limit, max_bytes)?;
        Ok(LogsTailResult {
            file: tail.file.display().to_string(),
            cursor: tail.cursor,
            size: tail.size,
            lines: tail.lines,
            truncated: tail.truncated,
            reset: tail.reset,
        })
    }
}
