//! Fakes of the ports, for tests of this crate and of those above it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway_base::clock::UnixMs;
use gateway_base::paths::Paths;
use gateway_config::Config;
use gateway_config::live::{Current, Live};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::ports::BoxFuture;
use crate::ports::files::{AgentFiles, Transcript};
use crate::ports::store::{
    Bucket, Buckets, Change, Error, Expect, LogEntry, Logs, Position, Record, Revision, Watch, WatchEvent,
};

/// A store in memory. Clones share it, so that a test can look behind the back of the code under test.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    records: BTreeMap<(Bucket, String), (Revision, Bytes)>,
    logs: BTreeMap<String, Vec<Bytes>>,
    watchers: Vec<(Bucket, String, mpsc::Sender<WatchEvent>)>,
    revision: Revision,
    writes: u64,
    failing: Option<Error>,
}

impl MemoryStore {
    /// Makes every call fail with `error` until it is called with `None`.
    pub fn fail_with(&self, error: Option<Error>) {
        self.with(|state| state.failing = error);
    }

    /// How many writes succeeded.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.with(|state| state.writes)
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers after a yield, as a real store never answers at once.
    fn answer<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut State) -> Result<T, Error> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, Error>> {
        let store = self.clone();
        Box::pin(async move {
            tokio::task::yield_now().await;
            store.with(|state| match &state.failing {
                Some(error) => Err(error.clone()),
                None => f(state),
            })
        })
    }
}

impl State {
    fn check(&self, bucket: Bucket, key: &str, expect: Expect) -> Result<(), Error> {
        let found = self.records.get(&(bucket, key.to_owned())).map(|(revision, _)| *revision);
        let holds = match expect {
            Expect::Any => true,
            Expect::Absent => found.is_none(),
            Expect::Revision(revision) => found == Some(revision),
        };
        if holds { Ok(()) } else { Err(Error::Conflict { bucket: bucket.name(), key: key.to_owned() }) }
    }

    fn change(&mut self, bucket: Bucket, key: &str, value: Option<&Bytes>) -> Revision {
        self.revision += 1;
        self.writes += 1;
        let change = Change { key: key.to_owned(), value: value.cloned(), revision: self.revision };
        self.watchers.retain(|(watched, prefix, sender)| {
            *watched != bucket
                || !key.starts_with(prefix.as_str())
                || sender.try_send(WatchEvent::Changed(change.clone())).is_ok()
        });
        self.revision
    }
}

impl Buckets for MemoryStore {
    fn get(&self, bucket: Bucket, key: &str) -> BoxFuture<'_, Result<Option<Record>, Error>> {
        let key = key.to_owned();
        self.answer(move |state| {
            let found = state.records.get(&(bucket, key.clone())).cloned();
            Ok(found.map(|(revision, value)| Record { key, value, revision }))
        })
    }

    fn put(
        &self,
        bucket: Bucket,
        key: &str,
        value: Bytes,
        expect: Expect,
    ) -> BoxFuture<'_, Result<Revision, Error>> {
        let key = key.to_owned();
        self.answer(move |state| {
            state.check(bucket, &key, expect)?;
            let revision = state.change(bucket, &key, Some(&value));
            state.records.insert((bucket, key), (revision, value));
            Ok(revision)
        })
    }

    fn delete(&self, bucket: Bucket, key: &str, expect: Expect) -> BoxFuture<'_, Result<bool, Error>> {
        let key = key.to_owned();
        self.answer(move |state| {
            state.check(bucket, &key, expect)?;
            let existed = state.records.remove(&(bucket, key.clone())).is_some();
            if existed {
                state.change(bucket, &key, None);
            }
            Ok(existed)
        })
    }

    fn list(&self, bucket: Bucket, prefix: &str) -> BoxFuture<'_, Result<Vec<Record>, Error>> {
        let prefix = prefix.to_owned();
        self.answer(move |state| {
            let mine = state.records.iter().filter(|((b, key), _)| *b == bucket && key.starts_with(&prefix));
            Ok(mine
                .map(|((_, key), (revision, value))| Record {
                    key: key.clone(),
                    value: value.clone(),
                    revision: *revision,
                })
                .collect())
        })
    }

    fn watch(&self, bucket: Bucket, prefix: &str) -> Watch {
        let (sender, receiver) = mpsc::channel(1_024);
        self.with(|state| state.watchers.push((bucket, prefix.to_owned(), sender)));
        receiver
    }
}

impl Logs for MemoryStore {
    fn append(&self, log: &str, entries: Vec<Bytes>) -> BoxFuture<'_, Result<Position, Error>> {
        let log = log.to_owned();
        self.answer(move |state| {
            state.writes += 1;
            let entries_before = state.logs.entry(log).or_default();
            let first = entries_before.len() as Position + 1;
            entries_before.extend(entries);
            Ok(first)
        })
    }

    fn read(&self, log: &str, from: Position, limit: usize) -> BoxFuture<'_, Result<Vec<LogEntry>, Error>> {
        let log = log.to_owned();
        self.answer(move |state| {
            Ok(entries(state, &log).filter(|e| e.position >= from).take(limit).collect())
        })
    }

    fn tail(&self, log: &str, limit: usize) -> BoxFuture<'_, Result<Vec<LogEntry>, Error>> {
        let log = log.to_owned();
        self.answer(move |state| {
            let count = state.logs.get(&log).map_or(0, Vec::len);
            Ok(entries(state, &log).skip(count.saturating_sub(limit)).collect())
        })
    }

    fn remove(&self, log: &str) -> BoxFuture<'_, Result<bool, Error>> {
        let log = log.to_owned();
        self.answer(move |state| Ok(state.logs.remove(&log).is_some()))
    }
}

fn entries<'a>(state: &'a State, log: &str) -> impl Iterator<Item = LogEntry> + use<'a> {
    let all = state.logs.get(log).map_or(&[][..], Vec::as_slice);
    all.iter().zip(1..).map(|(value, position)| LogEntry { position, value: value.clone() })
}

/// Files of agents in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles(Arc<Mutex<Files>>);

#[derive(Debug, Default)]
struct Files {
    ids: Vec<String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    transcripts: BTreeMap<(String, String), (UnixMs, String)>,
    reads: usize,
}

impl MemoryFiles {
    /// Sets the folders of agents.
    pub fn set_ids(&self, ids: &[&str]) {
        self.with(|files| files.ids = ids.iter().map(|&id| id.to_owned()).collect());
    }

    /// Puts a file.
    pub fn put(&self, path: impl Into<PathBuf>, content: &[u8]) {
        self.with(|files| files.files.insert(path.into(), content.to_vec()));
    }

    /// Puts a transcript.
    pub fn put_transcript(&self, agent: &str, name: &str, modified: UnixMs, text: &str) {
        let key = (agent.to_owned(), name.to_owned());
        self.with(|files| files.transcripts.insert(key, (modified, text.to_owned())));
    }

    /// How often a transcript was read.
    #[must_use]
    pub fn reads(&self) -> usize {
        self.with(|files| files.reads)
    }

    fn with<T>(&self, f: impl FnOnce(&mut Files) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl AgentFiles for MemoryFiles {
    fn ids(&self) -> io::Result<Vec<String>> {
        Ok(self.with(|files| files.ids.clone()))
    }

    fn read(&self, workspace: &Path, relative: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let found = self.with(|files| files.files.get(&workspace.join(relative)).cloned());
        Ok(found.filter(|content| content.len() as u64 <= limit))
    }

    fn transcripts(&self, agent: &str) -> io::Result<Vec<Transcript>> {
        Ok(self.with(|files| {
            let mine = files.transcripts.iter().filter(|((of, _), _)| of == agent);
            mine.map(|((_, name), (modified, text))| Transcript {
                name: name.clone(),
                modified: *modified,
                size: text.len() as u64,
            })
            .collect()
        }))
    }

    fn transcript_lines(&self, agent: &str, name: &str, line: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let key = (agent.to_owned(), name.to_owned());
        let text = self.with(|files| {
            files.reads += 1;
            files.transcripts.get(&key).map(|(_, text)| text.clone())
        });
        text.unwrap_or_default().lines().for_each(|text| line(text.as_bytes()));
        Ok(())
    }
}

/// A configuration in force that holds `value` and nothing else.
#[must_use]
pub fn live(value: Value) -> Live {
    let paths = test_paths();
    let config = Arc::new(Config::from_value(&value, &paths));
    Live::new(Current { config, value: Arc::new(value), hash: String::new(), degraded: None })
}

/// Paths that exist nowhere.
#[must_use]
pub fn test_paths() -> Paths {
    let home = PathBuf::from("/home/test");
    let state = home.join(".clawdbot");
    Paths { config: state.join("clawdbot.json"), home, state, profile: None }
}
