//! Repeated records are written once and then counted, so that a million equal errors take a few lines. The count
//! is written when the window of the record ends; while the repeats go on, the window doubles from a second to a
//! minute. Records that differ in anything are not repeats.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde_json::Map;

use super::record::Record;

/// Different records that are watched for repeats at one time.
const WATCHED: usize = 64;
const FIRST_WINDOW_MS: u64 = 1_000;
const LONGEST_WINDOW_MS: u64 = 60_000;

/// The records seen of late. Times are milliseconds on any clock that only goes forward.
#[derive(Debug, Default)]
pub(super) struct Fold {
    seen: Vec<Seen>,
}

#[derive(Debug)]
struct Seen {
    hash: u64,
    record: Arc<Record>,
    repeats: u64,
    window: u64,
    until: u64,
}

impl Fold {
    /// Whether `record` is to be written now. Call [`Fold::sweep`] before.
    pub(super) fn admits(&mut self, record: &Arc<Record>, now: u64) -> bool {
        let hash = hash(record);
        let same = |seen: &&mut Seen| seen.hash == hash && seen.record.says_the_same(record);
        if let Some(seen) = self.seen.iter_mut().find(same) {
            seen.repeats += 1;
            return false;
        }
        if self.seen.len() >= WATCHED {
            // The one that came first without a repeat makes room; if all repeat, the new one goes unwatched.
            let Some(at) = self.seen.iter().position(|seen| seen.repeats == 0) else { return true };
            self.seen.remove(at);
        }
        let (window, until) = (FIRST_WINDOW_MS, now + FIRST_WINDOW_MS);
        self.seen.push(Seen { hash, record: record.clone(), repeats: 0, window, until });
        true
    }

    /// Writes the counts whose window is over.
    pub(super) fn sweep(&mut self, now: u64, mut write: impl FnMut(Arc<Record>)) {
        self.seen.retain_mut(|seen| {
            if seen.until > now {
                return true;
            }
            if seen.repeats == 0 {
                return false;
            }
            write(seen.count());
            seen.repeats = 0;
            seen.window = (seen.window * 2).min(LONGEST_WINDOW_MS);
            seen.until = now + seen.window;
            true
        });
    }

    /// Writes every count that is left.
    pub(super) fn finish(&mut self, mut write: impl FnMut(Arc<Record>)) {
        for seen in self.seen.drain(..).filter(|seen| seen.repeats > 0) {
            write(seen.count());
        }
    }

    /// When [`Fold::sweep`] has something to do next, if no record comes.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.seen.iter().filter(|seen| seen.repeats > 0).map(|seen| seen.until).min()
    }
}

impl Seen {
    fn count(&self) -> Arc<Record> {
        let times = if self.repeats == 1 { "time" } else { "times" };
        let message = format!("last message repeated {} {times}: {}", self.repeats, self.record.message);
        Arc::new(Record { message, fields: Map::new(), ..(*self.record).clone() })
    }
}

fn hash(record: &Record) -> u64 {
    let mut hasher = DefaultHasher::new();
    (record.level as u8, &record.subsystem, &record.message, record.fields.len()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::queue::note;
    use super::*;

    fn feed(fold: &mut Fold, message: &str, now: u64) -> Vec<String> {
        let mut out = Vec::new();
        fold.sweep(now, |record| out.push(record.message.clone()));
        let record = note(0, message.to_owned());
        if fold.admits(&record, now) {
            out.push(record.message.clone());
        }
        out
    }

    #[test]
    fn repeats_are_counted_and_the_count_is_written_when_the_window_ends() {
        let mut fold = Fold::default();
        assert_eq!(feed(&mut fold, "a", 0), ["a"]);
        assert_eq!(feed(&mut fold, "a", 10), [""; 0]);
        assert_eq!(feed(&mut fold, "b", 20), ["b"]);
        assert_eq!(feed(&mut fold, "a", 30), [""; 0]);
        assert_eq!(fold.next_due(), Some(1000));
        assert_eq!(feed(&mut fold, "c", 1000), ["last message repeated 2 times: a", "c"]);
        assert_eq!(feed(&mut fold, "a", 2000), [""; 0]);
        assert_eq!(feed(&mut fold, "d", 3000), ["last message repeated 1 time: a", "d"]);
        assert_eq!(feed(&mut fold, "e", 7000), ["e"]);
        assert_eq!(feed(&mut fold, "a", 7001), ["a"]);
    }

    #[test]
    fn a_million_equal_records_take_a_few_lines() {
        let mut fold = Fold::default();
        let record = note(0, "disk on fire".into());
        let mut lines = 0;
        for now in 0..1_000_000_u64 {
            fold.sweep(now, |_| lines += 1);
            lines += u32::from(fold.admits(&record, now));
        }
        fold.finish(|_| lines += 1);
        assert!(lines < 30, "{lines}");
    }

    #[test]
    fn different_records_are_all_written_and_memory_stays_small() {
        let mut fold = Fold::default();
        for n in 0..1000 {
            assert_eq!(feed(&mut fold, &format!("{n}"), 0).len(), 1);
        }
        assert_eq!(fold.seen.len(), WATCHED);
    }
}
