//! Keeping, cleaning and announcing the words.

use std::sync::Arc;

use bytes::Bytes;
use gateway_base::clock::{Clock, UnixMs};
use gateway_wire::types::voicewake;
use serde::{Deserialize, Serialize};

use crate::events::Bus;
use crate::ports::store::{self, Buckets};
use crate::settings::Setting;

const DEFAULTS: [&str; 3] = ["clawd", "claude", "computer"];
const MAX_WORDS: usize = 32;
const MAX_CHARS: usize = 64;

/// The wake words. Clones share them.
#[derive(Clone)]
pub struct Voicewake {
    setting: Setting<Stored>,
    bus: Bus,
    clock: Clock,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    triggers: Vec<String>,
    updated_at_ms: UnixMs,
}

impl Default for Stored {
    fn default() -> Self {
        Self { triggers: DEFAULTS.map(str::to_owned).to_vec(), updated_at_ms: 0 }
    }
}

impl Voicewake {
    /// The words in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Buckets>, bus: Bus, clock: Clock) -> Self {
        Self { setting: Setting::new(store, "voicewake"), bus, clock }
    }

    /// Reads the words once. Until then the defaults are handed out, so call it early.
    pub async fn load(&self) -> Result<voicewake::Voicewake, store::Error> {
        self.setting.load().await.map(result)
    }

    /// The words in force.
    #[must_use]
    pub fn get(&self) -> voicewake::Voicewake {
        result(self.setting.now())
    }

    /// The same as JSON: the result of `voicewake.get` and the payload of `voicewake.changed`.
    #[must_use]
    pub fn json(&self) -> Bytes {
        serde_json::to_vec(&self.get()).unwrap_or_default().into()
    }

    /// Cleans and stores `words`, tells everybody, and returns what is in force now.
    pub async fn set(&self, words: &[String]) -> Result<voicewake::Voicewake, store::Error> {
        let stored = Stored { triggers: clean(words), updated_at_ms: self.clock.now() };
        self.setting.set(stored.clone()).await?;
        let result = result(stored);
        self.bus.publish("voicewake.changed", &result, None);
        Ok(result)
    }
}

fn result(stored: Stored) -> voicewake::Voicewake {
    voicewake::Voicewake { triggers: stored.triggers }
}

fn clean(words: &[String]) -> Vec<String> {
    let words = words.iter().map(|word| word.trim()).filter(|word| !word.is_empty()).take(MAX_WORDS);
    let words: Vec<String> = words.map(|word| word.chars().take(MAX_CHARS).collect()).collect();
    if words.is_empty() { Stored::default().triggers } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Received;
    use crate::testing::MemoryStore;

    #[test]
    fn cleaning() {
        let list = |words: &[&str]| words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
        assert_eq!(clean(&list(&[" hey ", "", "  ", "hey"])), list(&["hey", "hey"]));
        assert_eq!(clean(&list(&[" "])), list(&DEFAULTS));
        assert_eq!(clean(&list(&[&"é".repeat(80)])), [("é").repeat(64)]);
        assert_eq!(clean(&vec!["x".to_owned(); 50]).len(), 32);
    }

    #[tokio::test]
    async fn a_change_is_stored_told_and_read_again() {
        let (store, bus) = (MemoryStore::default(), Bus::default());
        let mut events = bus.subscribe(8);
        let words = Voicewake::new(Arc::new(store.clone()), bus.clone(), Clock::manual(7));
        assert_eq!(words.load().await.expect("loaded").triggers, DEFAULTS);
        assert_eq!(words.set(&["otto".to_owned()]).await.expect("stored").triggers, ["otto"]);
        assert_eq!(words.json(), r#"{"triggers":["otto"]}"#.as_bytes());
        let Some(Received::Event(event)) = events.try_recv() else { panic!("an event") };
        assert_eq!(
            (event.row.name, &event.payload[..]),
            ("voicewake.changed", &br#"{"triggers":["otto"]}"#[..])
        );
        let again = Voicewake::new(Arc::new(store.clone()), bus, Clock::manual(8));
        assert_eq!(again.load().await.expect("loaded").triggers, ["otto"]);
        store.fail_with(Some(store::Error::ReadOnly));
        assert!(again.set(&[]).await.is_err());
        assert_eq!(again.get().triggers, ["otto"]);
        assert!(events.try_recv().is_none());
    }
}
