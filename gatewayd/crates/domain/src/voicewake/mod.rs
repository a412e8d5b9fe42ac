//! The words that wake the assistant. They are in the store before anybody is told that they changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use gateway_base::clock::{Clock, UnixMs};
use gateway_wire::types::voicewake::Voicewake as Words;
use serde::{Deserialize, Serialize};

use crate::events::Bus;
use crate::ports::store::{Bucket, Buckets, Error, Expect, Revision};

/// Words when none are set.
const DEFAULT: [&str; 3] = ["clawd", "claude", "computer"];
/// Most words that are kept.
const MAX_WORDS: usize = 32;
/// Longest word, in characters.
const MAX_CHARS: usize = 64;
const KEY: &str = "voicewake";

/// The wake words. Clones share them.
#[derive(Clone)]
pub struct Voicewake {
    store: Arc<dyn Buckets>,
    bus: Bus,
    clock: Clock,
    current: Arc<Mutex<Current>>,
}

struct Current {
    revision: Revision,
    words: Words,
    json: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    triggers: Vec<String>,
    updated_at_ms: UnixMs,
}

impl Voicewake {
    /// Starts with the default words; [`Voicewake::load`] reads those that were set.
    #[must_use]
    pub fn new(store: Arc<dyn Buckets>, bus: Bus, clock: Clock) -> Self {
        Self { store, bus, clock, current: Arc::new(Mutex::new(Current::of(0, clean(&[])))) }
    }

    /// Reads the stored words. A record that cannot be read is left alone and the defaults stay.
    pub async fn load(&self) -> Result<(), Error> {
        let Some(record) = self.store.get(Bucket::Settings, KEY).await? else { return Ok(()) };
        match serde_json::from_slice::<Stored>(&record.value) {
            Ok(stored) => self.lock().replace(record.revision, clean(&stored.triggers)),
            Err(error) => tracing::error!(%error, "the stored wake words cannot be read; the defaults are used"),
        }
        Ok(())
    }

    /// The words now, as the payload of `voicewake.get` and of the event.
    #[must_use]
    pub fn json(&self) -> Bytes {
        self.lock().json.clone()
    }

    /// Cleans and stores new words, tells everybody, and returns the payload. An empty list means the defaults.
    pub async fn set(&self, words: &[String]) -> Result<Bytes, Error> {
        let words = clean(words);
        let stored = Stored { triggers: words.triggers.clone(), updated_at_ms: self.clock.now() };
        let value = serde_json::to_vec(&stored).map_err(|e| Error::Invalid(e.to_string()))?;
        let revision = self.store.put(Bucket::Settings, KEY, value.into(), Expect::Any).await?;
        let json = {
            let mut current = self.lock();
            current.replace(revision, words);
            current.json.clone()
        };
        self.bus.publish_json("voicewake.changed", json.clone(), None);
        Ok(json)
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn of(revision: Revision, words: Words) -> Self {
        let json = serde_json::to_vec(&words).unwrap_or_default().into();
        Self { revision, words, json }
    }

    /// Takes newer words; of two writes that overlap the later one in the store wins.
    fn replace(&mut self, revision: Revision, words: Words) {
        if revision >= self.revision && (revision != self.revision || words != self.words) {
            *self = Self::of(revision, words);
        }
    }
}

/// Trimmed, without blanks, at most 32 of at most 64 characters; the defaults when nothing is left.
fn clean(words: &[String]) -> Words {
    let mut triggers: Vec<String> = words
        .iter()
        .map(|word| word.trim().chars().take(MAX_CHARS).collect::<String>())
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .collect();
    if triggers.is_empty() {
        triggers = DEFAULT.map(str::to_owned).to_vec();
    }
    Words { triggers }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryStore;

    fn words(store: &MemoryStore) -> Voicewake {
        Voicewake::new(Arc::new(store.clone()), Bus::default(), Clock::manual(5))
    }

    #[tokio::test]
    async fn what_was_set_is_there_after_a_restart_and_everybody_heard() {
        let store = MemoryStore::default();
        let first = words(&store);
        let mut heard = first.bus.subscribe(4);
        let json = first.set(&[" hey ".to_owned(), String::new(), "x".repeat(80)]).await.expect("stored");
        assert_eq!(json, format!(r#"{{"triggers":["hey","{}"]}}"#, "x".repeat(64)));
        assert!(heard.try_recv().is_some());
        let second = words(&store);
        second.load().await.expect("loaded");
        assert_eq!(second.json(), json);
    }

    #[tokio::test]
    async fn a_failed_write_changes_nothing() {
        let store = MemoryStore::default();
        let words = words(&store);
        store.fail_with(Some(Error::Full));
        assert_eq!(words.set(&["x".to_owned()]).await, Err(Error::Full));
        assert_eq!(words.json(), r#"{"triggers":["clawd","claude","computer"]}"#);
    }

    #[tokio::test]
    async fn an_empty_list_means_the_defaults() {
        let words = words(&MemoryStore::default());
        let json = words.set(&vec![" ".to_owned(); 100]).await.expect("stored");
        assert_eq!(json, r#"{"triggers":["clawd","claude","computer"]}"#);
    }
}
