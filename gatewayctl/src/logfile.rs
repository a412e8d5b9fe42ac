//! The daemon's log file as the controller reads it when the daemon cannot be asked: records in either known form,
//! and the end of the file without reading all of it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value;

use crate::args::LevelArg;

/// One line of the log, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// When, as it was written.
    pub time: Option<String>,
    /// How important, in lower case.
    pub level: Option<String>,
    /// Which part wrote it.
    pub subsystem: Option<String>,
    /// The text.
    pub message: String,
}

impl Record {
    /// Reads a line; a line that is no record gives `None`.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let record = value.as_object()?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let meta = record.get("_meta");
        let time = text(record.get("time")).or_else(|| text(meta?.get("date")));
        let level = text(record.get("level")).or_else(|| text(meta?.get("logLevelName")));
        let named = text(meta.and_then(|meta| meta.get("name")));
        let inner = named.as_deref().and_then(|name| serde_json::from_str::<Value>(name).ok());
        let subsystem = text(record.get("subsystem")).or_else(|| {
            inner.as_ref().and_then(|name| text(name.get("subsystem").or_else(|| name.get("module"))))
        });
        let message = text(record.get("message")).unwrap_or_else(|| numbered(record, named.as_deref()));
        (time.is_some() || level.is_some()).then(|| Self {
            time,
            level: level.map(|level| level.to_ascii_lowercase()),
            subsystem,
            message,
        })
    }

    /// Whether it is at least as important as `least`; a line without a level always is.
    #[must_use]
    pub fn is_at_least(&self, least: Option<LevelArg>) -> bool {
        let Some(least) = least else { return true };
        self.level.as_deref().and_then(level).is_none_or(|level| level >= least)
    }
}

/// The level with this name.
#[must_use]
pub fn level(word: &str) -> Option<LevelArg> {
    Some(match word {
        "trace" => LevelArg::Trace,
        "debug" => LevelArg::Debug,
        "info" => LevelArg::Info,
        "warn" => LevelArg::Warn,
        "error" => LevelArg::Error,
        "fatal" => LevelArg::Fatal,
        _ => return None,
    })
}

/// The numbered arguments of the original's records, without the logger's name.
fn numbered(record: &serde_json::Map<String, Value>, name: Option<&str>) -> String {
    let words = (0..16).filter_map(|index| record.get(&index.to_string()));
    let words = words.filter(|word| word.as_str().is_none_or(|text| Some(text) != name));
    words.map(shown_argument).collect::<Vec<_>>().join(" ")
}

/// One argument: text as it is, the fields of an object as `name=value`, anything else as JSON.
fn shown_argument(argument: &Value) -> String {
    match argument {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| match value {
                Value::String(text) => format!("{name}={text}"),
                other => format!("{name}={other}"),
            });
            fields.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

/// The end of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// Whole lines.
    pub lines: Vec<String>,
    /// Whether lines before these were left out.
    pub truncated: bool,
    /// The size of the file.
    pub size: u64,
}

/// The last whole lines of `path`, at most `max_bytes` of them.
pub fn tail(path: &Path, max_bytes: u64) -> io::Result<Tail> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let start = size.saturating_sub(max_bytes);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    // What is added meanwhile is not part of it.
    file.take(size - start).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    if start > 0 {
        // The first line is most likely cut.
        lines.next();
    }
    Ok(Tail { lines: lines.map(str::to_owned).collect(), truncated: start > 0, size })
}

/// Lines that were added to a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Whole lines.
    pub lines: Vec<String>,
    /// Where the next one begins, in bytes.
    pub end: u64,
}

/// The whole lines of `path` from byte `start` on, at most `max_bytes` of them. A line that is not ended yet is left for
/// the next time, unless it alone is longer than that.
pub fn added(path: &Path, start: u64, max_bytes: u64) -> io::Result<Added> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(max_bytes).read_to_end(&mut bytes)?;
    let ended = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if ended > 0 || (bytes.len() as u64) < max_bytes {
        bytes.truncate(ended);
    }
    let lines = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
    Ok(Added { lines, end: start + bytes.len() as u64 })
}

/// Words in a log line that say why a gateway did not start.
const REASONS: [&str; 6] = [
    "refusing to bind gateway",
    "gateway auth mode",
    "gateway start blocked",
    "failed to bind gateway socket",
    "gateway failed to start",
    "listen eaddrinuse",
];

/// The line that most likely says why the gateway is not there: the last one with a known reason, else the last
/// error.
#[must_use]
pub fn last_error(files: &[&Path]) -> Option<String> {
    let tails: Vec<Vec<String>> =
        files.iter().filter_map(|path| tail(path, 64 * 1024).ok()).map(|tail| tail.lines).collect();
    let known = |line: &&String| is_reason(line);
    let bad = |line: &&String| match Record::parse(line) {
        Some(record) => record.is_at_least(Some(LevelArg::Error)) && record.level.is_some(),
        None => !line.trim().is_empty(),
    };
    let last = |wanted: &dyn Fn(&&String) -> bool| {
        tails.iter().find_map(|lines| lines.iter().rfind(|line| wanted(line)))
    };
    last(&known).or_else(|| last(&bad)).map(|line| shown(line))
}

fn is_reason(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    REASONS.iter().any(|reason| lower.contains(reason))
        || (lower.contains("tailscale") && lower.contains("requires"))
}

/// The line that most likely says why a process ended, of the few that it said last: one with a known reason, else
/// the last.
#[must_use]
pub fn reason<'a>(lines: impl DoubleEndedIterator<Item = &'a str> + Clone) -> Option<String> {
    lines.clone().rfind(|line| is_reason(line)).or_else(|| lines.clone().next_back()).map(shown)
}

fn shown(line: &str) -> String {
    match Record::parse(line) {
        Some(Record { time: Some(time), message, .. }) => format!("{time} {message}"),
        Some(record) => record.message,
        None => line.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"{"0":"{\"subsystem\":\"gateway\"}","1":"listening on ws://127.0.0.1:18789 (PID 12345)","_meta":{"name":"{\"subsystem\":\"gateway\"}","date":"2026-01-29T11:25:37.869Z","logLevelId":3,"logLevelName":"INFO"},"time":"2026-01-29T11:25:37.870Z"}"#;
    const OURS: &str = r#"{"time":"2026-01-29T11:25:37.870Z","_meta":{"date":"2026-01-29T11:25:37.870Z","logLevelId":2,"logLevelName":"WARN","name":"{\"subsystem\":\"gateway\"}"},"1":"in a container","2":{"conn":"c5","ms":7}}"#;
    const NEW: &str =
        r#"{"time":"2026-01-29T11:25:37.870Z","level":"warn","subsystem":"gateway/ws","message":"slow"}"#;

    #[test]
    fn both_forms_are_read() {
        let old = Record::parse(OLD).expect("is a record");
        assert_eq!(old.message, "listening on ws://127.0.0.1:18789 (PID 12345)");
        assert_eq!((old.level.as_deref(), old.subsystem.as_deref()), (Some("info"), Some("gateway")));
        assert_eq!(old.time.as_deref(), Some("2026-01-29T11:25:37.870Z"));
        let ours = Record::parse(OURS).expect("is a record");
        assert_eq!(
            (ours.message.as_str(), ours.level.as_deref()),
            ("in a container conn=c5 ms=7", Some("warn"))
        );
        let new = Record::parse(NEW).expect("is a record");
        assert_eq!((new.message.as_str(), new.level.as_deref()), ("slow", Some("warn")));
        assert!(new.is_at_least(Some(LevelArg::Warn)) && !new.is_at_least(Some(LevelArg::Error)));
        for line in ["", "plain text", "[1]", "{}", "{\"0\":1}"] {
            assert_eq!(Record::parse(line), None, "{line}");
        }
    }

    #[test]
    fn the_tail_is_whole_lines() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("log");
        std::fs::write(&path, "first\nsecond\nthird\n").expect("file");
        let all = tail(&path, 1000).expect("is read");
        assert_eq!((all.lines.len(), all.truncated, all.size), (3, false, 19));
        let end = tail(&path, 9).expect("is read");
        assert_eq!((end.lines, end.truncated), (vec!["third".to_owned()], true));
        assert!(tail(&dir.path().join("none"), 9).is_err());
    }

    #[test]
    fn what_is_added_comes_whole_and_in_pieces_that_join() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("log");
        std::fs::write(&path, "first\nsecond\nthi").expect("file");
        let mut lines = Vec::new();
        let mut end = 0;
        loop {
            let new = added(&path, end, 8).expect("is read");
            lines.extend(new.lines);
            if new.end == end {
                break;
            }
            end = new.end;
        }
        assert_eq!((lines, end), (vec!["first".to_owned(), "second".to_owned()], 13));
        std::fs::write(&path, "first\nsecond\nthird\n").expect("file");
        assert_eq!(added(&path, end, 8).expect("is read"), Added { lines: vec!["third".into()], end: 19 });
        let long = added(&path, 6, 4).expect("is read");
        assert_eq!(long, Added { lines: vec!["seco".into()], end: 10 }, "a line that is too long goes on");
    }

    #[test]
    fn the_reason_for_a_failed_start_is_found() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let (errors, log) = (dir.path().join("err"), dir.path().join("log"));
        let refusal =
            r#"{"time":"T1","level":"error","message":"Refusing to bind gateway to lan without auth."}"#;
        let late = r#"{"time":"T2","level":"error","message":"something else"}"#;
        std::fs::write(&log, format!("{refusal}\n{late}\n{NEW}\n")).expect("file");
        assert_eq!(
            last_error(&[&errors, &log]).as_deref(),
            Some("T1 Refusing to bind gateway to lan without auth.")
        );
        std::fs::write(&log, format!("{late}\n{NEW}\n")).expect("file");
        assert_eq!(last_error(&[&errors, &log]).as_deref(), Some("T2 something else"));
        std::fs::write(&log, format!("{NEW}\n")).expect("file");
        assert_eq!(last_error(&[&errors, &log]), None);
    }
}
