//! The entries themselves. Each is serialised when it changes, so that the list, which is asked for far more often
//! than an entry changes, is put together from finished pieces.

use std::cmp::Reverse;
use std::collections::HashMap;

use gateway_base::clock::UnixMs;
use gateway_wire::types::presence::PresenceEntry;

/// How long an entry is shown after it was last heard of.
pub const LIFE_MS: UnixMs = 5 * 60 * 1_000;
/// Entries at most, the gateway's own included.
pub const MAX_ENTRIES: usize = 200;

/// Entries by key, without the gateway's own.
#[derive(Debug, Default)]
pub struct Entries(HashMap<String, Stored>);

#[derive(Debug)]
struct Stored {
    entry: PresenceEntry,
    json: Vec<u8>,
    at: UnixMs,
}

impl Entries {
    /// The entry under `key`.
    pub fn get(&self, key: &str) -> Option<&PresenceEntry> {
        self.0.get(key).map(|stored| &stored.entry)
    }

    /// Puts `entry`, heard of now on the steady clock, under `key`. The one heard of longest ago makes room.
    pub fn put(&mut self, key: &str, entry: PresenceEntry, now: UnixMs) {
        let json = serde_json::to_vec(&entry).unwrap_or_default();
        if json.is_empty() {
            return;
        }
        self.0.insert(key.to_owned(), Stored { entry, json, at: now });
        if self.0.len() >= MAX_ENTRIES {
            let oldest = self.0.iter().min_by_key(|(_, stored)| stored.at).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.0.remove(&oldest);
            }
        }
    }

    /// The list as JSON, newest first, `own` at its head. What is too old is forgotten.
    pub fn list_json(&mut self, own: &PresenceEntry, now: UnixMs) -> Vec<u8> {
        self.0.retain(|_, stored| now.saturating_sub(stored.at) <= LIFE_MS);
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_unstable_by_key(|(key, stored)| (Reverse(stored.at), *key));
        let own = serde_json::to_vec(own).unwrap_or_default();
        let size = own.len() + 2 + all.iter().map(|(_, stored)| stored.json.len() + 1).sum::<usize>();
        let mut json = Vec::with_capacity(size);
        json.push(b'[');
        json.extend_from_slice(&own);
        for (_, stored) in all {
            json.push(b',');
            json.extend_from_slice(&stored.json);
        }
        json.push(b']');
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(host: &str) -> PresenceEntry {
        PresenceEntry { host: Some(host.to_owned()), ..PresenceEntry::default() }
    }

    fn hosts(entries: &mut Entries, now: UnixMs) -> Vec<String> {
        let list: Vec<PresenceEntry> =
            serde_json::from_slice(&entries.list_json(&named("own"), now)).expect("a JSON list");
        list.into_iter().filter_map(|entry| entry.host).collect()
    }

    #[test]
    fn newest_first_and_gone_after_five_minutes() {
        let mut entries = Entries::default();
        entries.put("a", named("a"), 1_000);
        entries.put("b", named("b"), 2_000);
        entries.put("c", named("c"), 2_000);
        assert_eq!(hosts(&mut entries, 3_000), ["own", "b", "c", "a"]);
        entries.put("a", named("a"), 4_000);
        assert_eq!(hosts(&mut entries, 2_000 + LIFE_MS), ["own", "a", "b", "c"]);
        assert_eq!(hosts(&mut entries, 2_001 + LIFE_MS), ["own", "a"]);
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut entries = Entries::default();
        for n in 0..1_000 {
            entries.put(&n.to_string(), named(&n.to_string()), n);
        }
        let hosts = hosts(&mut entries, 1_000);
        assert_eq!(hosts.len(), MAX_ENTRIES);
        assert_eq!((hosts[1].as_str(), hosts[199].as_str()), ("999", "801"));
    }
}
