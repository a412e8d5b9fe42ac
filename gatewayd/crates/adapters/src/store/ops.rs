//! The writes, as SQL. Each looks before it writes, so a refused one leaves nothing behind and the others of its
//! transaction are not touched.

use bytes::Bytes;
use gateway_domain::ports::store::{Bucket, Change, Error, Expect, Revision};
use rusqlite::{Connection, OptionalExtension, params};

const PUT: &str = "INSERT INTO record (bucket, key, revision, value) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (bucket, key) DO UPDATE SET revision = excluded.revision, value = excluded.value";
const DELETE: &str = "DELETE FROM record WHERE bucket = ?1 AND key = ?2";
const CURRENT: &str = "SELECT revision FROM record WHERE bucket = ?1 AND key = ?2";
const NEXT_REVISION: &str = "INSERT INTO bucket (name, revision) VALUES (?1, 1)
    ON CONFLICT (name) DO UPDATE SET revision = revision + 1 RETURNING revision";
const LOG_ID: &str = "SELECT id FROM log WHERE name = ?1";
const NEW_LOG: &str = "INSERT INTO log (name) VALUES (?1) RETURNING id";
const LAST_POSITION: &str = "SELECT max(position) FROM entry WHERE log = ?1";
const APPEND: &str = "INSERT INTO entry (log, position, value) VALUES (?1, ?2, ?3)";
const CLEAR_LOG: &str = "DELETE FROM entry WHERE log = ?1";
const REMOVE_LOG: &str = "DELETE FROM log WHERE id = ?1";

/// Every statement, so that opening can find out whether the file has what they need.
pub(super) const STATEMENTS: [&str; 10] =
    [PUT, DELETE, CURRENT, NEXT_REVISION, LOG_ID, NEW_LOG, LAST_POSITION, APPEND, CLEAR_LOG, REMOVE_LOG];

/// One write.
#[derive(Debug)]
pub(super) enum Op {
    Put { bucket: Bucket, key: String, value: Bytes, expect: Expect },
    Delete { bucket: Bucket, key: String, expect: Expect },
    Append { log: String, entries: Vec<Bytes> },
    RemoveLog { log: String },
}

/// What a write did.
pub(super) struct Applied {
    /// A revision, a position, or how many there were.
    pub(super) answer: Result<u64, Error>,
    /// What watchers have to hear after the commit.
    pub(super) change: Option<(Bucket, Change)>,
}

impl Op {
    /// Bytes of content it carries.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Put { key, value, .. } => key.len() + value.len(),
            Self::Delete { key, .. } => key.len(),
            Self::Append { log, entries } => log.len() + entries.iter().map(Bytes::len).sum::<usize>(),
            Self::RemoveLog { log } => log.len(),
        }
    }

    /// Runs it inside the transaction that is open on `conn`.
    pub(super) fn apply(&self, conn: &Connection) -> rusqlite::Result<Applied> {
        match self {
            Self::Put { bucket, key, value, expect } => put(conn, *bucket, key, value, *expect),
            Self::Delete { bucket, key, expect } => delete(conn, *bucket, key, *expect),
            Self::Append { log, entries } => append(conn, log, entries).map(Applied::quiet),
            Self::RemoveLog { log } => remove_log(conn, log).map(Applied::quiet),
        }
    }
}

impl Applied {
    fn quiet(answer: u64) -> Self {
        Self { answer: Ok(answer), change: None }
    }

    fn conflict(bucket: Bucket, key: &str) -> Self {
        Self { answer: Err(Error::Conflict { bucket: bucket.name(), key: key.to_owned() }), change: None }
    }

    fn changed(answer: u64, bucket: Bucket, change: Change) -> Self {
        Self { answer: Ok(answer), change: Some((bucket, change)) }
    }
}

fn put(
    conn: &Connection,
    bucket: Bucket,
    key: &str,
    value: &Bytes,
    expect: Expect,
) -> rusqlite::Result<Applied> {
    if !holds(expect, current(conn, bucket, key)?) {
        return Ok(Applied::conflict(bucket, key));
    }
    let (stored, revision) = next_revision(conn, bucket)?;
    conn.prepare_cached(PUT)?.execute(params![bucket.name(), key, stored, &value[..]])?;
    let change = Change { key: key.to_owned(), value: Some(value.clone()), revision };
    Ok(Applied::changed(revision, bucket, change))
}

fn delete(conn: &Connection, bucket: Bucket, key: &str, expect: Expect) -> rusqlite::Result<Applied> {
    let current = current(conn, bucket, key)?;
    if !holds(expect, current) {
        return Ok(Applied::conflict(bucket, key));
    }
    if current.is_none() {
        return Ok(Applied::quiet(0));
    }
    let (_, revision) = next_revision(conn, bucket)?;
    conn.prepare_cached(DELETE)?.execute(params![bucket.name(), key])?;
    Ok(Applied::changed(1, bucket, Change { key: key.to_owned(), value: None, revision }))
}

fn holds(expect: Expect, current: Option<Revision>) -> bool {
    match expect {
        Expect::Any => true,
        Expect::Absent => current.is_none(),
        Expect::Revision(revision) => current == Some(revision),
    }
}

fn current(conn: &Connection, bucket: Bucket, key: &str) -> rusqlite::Result<Option<Revision>> {
    let found = conn.prepare_cached(CURRENT)?.query_row(params![bucket.name(), key], |row| row.get(0));
    Ok(found.optional()?.map(from_stored))
}

fn next_revision(conn: &Connection, bucket: Bucket) -> rusqlite::Result<(i64, Revision)> {
    let stored = conn.prepare_cached(NEXT_REVISION)?.query_row([bucket.name()], |row| row.get(0))?;
    Ok((stored, from_stored(stored)))
}

fn append(conn: &Connection, log: &str, entries: &[Bytes]) -> rusqlite::Result<u64> {
    let id = match log_id(conn, log)? {
        Some(id) => id,
        None => conn.prepare_cached(NEW_LOG)?.query_row([log], |row| row.get::<_, i64>(0))?,
    };
    let last: Option<i64> = conn.prepare_cached(LAST_POSITION)?.query_row([id], |row| row.get(0))?;
    let first = last.unwrap_or(0) + 1;
    let mut insert = conn.prepare_cached(APPEND)?;
    for (position, entry) in (first..).zip(entries) {
        insert.execute(params![id, position, &entry[..]])?;
    }
    Ok(from_stored(first))
}

fn remove_log(conn: &Connection, log: &str) -> rusqlite::Result<u64> {
    let Some(id) = log_id(conn, log)? else { return Ok(0) };
    conn.prepare_cached(CLEAR_LOG)?.execute([id])?;
    conn.prepare_cached(REMOVE_LOG)?.execute([id])?;
    Ok(1)
}

/// The stored number of a log.
pub(super) fn log_id(conn: &Connection, log: &str) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached(LOG_ID)?.query_row([log], |row| row.get(0)).optional()
}

/// SQLite counts in signed numbers; ours start at 1 and only grow.
pub(super) fn from_stored(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The stored form of a number that came in; one that is too large stands behind everything there is.
pub(super) fn to_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
