//! Random operations with restarts, against maps in memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use gateway_domain::ports::store::{Bucket, Buckets, Error, Expect, Logs};
use proptest::prelude::*;

use super::super::Store;
use super::Place;

#[derive(Clone, Debug)]
enum Step {
    Put(usize, String, u8, Guess),
    Delete(usize, String, Guess),
    Get(usize, String),
    List(usize, String),
    Append(String, Vec<u8>),
    Read(String, u64, usize),
    Tail(String, usize),
    Remove(String),
    Reopen,
}

/// What to expect, told in terms of the model, so that right and wrong guesses are both frequent.
#[derive(Clone, Copy, Debug)]
enum Guess {
    Any,
    Absent,
    Right,
    Wrong,
}

#[derive(Default)]
struct Model {
    buckets: BTreeMap<(usize, String), (u64, Bytes)>,
    revisions: [u64; Bucket::ALL.len()],
    logs: BTreeMap<String, Vec<Bytes>>,
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ab]{1,2}", 1 => Just("a\u{0}b".to_owned()), 1 => Just("ä%_".to_owned()), 1 => Just("a\u{10ffff}".to_owned())]
}

fn step() -> impl Strategy<Value = Step> {
    let bucket = || 0..Bucket::ALL.len();
    let guess = || prop_oneof![Just(Guess::Any), Just(Guess::Absent), Just(Guess::Right), Just(Guess::Wrong)];
    let prefix = || prop_oneof![Just(String::new()), key()];
    prop_oneof![
        6 => (bucket(), key(), any::<u8>(), guess()).prop_map(|(b, k, v, g)| Step::Put(b, k, v, g)),
        3 => (bucket(), key(), guess()).prop_map(|(b, k, g)| Step::Delete(b, k, g)),
        2 => (bucket(), key()).prop_map(|(b, k)| Step::Get(b, k)),
        3 => (bucket(), prefix()).prop_map(|(b, p)| Step::List(b, p)),
        4 => (key(), prop::collection::vec(any::<u8>(), 1..5)).prop_map(|(l, v)| Step::Append(l, v)),
        2 => (key(), prop_oneof![0..9_u64, Just(u64::MAX)], prop_oneof![0..9_usize, Just(usize::MAX)])
            .prop_map(|(l, f, n)| Step::Read(l, f, n)),
        2 => (key(), 0..9_usize).prop_map(|(l, n)| Step::Tail(l, n)),
        1 => key().prop_map(Step::Remove),
        1 => Just(Step::Reopen),
    ]
}

impl Model {
    fn expect(&self, bucket: usize, key: &str, guess: Guess) -> (Expect, bool) {
        let current = self.buckets.get(&(bucket, key.to_owned())).map(|(revision, _)| *revision);
        match guess {
            Guess::Any => (Expect::Any, true),
            Guess::Absent => (Expect::Absent, current.is_none()),
            Guess::Right => (Expect::Revision(current.unwrap_or(7)), current.is_some()),
            Guess::Wrong => (Expect::Revision(current.unwrap_or(0) + 1), false),
        }
    }

    fn next_revision(&mut self, bucket: usize) -> u64 {
        self.revisions[bucket] += 1;
        self.revisions[bucket]
    }

    fn conflict(bucket: usize, key: &str) -> Error {
        Error::Conflict { bucket: Bucket::ALL[bucket].name(), key: key.to_owned() }
    }

    async fn run(&mut self, store: &Store, step: Step) {
        match step {
            Step::Put(bucket, key, value, guess) => {
                let (expect, holds) = self.expect(bucket, &key, guess);
                let value = Bytes::from(vec![value; usize::from(value) * 40]);
                let done = store.put(Bucket::ALL[bucket], &key, value.clone(), expect).await;
                if holds {
                    let revision = self.next_revision(bucket);
                    assert_eq!(done, Ok(revision));
                    self.buckets.insert((bucket, key), (revision, value));
                } else {
                    assert_eq!(done, Err(Self::conflict(bucket, &key)));
                }
            }
            Step::Delete(bucket, key, guess) => {
                let (expect, holds) = self.expect(bucket, &key, guess);
                let done = store.delete(Bucket::ALL[bucket], &key, expect).await;
                if holds {
                    let was = self.buckets.remove(&(bucket, key)).is_some();
                    assert_eq!(done, Ok(was));
                    self.revisions[bucket] += u64::from(was);
                } else {
                    assert_eq!(done, Err(Self::conflict(bucket, &key)));
                }
            }
            Step::Get(bucket, key) => {
                let found = store.get(Bucket::ALL[bucket], &key).await.expect("get");
                let found = found.map(|record| (record.revision, record.value));
                assert_eq!(found.as_ref(), self.buckets.get(&(bucket, key)));
            }
            Step::List(bucket, prefix) => {
                let found = store.list(Bucket::ALL[bucket], &prefix).await.expect("list");
                let found: Vec<_> = found.into_iter().map(|r| (r.key, r.revision, r.value)).collect();
                let expected =
                    self.buckets.iter().filter(|((b, k), _)| *b == bucket && k.starts_with(&prefix));
                let expected: Vec<_> = expected.map(|((_, k), (r, v))| (k.clone(), *r, v.clone())).collect();
                assert_eq!(found, expected);
            }
            Step::Append(log, entries) => {
                let entries: Vec<_> =
                    entries.into_iter().map(|n| Bytes::from(vec![n; usize::from(n) * 20])).collect();
                let model = self.logs.entry(log.clone()).or_default();
                let first = model.len() as u64 + 1;
                model.extend(entries.iter().cloned());
                assert_eq!(store.append(&log, entries).await, Ok(first));
            }
            Step::Read(log, from, limit) => {
                let found = Logs::read(store, &log, from, limit).await.expect("read");
                self.compare(&log, found, |all| {
                    all.into_iter().filter(|(position, _)| *position >= from).take(limit).collect()
                });
            }
            Step::Tail(log, limit) => {
                let found = store.tail(&log, limit).await.expect("tail");
                self.compare(&log, found, |all| all[all.len().saturating_sub(limit)..].to_vec());
            }
            Step::Remove(log) => assert_eq!(store.remove(&log).await, Ok(self.logs.remove(&log).is_some())),
            Step::Reopen => unreachable!("handled by the caller"),
        }
    }

    fn compare(
        &self,
        log: &str,
        found: Vec<gateway_domain::ports::store::LogEntry>,
        pick: impl FnOnce(Vec<(u64, Bytes)>) -> Vec<(u64, Bytes)>,
    ) {
        let all = self.logs.get(log).cloned().unwrap_or_default();
        let expected = pick((1..).zip(all).collect());
        assert_eq!(found.into_iter().map(|e| (e.position, e.value)).collect::<Vec<_>>(), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_behaves_like_maps_in_memory(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        runtime.block_on(async {
            let place = Place::new();
            let mut store = place.open().store;
            let mut model = Model::default();
            for step in steps {
                if matches!(step, Step::Reopen) {
                    store.close().await;
                    let opened = place.open();
                    assert_eq!(opened.damage, None);
                    store = opened.store;
                } else {
                    model.run(&store, step).await;
                }
            }
            store.close().await;
        });
    }
}
