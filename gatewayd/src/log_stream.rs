//! Serves the admin `Logs` call from the log file: the last lines that match, then, if asked for, what is added.
//! Reading the file rather than the memory of the process means that a reader sees what is on disk, also from before
//! this process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway_adapters::log_tail::{self, Tail};
use gateway_admin::{time, v1};
use gateway_server::admin::Error;
use gateway_server::admin::backend::{LogStart, Logs};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often a followed file is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Bytes read in one step.
const STEP_BYTES: u64 = 1_000_000;
/// Lines sent in one step.
const STEP_LINES: usize = 5_000;

/// Sends batches to `to` until the end, the caller is gone, or the daemon stops.
pub async fn run(
    file: Arc<ArcSwap<PathBuf>>,
    request: Logs,
    to: mpsc::Sender<Result<v1::LogsResponse, Error>>,
    stop: CancellationToken,
) {
    let (mut cursor, tail) = match request.start {
        LogStart::Cursor(cursor) => (Some(cursor), usize::MAX),
        LogStart::Tail(lines) => (None, usize::try_from(lines).unwrap_or(usize::MAX)),
    };
    let mut first = true;
    loop {
        let path = file.load_full();
        let read =
            tokio::task::spawn_blocking(move || log_tail::tail(&path, cursor, STEP_LINES, STEP_BYTES)).await;
        let batch = match read {
            Ok(Ok(tail)) => tail,
            Ok(Err(error)) => {
                let _ = to.send(Err(Error::Log { path: file.load().to_path_buf(), source: error })).await;
                return;
            }
            Err(_) => return,
        };
        let moved = cursor != Some(batch.cursor);
        cursor = Some(batch.cursor);
        if first || moved {
            let limit = if first { tail } else { usize::MAX };
            if to.send(Ok(response(batch, request.min_level, limit))).await.is_err() {
                return;
            }
        }
        first = false;
        if !request.follow {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = to.closed() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

fn response(tail: Tail, min: v1::LogLevel, limit: usize) -> v1::LogsResponse {
    let mut lines: Vec<_> =
        tail.lines.into_iter().map(line).filter(|line| line.level >= min as i32).collect();
    let surplus = lines.len().saturating_sub(limit);
    lines.drain(..surplus);
    v1::LogsResponse {
        lines,
        cursor: tail.cursor,
        reset: tail.reset,
        truncated: tail.truncated,
        file: tail.file.display().to_string(),
    }
}

/// Reads one record; a line in another form passes as it is, at level info.
fn line(raw: String) -> v1::LogLine {
    let record: Value = serde_json::from_str(&raw).unwrap_or_default();
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let meta = record.get("_meta");
    let at: Option<jiff::Timestamp> = text(record.get("time")).parse().ok();
    let name: Value = serde_json::from_str(&text(meta.and_then(|m| m.get("name")))).unwrap_or_default();
    v1::LogLine {
        time: at.map(|at| time::timestamp(at.as_millisecond())),
        level: level(&text(meta.and_then(|m| m.get("logLevelName")))).into(),
        subsystem: text(name.get("subsystem")),
        message: text(record.get("1").or_else(|| record.get("0"))),
        raw,
    }
}

fn level(name: &str) -> v1::LogLevel {
    match name {
        "TRACE" => v1::LogLevel::Trace,
        "DEBUG" => v1::LogLevel::Debug,
        "WARN" => v1::LogLevel::Warn,
        "ERROR" => v1::LogLevel::Error,
        "FATAL" => v1::LogLevel::Fatal,
        _ => v1::LogLevel::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_that_are_important_enough_are_sent() {
        let raw =
            |level: &str, n: u32| format!("{{\"_meta\": {{\"logLevelName\": \"{level}\"}}, \"1\": \"{n}\"}}");
        let lines =
            vec![raw("DEBUG", 1), raw("WARN", 2), raw("INFO", 3), raw("ERROR", 4), "plain".to_owned()];
        let sent = |min, limit| -> Vec<String> {
            let (file, lines) = (PathBuf::from("log"), lines.clone());
            let tail = Tail { file, cursor: 0, size: 0, lines, truncated: false, reset: false };
            response(tail, min, limit).lines.into_iter().map(|line| line.message).collect()
        };
        assert_eq!(sent(v1::LogLevel::Warn, usize::MAX), ["2", "4"]);
        assert_eq!(sent(v1::LogLevel::Warn, 1), ["4"]);
        assert_eq!(sent(v1::LogLevel::Unspecified, usize::MAX).len(), 5);
    }
}
