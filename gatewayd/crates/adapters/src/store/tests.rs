//! Tests of the store as its callers see it, and of what opening does with files in every condition.

mod damage;
mod failure;
mod migration;
mod model;
mod watching;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use gateway_base::clock::Clock;
use gateway_domain::ports::store::{Bucket, Buckets, Error, Expect, Logs, MAX_VALUE};
use tempfile::TempDir;

use super::{Opened, Store, StoreOptions};

/// A folder with room for one store.
struct Place {
    _dir: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("state").join("gateway.sqlite");
        Self { _dir: dir, path }
    }

    fn open(&self) -> Opened {
        Store::open(&self.path, options()).expect("the store opens")
    }

    /// Makes a store with some content and closes it.
    async fn fill(&self, records: usize) {
        let store = self.open().store;
        let writes = (0..records).map(|n| {
            let (store, value) = (&store, Bytes::from(format!("{n:0>200}")));
            async move { store.put(Bucket::Devices, &format!("key-{n:0>4}"), value, Expect::Any).await }
        });
        futures_util::future::try_join_all(writes).await.expect("put");
        store
            .append("log", vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")])
            .await
            .expect("append");
        store.close().await;
    }

    fn names(&self) -> Vec<String> {
        let folder = self.path.parent().expect("folder");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("folder")
            .map(|entry| entry.expect("entry").file_name().into_string().expect("name"))
            .collect();
        names.sort();
        names
    }
}

fn options() -> StoreOptions {
    StoreOptions { clock: Clock::manual(1_769_685_937_869), ..StoreOptions::default() }
}

fn part(path: &Path, suffix: &str) -> PathBuf {
    super::aside::sibling(path, suffix)
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[tokio::test]
async fn what_is_acknowledged_is_there_after_a_restart_and_revisions_go_on() {
    let place = Place::new();
    let opened = place.open();
    assert!(opened.created);
    let store = opened.store;
    let first = store.put(Bucket::Settings, "a", bytes("1"), Expect::Absent).await.expect("put");
    let second = store.put(Bucket::Settings, "a", bytes("2"), Expect::Revision(first)).await.expect("put");
    assert!(second > first);
    assert!(store.delete(Bucket::Settings, "a", Expect::Revision(second)).await.expect("delete"));
    assert!(!store.delete(Bucket::Settings, "a", Expect::Any).await.expect("delete"));
    store.close().await;

    let opened = place.open();
    assert!(!opened.created);
    let third = opened.store.put(Bucket::Settings, "a", bytes("3"), Expect::Absent).await.expect("put");
    assert!(
        third > second + 1,
        "the delete took a revision of its own, and none comes back: {second} {third}"
    );
    opened.store.close().await;
}

#[tokio::test]
async fn a_closed_store_leaves_one_clean_private_file_and_answers_errors() {
    let place = Place::new();
    let store = place.open().store;
    store.put(Bucket::Settings, "a", bytes("1"), Expect::Any).await.expect("put");
    tokio::join!(store.close(), store.close());
    assert_eq!(place.names(), ["gateway.sqlite", "gateway.sqlite.lock"]);
    let closed = Error::Failed("it is closed".to_owned());
    assert_eq!(store.get(Bucket::Settings, "a").await, Err(closed.clone()));
    assert_eq!(store.put(Bucket::Settings, "a", bytes("2"), Expect::Any).await, Err(closed));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for name in place.names() {
            let about = std::fs::metadata(place.path.with_file_name(&name)).expect("file");
            assert_eq!(about.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }
}

#[tokio::test]
async fn dropping_the_last_handle_closes_the_store() {
    let place = Place::new();
    let store = place.open().store;
    store.put(Bucket::Settings, "a", bytes("1"), Expect::Any).await.expect("put");
    let mut running = store.0.running.clone();
    drop(store);
    while running.changed().await.is_ok() {}
    assert_eq!(place.names(), ["gateway.sqlite", "gateway.sqlite.lock"]);
    let store = place.open().store;
    assert!(store.get(Bucket::Settings, "a").await.expect("get").is_some());
    store.close().await;
}

#[tokio::test]
async fn limits_are_checked_before_anything_is_queued() {
    let place = Place::new();
    let store = place.open().store;
    let invalid = |done: Result<u64, Error>| assert!(matches!(done, Err(Error::Invalid(_))), "{done:?}");
    invalid(store.put(Bucket::Settings, "", bytes("x"), Expect::Any).await);
    invalid(store.put(Bucket::Settings, &"k".repeat(513), bytes("x"), Expect::Any).await);
    invalid(store.put(Bucket::Settings, "k", Bytes::from(vec![0; MAX_VALUE + 1]), Expect::Any).await);
    invalid(store.append("", vec![bytes("x")]).await);
    invalid(store.append("log", vec![]).await);
    invalid(store.append("log", vec![bytes("x"), Bytes::from(vec![0; MAX_VALUE + 1])]).await);
    invalid(store.append("log", vec![Bytes::from(vec![0; MAX_VALUE]); 5]).await);

    let largest = Bytes::from(vec![7; MAX_VALUE]);
    store
        .put(Bucket::Settings, &"k".repeat(512), largest.clone(), Expect::Any)
        .await
        .expect("the largest fits");
    let back = store.get(Bucket::Settings, &"k".repeat(512)).await.expect("get").expect("record");
    assert!(back.value == largest);
    assert_eq!(Logs::read(&store, "log", 1, 9).await, Ok(vec![]));
    store.close().await;
}

#[tokio::test]
async fn many_writers_at_once_all_get_their_answer() {
    let place = Place::new();
    let store = place.open().store;
    let writes = (0..2000).map(|n| {
        let store = store.clone();
        async move { store.put(Bucket::Idempotency, &format!("{n}"), bytes("x"), Expect::Absent).await }
    });
    let mut revisions: Vec<_> = futures_util::future::join_all(writes)
        .await
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("all succeed");
    revisions.sort_unstable();
    assert!(revisions.iter().copied().eq(1..=2000), "every revision is given out once");
    assert_eq!(store.list(Bucket::Idempotency, "").await.expect("list").len(), 2000);
    store.close().await;
}

#[tokio::test]
async fn metrics_count_calls_commits_and_failures() {
    let place = Place::new();
    let options = options();
    let mut registry = prometheus_client::registry::Registry::default();
    options.metrics.register(&mut registry);
    let store = Store::open(&place.path, options).expect("open").store;
    store.put(Bucket::Settings, "a", bytes("1"), Expect::Any).await.expect("put");
    store.put(Bucket::Settings, "a", bytes("1"), Expect::Absent).await.expect_err("conflict");
    store.get(Bucket::Settings, "a").await.expect("get");
    store.close().await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).expect("text");
    for line in [
        "store_commit_seconds_count 2",
        "store_commit_writes_sum 2.0",
        "store_calls_total{kind=\"put\"} 2",
        "store_calls_total{kind=\"get\"} 1",
        "store_failures_total{reason=\"conflict\"} 1",
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
}
