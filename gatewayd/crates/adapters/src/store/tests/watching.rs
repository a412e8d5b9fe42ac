//! Watches: order, scope, falling behind, going away.

use gateway_domain::ports::store::{Bucket, Buckets, Expect, Watch, WatchEvent};
use tokio::sync::mpsc::error::TryRecvError;

use super::{Place, bytes};

fn keys(watch: &mut Watch) -> Vec<String> {
    let mut keys = Vec::new();
    while let Ok(event) = watch.try_recv() {
        keys.push(match event {
            WatchEvent::Changed(change) => change.key,
            WatchEvent::Lagged => "lagged".to_owned(),
        });
    }
    keys
}

#[tokio::test]
async fn a_watcher_has_the_change_when_its_writer_has_the_answer() {
    let place = Place::new();
    let store = place.open().store;
    let mut all = store.watch(Bucket::Devices, "");
    let mut some = store.watch(Bucket::Devices, "b");
    for key in ["a", "b1", "b2"] {
        store.put(Bucket::Devices, key, bytes("x"), Expect::Any).await.expect("put");
    }
    store.put(Bucket::Settings, "b", bytes("x"), Expect::Any).await.expect("put");
    store.put(Bucket::Devices, "b1", bytes("x"), Expect::Absent).await.expect_err("conflict");
    assert!(store.delete(Bucket::Devices, "b1", Expect::Any).await.expect("delete"));
    assert!(!store.delete(Bucket::Devices, "b1", Expect::Any).await.expect("delete"));

    assert_eq!(keys(&mut some), ["b1", "b2", "b1"]);
    let mut revisions = Vec::new();
    while let Ok(WatchEvent::Changed(change)) = all.try_recv() {
        assert_eq!(change.value.is_none(), revisions.len() == 3, "only the last is a delete: {change:?}");
        revisions.push(change.revision);
    }
    assert_eq!(revisions, [1, 2, 3, 4]);
    store.close().await;
    assert_eq!(all.recv().await, None, "closing ends the watch");
}

#[tokio::test]
async fn who_falls_behind_hears_it_last_and_then_follows_again() {
    let place = Place::new();
    let store = place.open().store;
    let mut watch = store.watch(Bucket::Devices, "");
    let writes = (0..400).map(|n| {
        let store = store.clone();
        async move { store.put(Bucket::Devices, &format!("{n}"), bytes("x"), Expect::Any).await }
    });
    for done in futures_util::future::join_all(writes).await {
        done.expect("put");
    }
    let seen = keys(&mut watch);
    assert_eq!((seen.len(), seen.last().map(String::as_str)), (257, Some("lagged")));
    store.put(Bucket::Devices, "after", bytes("x"), Expect::Any).await.expect("put");
    assert_eq!(keys(&mut watch), ["after"]);
    assert_eq!(watch.try_recv(), Err(TryRecvError::Empty));
    store.close().await;
}

#[tokio::test]
async fn watchers_that_went_away_are_forgotten() {
    let place = Place::new();
    let store = place.open().store;
    for _ in 0..100 {
        drop(store.watch(Bucket::Devices, ""));
    }
    assert_eq!(store.0.state.watchers.len(), 1, "adding one forgets the others");
    store.put(Bucket::Devices, "a", bytes("x"), Expect::Any).await.expect("put");
    assert_eq!(store.0.state.watchers.len(), 0);
    store.close().await;
}
