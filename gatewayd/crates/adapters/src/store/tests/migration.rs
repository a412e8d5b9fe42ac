//! Versions: an old file is brought up to date, a newer one is left alone.

use gateway_domain::ports::store::{Bucket, Buckets, Expect, Logs};
use rusqlite::Connection;

use super::super::{OpenError, Store, newer_format, schema};
use super::{Place, bytes, options};

/// A store as version 1 left it: two devices of which one was written twice, one deleted, and a log of two.
const V1: &[u8] = include_bytes!("../fixtures/v1.sqlite");

#[tokio::test]
async fn a_file_of_version_1_opens_with_all_it_holds() {
    let place = Place::new();
    std::fs::create_dir_all(place.path.parent().expect("folder")).expect("folder");
    std::fs::write(&place.path, V1).expect("fixture");
    let opened = place.open();
    assert_eq!((opened.created, opened.damage), (false, None));
    let store = opened.store;
    let devices = store.list(Bucket::Devices, "").await.expect("list");
    let devices: Vec<_> = devices.iter().map(|r| (r.key.as_str(), r.revision, &r.value[..])).collect();
    assert_eq!(devices, [("a", 2, &b"{\"n\":2}"[..]), ("b", 3, b"{}")]);
    let log = store.tail("runs/main", 9).await.expect("tail");
    assert_eq!(
        log.iter().map(|e| (e.position, &e.value[..])).collect::<Vec<_>>(),
        [(1, &b"one"[..]), (2, b"two")]
    );
    assert_eq!(store.put(Bucket::Devices, "d", bytes("x"), Expect::Any).await, Ok(6));
    store.close().await;
}

#[tokio::test]
async fn a_newer_file_is_refused_and_not_touched() {
    let place = Place::new();
    place.fill(3).await;
    {
        let conn = Connection::open(&place.path).expect("open");
        conn.pragma_update(None, "user_version", 99).expect("version");
    }
    let told = newer_format(&place.path).expect("told without opening it");
    assert!(matches!(told, OpenError::Newer { found: 99, known: 1, .. }), "{told:?}");
    let before = std::fs::read(&place.path).expect("content");
    let newer = Store::open(&place.path, options()).expect_err("refused");
    assert!(matches!(newer, OpenError::Newer { found: 99, known: 1, .. }), "{newer:?}");
    assert!(newer.to_string().contains("newer version (format 99, this version knows 1)"), "{newer}");
    assert_eq!(std::fs::read(&place.path).expect("content"), before);
}

#[test]
fn steps_run_once_each_and_a_failing_one_changes_nothing() {
    let mut conn = Connection::open_in_memory().expect("open");
    let steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO b VALUES (1)"];
    schema::migrate(&mut conn, &steps[..1]).expect("first");
    schema::migrate(&mut conn, &steps).expect("second");
    schema::migrate(&mut conn, &steps).expect("nothing to do");
    let broken = ["", "", "CREATE TABLE c (x); INSERT INTO nowhere VALUES (1)"];
    schema::migrate(&mut conn, &broken).expect_err("broken step");
    assert_eq!(schema::version(&conn), Ok(2));
    let tables: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).expect("count");
    assert_eq!(tables, 2);
}
