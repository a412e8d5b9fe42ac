//! Writes that fail, alone and in company, and a disk that does.

use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use gateway_domain::ports::store::{Bucket, Buckets, Error, Expect};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::super::health::{State, StoreHealth};
use super::super::ops::Op;
use super::super::writer::{Job, Message, Writer};
use super::super::{Metrics, OpenError, Store, open, reader};
use super::{Place, bytes, options, part};

/// Runs `ops` as one group and returns their answers with what was counted.
fn one_group(place: &Place, ops: Vec<Op>, max_pages: Option<u32>) -> (Vec<Result<u64, Error>>, String) {
    let ready = open::open(&place.path, &options().clock).expect("open");
    if let Some(pages) = max_pages {
        ready.writer.pragma_update(None, "max_page_count", pages).expect("limit");
    }
    drop(ready.reader);
    let metrics = Metrics::default();
    let mut registry = prometheus_client::registry::Registry::default();
    metrics.register(&mut registry);
    let (send, messages) = mpsc::channel(64);
    let room = Arc::new(Semaphore::new(64));
    let mut answers = Vec::new();
    for op in ops {
        let (answer, done) = oneshot::channel();
        let room = room.clone().try_acquire_owned().expect("room");
        let job = Job { op, answer, _room: room, _waiting: metrics.write_waits() };
        assert!(send.try_send(Message::Write(job)).is_ok(), "room in the queue");
        answers.push(done);
    }
    assert!(send.try_send(Message::Stop).is_ok(), "room in the queue");
    let text = || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("text");
        text
    };
    let waiting = |n: usize| text().contains(&format!("\nstore_writes_waiting {n}\n"));
    assert!(waiting(answers.len()), "every one waits: {}", text());
    let state = Arc::new(State::new(metrics));
    let writer = Writer { conn: ready.writer, state, since_checkpoint: 0 };
    std::thread::spawn(|| writer.run(messages, std::thread::spawn(|| {}))).join().expect("it ends by itself");
    assert!(waiting(0), "none waits any more: {}", text());
    let text = text();
    (answers.into_iter().map(|mut a| a.try_recv().expect("answer")).collect(), text)
}

fn put(key: &str, value: Bytes, expect: Expect) -> Op {
    Op::Put { bucket: Bucket::Devices, key: key.to_owned(), value, expect }
}

#[tokio::test]
async fn a_conflict_does_not_touch_the_others_of_its_group() {
    let place = Place::new();
    let ops = vec![
        put("a", bytes("1"), Expect::Absent),
        put("a", bytes("2"), Expect::Absent),
        put("a", bytes("3"), Expect::Revision(1)),
        Op::Delete { bucket: Bucket::Devices, key: "b".to_owned(), expect: Expect::Revision(9) },
        Op::Append { log: "l".to_owned(), entries: vec![bytes("x"), bytes("y")] },
        Op::Append { log: "l".to_owned(), entries: vec![bytes("z")] },
    ];
    let (answers, counted) = one_group(&place, ops, None);
    let conflict = |key: &str| Err(Error::Conflict { bucket: "devices", key: key.to_owned() });
    assert_eq!(answers, [Ok(1), conflict("a"), Ok(2), conflict("b"), Ok(1), Ok(3)]);
    assert!(counted.contains("store_commit_writes_sum 6.0"), "one commit carried all six: {counted}");
    assert!(counted.contains("store_commit_seconds_count 1"), "{counted}");
    let store = place.open().store;
    assert_eq!(store.get(Bucket::Devices, "a").await.expect("get").expect("a").value, bytes("3"));
    store.close().await;
}

#[tokio::test]
async fn a_group_too_large_for_the_disk_keeps_what_fits() {
    let place = Place::new();
    let large = Bytes::from(vec![1; 100_000]);
    let ops = vec![
        put("a", bytes("1"), Expect::Any),
        put("b", large, Expect::Any),
        put("c", bytes("3"), Expect::Any),
    ];
    let (answers, _) = one_group(&place, ops, Some(12));
    assert_eq!(answers, [Ok(1), Err(Error::Full), Ok(2)]);
    let opened = place.open();
    assert_eq!(opened.damage, None);
    let keys: Vec<_> = opened.store.list(Bucket::Devices, "").await.expect("list");
    assert_eq!(keys.iter().map(|r| r.key.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    opened.store.close().await;
}

#[tokio::test]
async fn a_full_disk_degrades_until_a_write_fits_again() {
    let place = Place::new();
    let ready = open::open(&place.path, &options().clock).expect("open");
    ready.writer.pragma_update(None, "max_page_count", 12).expect("limit");
    let store = Store::start(ready, Metrics::default()).expect("start");
    let health = store.health();
    let large = Bytes::from(vec![1; 100_000]);
    assert_eq!(store.put(Bucket::Devices, "a", large.clone(), Expect::Any).await, Err(Error::Full));
    assert_eq!(*health.borrow(), StoreHealth::Degraded { reason: Error::Full.to_string() });
    store.put(Bucket::Devices, "b", bytes("x"), Expect::Any).await.expect("a small one fits");
    assert_eq!(*health.borrow(), StoreHealth::Ok);
    assert_eq!(store.get(Bucket::Devices, "a").await, Ok(None), "nothing of the refused one is there");
    store.close().await;
    let store = place.open().store;
    assert!(store.get(Bucket::Devices, "b").await.expect("get").is_some());
    store.put(Bucket::Devices, "a", large, Expect::Any).await.expect("there is space again");
    store.close().await;
}

#[tokio::test]
async fn a_read_only_disk_degrades() {
    let place = Place::new();
    let ready = open::open(&place.path, &options().clock).expect("open");
    ready.writer.pragma_update(None, "query_only", true).expect("limit");
    let store = Store::start(ready, Metrics::default()).expect("start");
    assert_eq!(store.put(Bucket::Devices, "a", bytes("x"), Expect::Any).await, Err(Error::ReadOnly));
    assert_eq!(*store.health().borrow(), StoreHealth::Degraded { reason: Error::ReadOnly.to_string() });
    assert_eq!(store.get(Bucket::Devices, "a").await, Ok(None));
    store.close().await;
}

/// A pipe opens like a file and refuses to be written at an offset.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_error_fails_the_store_for_good() {
    let place = Place::new();
    place.fill(3).await;
    let wal = part(&place.path, "-wal");
    rustix::fs::mknodat(rustix::fs::CWD, &wal, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("pipe");
    let store = place.open().store;
    let mut health = store.health();
    let done = store.put(Bucket::Devices, "new", bytes("x"), Expect::Any).await;
    assert!(matches!(&done, Err(Error::Failed(reason)) if reason.contains("disk I/O error")), "{done:?}");
    assert!(matches!(&*health.borrow_and_update(), StoreHealth::Failed { .. }), "{health:?}");
    for again in [
        store.put(Bucket::Devices, "new", bytes("x"), Expect::Any).await.err(),
        store.get(Bucket::Devices, "key-0001").await.err(),
    ] {
        assert!(matches!(&again, Some(Error::Failed(_))), "{again:?}");
    }
    store.close().await;
    std::fs::remove_file(&wal).expect("the pipe is still there: a failed store does not tidy up");

    let opened = place.open();
    assert_eq!(opened.damage, None);
    assert_eq!(opened.store.get(Bucket::Devices, "new").await, Ok(None), "what failed was not acknowledged");
    assert!(opened.store.get(Bucket::Devices, "key-0001").await.expect("get").is_some());
    opened.store.close().await;
}

#[tokio::test]
async fn damage_found_by_a_read_fails_the_store() {
    let place = Place::new();
    place.fill(2000).await;
    let store = place.open().store;
    let size = std::fs::metadata(&place.path).expect("file").len();
    let middle = usize::try_from(size / 8192 * 4096).expect("small");
    super::damage::overwrite(&place.path, middle, &[0xa5; 16 * 4096]);
    let found = store.list(Bucket::Devices, "").await;
    assert!(matches!(&found, Err(Error::Failed(reason)) if reason.contains("malformed")), "{found:?}");
    assert!(matches!(&*store.health().borrow(), StoreHealth::Failed { .. }));
    store.close().await;
    assert!(part(&place.path, "-wal").exists(), "the next open must see that the end was not clean");
    let opened = place.open();
    assert!(opened.damage.is_some());
    opened.store.close().await;
}

#[test]
fn readers_see_the_last_commit_while_a_write_is_open() {
    let place = Place::new();
    let ready = open::open(&place.path, &options().clock).expect("open");
    ready.writer.execute_batch("BEGIN IMMEDIATE").expect("begin");
    put("a", bytes("1"), Expect::Any).apply(&ready.writer).expect("put");
    assert_eq!(reader::get(&ready.reader, Bucket::Devices, "a").expect("get"), None);
    ready.writer.execute_batch("COMMIT").expect("commit");
    let record = reader::get(&ready.reader, Bucket::Devices, "a").expect("get").expect("record");
    assert_eq!((record.key.as_str(), record.revision, record.value), ("a", 1, bytes("1")));
}

#[tokio::test]
async fn a_second_store_on_the_same_file_is_refused_and_nothing_is_moved() {
    let place = Place::new();
    let store = place.open().store;
    store.put(Bucket::Devices, "a", bytes("x"), Expect::Any).await.expect("put");
    let before = place.names();
    let second = Store::open(&place.path, options());
    assert!(matches!(&second, Err(OpenError::Locked { .. })), "{second:?}");
    assert_eq!(place.names(), before);
    store.close().await;
    place.open().store.close().await;
}

/// The child is this same test with the path in its environment.
#[cfg(unix)]
#[tokio::test]
async fn other_programs_can_neither_read_nor_write() {
    const PATH: &str = "STORE_UNDER_TEST";
    if let Some(path) = std::env::var_os(PATH) {
        let conn = rusqlite::Connection::open(path).expect("the file opens");
        conn.busy_timeout(std::time::Duration::ZERO).expect("timeout");
        let read = conn.query_row("SELECT count(*) FROM record", [], |row| row.get::<_, i64>(0));
        let code = read.as_ref().err().and_then(rusqlite::Error::sqlite_error_code);
        assert_eq!(code, Some(rusqlite::ErrorCode::DatabaseBusy), "{read:?}");
        return;
    }
    let place = Place::new();
    let store = place.open().store;
    store.put(Bucket::Devices, "a", bytes("x"), Expect::Any).await.expect("put");
    let name = "store::tests::failure::other_programs_can_neither_read_nor_write";
    let child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", name])
        .env(PATH, &place.path)
        .output()
        .expect("child");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"), "the child ran the test");
    store.put(Bucket::Devices, "b", bytes("x"), Expect::Any).await.expect("put");
    store.close().await;
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_and_not_damage() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let file = dir.path().join("file");
    std::fs::write(&file, "x").expect("file");
    let under_a_file = Store::open(&file.join("gateway.sqlite"), options());
    assert!(matches!(&under_a_file, Err(OpenError::Other { .. })), "{under_a_file:?}");
    let a_folder = dir.path().join("gateway.sqlite");
    std::fs::create_dir(&a_folder).expect("folder");
    let a_folder = Store::open(&a_folder, options());
    assert!(matches!(&a_folder, Err(OpenError::NotWritable { .. })), "{a_folder:?}");
}
