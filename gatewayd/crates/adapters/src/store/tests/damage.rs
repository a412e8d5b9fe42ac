//! Files in every bad condition: whatever lies there, the store opens, what was there is kept byte for byte under
//! another name with all its parts, and a second start finds nothing wrong.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use gateway_domain::ports::store::{Bucket, Buckets, Expect, Logs};
use rusqlite::Connection;

use super::super::Opened;
use super::{Place, bytes, part};

const PAGE: usize = 4096;

pub(super) fn overwrite(path: &Path, at: usize, content: &[u8]) {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = fs::OpenOptions::new().write(true).open(path).expect("open");
    file.seek(SeekFrom::Start(at as u64)).expect("seek");
    file.write_all(content).expect("write");
}

fn cut(path: &Path, to: usize) {
    fs::OpenOptions::new().write(true).open(path).expect("open").set_len(to as u64).expect("cut");
}

fn size(path: &Path) -> usize {
    usize::try_from(fs::metadata(path).expect("file").len()).expect("small")
}

/// Bytes without a pattern, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(length)
    .collect()
}

fn sql(path: &Path, text: &str) {
    Connection::open(path).expect("open").execute_batch(text).expect("statement");
}

fn swap_pages(path: &Path, a: usize, b: usize) {
    let content = fs::read(path).expect("content");
    let page = |n: usize| &content[n * PAGE..(n + 1) * PAGE];
    overwrite(path, a * PAGE, page(b));
    overwrite(path, b * PAGE, page(a));
}

/// The log of a store that went on after a checkpoint, so that it fits nobody else's pages.
async fn foreign_wal() -> Vec<u8> {
    let other = Place::new();
    other.fill(900).await;
    let store = other.open().store;
    for n in 300..400 {
        let value = Bytes::from(vec![b'z'; 3000]);
        store.put(Bucket::Devices, &format!("key-{n:0>4}"), value, Expect::Any).await.expect("put");
    }
    let wal = fs::read(part(&other.path, "-wal")).expect("log");
    store.close().await;
    wal
}

/// Checks what opening did with the damaged files that lay at `place`.
async fn check(what: &str, place: &Place) {
    let suffixes = ["", "-wal", "-shm", "-journal"];
    let before: Vec<_> = suffixes.iter().map(|s| fs::read(part(&place.path, s)).ok()).collect();

    let Opened { store, created, moved_aside, damage } = place.open();
    let moved = moved_aside.unwrap_or_else(|| panic!("{what}: the damage was not seen"));
    assert!(created && damage.is_some_and(|reason| !reason.is_empty()), "{what}");
    let name = moved.file_name().expect("name").to_str().expect("name");
    assert_eq!(name, "gateway.sqlite.damaged-20260129T112537869Z", "{what}");
    for (suffix, before) in suffixes.iter().zip(before) {
        // Looking at a file may leave an empty log beside it.
        let after =
            fs::read(part(&moved, suffix)).ok().filter(|content| before.is_some() || !content.is_empty());
        assert!(after == before, "{what}: the part {suffix:?} is not what it was");
    }
    assert_eq!(store.list(Bucket::Devices, "").await, Ok(vec![]), "{what}: the fresh store is empty");
    store.put(Bucket::Devices, "new", bytes("x"), Expect::Absent).await.expect("put");
    store.close().await;

    let again = place.open();
    assert_eq!((again.created, again.moved_aside, again.damage), (false, None, None), "{what}");
    assert!(again.store.get(Bucket::Devices, "new").await.expect("get").is_some(), "{what}");
    again.store.close().await;
    assert!(moved.parent().expect("folder").read_dir().expect("folder").count() >= 3, "{what}");
}

#[tokio::test]
async fn every_kind_of_damage_is_moved_aside() {
    type Harm = fn(&Path);
    let kinds: [(&str, Harm); 20] = [
        ("nothing in it", |p| cut(p, 0)),
        ("half a header", |p| cut(p, 50)),
        ("only the header", |p| cut(p, 100)),
        ("one page", |p| cut(p, PAGE)),
        ("half of it", |p| cut(p, size(p) / 2)),
        ("a page too few", |p| cut(p, size(p) - PAGE)),
        ("a byte too few", |p| cut(p, size(p) - 1)),
        ("text", |p| fs::write(p, "{\"version\":1}\n").expect("write")),
        ("noise", |p| fs::write(p, noise(size(p))).expect("write")),
        ("zeros", |p| fs::write(p, vec![0; size(p)]).expect("write")),
        ("another magic", |p| overwrite(p, 0, b"SQLite format 4\0")),
        ("an impossible page size", |p| overwrite(p, 16, &[0x12, 0x34])),
        ("noise after the header", |p| overwrite(p, 100, &noise(PAGE - 100))),
        ("a zeroed page", |p| overwrite(p, 3 * PAGE, &[0; PAGE])),
        ("a page of noise", |p| overwrite(p, size(p) / PAGE / 2 * PAGE, &noise(PAGE))),
        ("a last page of noise", |p| overwrite(p, size(p) - PAGE, &noise(PAGE))),
        ("two pages swapped", |p| swap_pages(p, 2, size(p) / PAGE - 1)),
        ("somebody else's database", |p| sql(p, "PRAGMA application_id = 7")),
        ("no version", |p| sql(p, "PRAGMA user_version = 0")),
        ("a missing table", |p| sql(p, "DROP TABLE record")),
    ];
    for (what, harm) in kinds {
        let place = Place::new();
        place.fill(200).await;
        assert!(size(&place.path) > 12 * PAGE, "enough pages to harm");
        harm(&place.path);
        check(what, &place).await;
    }
}

#[tokio::test]
async fn parts_go_with_the_file_they_belong_to() {
    let wal = foreign_wal().await;

    let place = Place::new();
    place.fill(200).await;
    fs::write(part(&place.path, "-wal"), &wal).expect("write");
    check("the log of another store", &place).await;

    let place = Place::new();
    place.fill(200).await;
    fs::write(part(&place.path, "-wal"), &wal).expect("write");
    fs::remove_file(&place.path).expect("remove");
    check("a log without its file", &place).await;

    let place = Place::new();
    place.fill(200).await;
    for suffix in ["-wal", "-shm"] {
        fs::write(part(&place.path, suffix), noise(5000)).expect("write");
    }
    cut(&place.path, 0);
    check("an empty file beside old parts", &place).await;
}

#[tokio::test]
async fn a_second_damage_in_the_same_moment_gets_a_name_of_its_own() {
    let place = Place::new();
    for _ in 0..2 {
        place.fill(1).await;
        cut(&place.path, 10);
        place.open().store.close().await;
        fs::remove_file(&place.path).expect("remove");
    }
    let moved: Vec<_> = place.names().into_iter().filter(|n| n.contains("damaged")).collect();
    assert_eq!(
        moved,
        ["gateway.sqlite.damaged-20260129T112537869Z", "gateway.sqlite.damaged-20260129T112537869Z-2"]
    );
}

/// What a killed process leaves: the files as they are while the store is open.
async fn killed() -> Place {
    let place = Place::new();
    place.fill(20).await;
    let store = place.open().store;
    store.put(Bucket::Devices, "late", bytes("acknowledged"), Expect::Any).await.expect("put");
    store.append("log", vec![bytes("three")]).await.expect("append");
    let left = Place::new();
    fs::create_dir_all(left.path.parent().expect("folder")).expect("folder");
    for suffix in ["", "-wal"] {
        fs::copy(part(&place.path, suffix), part(&left.path, suffix)).expect("copy");
    }
    assert!(!part(&place.path, "-shm").exists(), "the index of the log is in memory");
    store.close().await;
    left
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_acknowledged() {
    let left = killed().await;
    let opened = left.open();
    assert_eq!((opened.created, opened.damage), (false, None));
    let late = opened.store.get(Bucket::Devices, "late").await.expect("get").expect("record");
    assert_eq!(late.value, bytes("acknowledged"));
    assert_eq!(opened.store.tail("log", 1).await.expect("tail")[0].position, 3);
    opened.store.close().await;
}

/// Each round is killed long before it has written enough for a checkpoint of its own.
#[tokio::test]
async fn the_log_does_not_grow_with_every_kill() {
    let place = Place::new();
    place.fill(1).await;
    let mut largest = 0;
    for round in 0..12 {
        let store = place.open().store;
        for n in 0..4 {
            let value = Bytes::from(vec![round; 256 * 1024]);
            store.put(Bucket::Devices, &format!("{round}-{n}"), value, Expect::Any).await.expect("put");
        }
        let left = Place::new();
        for suffix in ["", "-wal"] {
            fs::create_dir_all(left.path.parent().expect("folder")).expect("folder");
            fs::copy(part(&place.path, suffix), part(&left.path, suffix)).expect("copy");
        }
        store.close().await;
        largest = largest.max(size(&part(&left.path, "-wal")));
        for suffix in ["", "-wal"] {
            fs::copy(part(&left.path, suffix), part(&place.path, suffix)).expect("copy");
        }
    }
    assert!(largest < 8 * 1024 * 1024, "{largest} bytes");
    let store = place.open().store;
    assert_eq!(store.list(Bucket::Devices, "").await.expect("list").len(), 1 + 12 * 4);
    store.close().await;
}

#[tokio::test]
async fn half_a_commit_at_the_end_of_the_log_is_dropped() {
    let left = killed().await;
    let wal = part(&left.path, "-wal");
    let mut content = fs::read(&wal).expect("log");
    content.extend(noise(6000));
    fs::write(&wal, content).expect("write");
    let opened = left.open();
    assert_eq!(opened.damage, None);
    assert!(opened.store.get(Bucket::Devices, "late").await.expect("get").is_some());
    opened.store.close().await;
}

#[tokio::test]
async fn a_crash_while_creating_is_not_damage() {
    let place = Place::new();
    fs::create_dir_all(place.path.parent().expect("folder")).expect("folder");
    for suffix in [".new", ".new-wal", ".new-journal"] {
        fs::write(part(&place.path, suffix), noise(300)).expect("write");
    }
    let opened = place.open();
    assert_eq!((opened.created, opened.damage), (true, None));
    opened.store.close().await;
    assert_eq!(place.names(), ["gateway.sqlite", "gateway.sqlite.lock"]);
}
