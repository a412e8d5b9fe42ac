//! The reading thread and its queries. It has a connection of its own and sees the last commit, so it waits neither
//! for the writer's flush nor the writer for it.

use bytes::Bytes;
use gateway_domain::ports::store::{Bucket, LogEntry, Position, Record};
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::mpsc;

use super::ops::{from_stored, log_id, to_stored};

const GET: &str = "SELECT key, revision, value FROM record WHERE bucket = ?1 AND key = ?2";
const LIST: &str = "SELECT key, revision, value FROM record WHERE bucket = ?1 AND key >= ?2 ORDER BY key";
const READ: &str =
    "SELECT position, value FROM entry WHERE log = ?1 AND position >= ?2 ORDER BY position LIMIT ?3";
const TAIL: &str = "SELECT position, value FROM entry WHERE log = ?1 ORDER BY position DESC LIMIT ?2";

/// One query with its answer, or the end.
pub(super) enum Job {
    Query(Box<dyn FnOnce(&Connection) + Send>),
    Stop,
}

/// Runs the jobs until told to stop or until nobody can send any more.
pub(super) fn run(conn: &Connection, mut jobs: mpsc::Receiver<Job>) {
    while let Some(Job::Query(query)) = jobs.blocking_recv() {
        query(conn);
    }
}

pub(super) fn get(conn: &Connection, bucket: Bucket, key: &str) -> rusqlite::Result<Option<Record>> {
    conn.prepare_cached(GET)?.query_row(params![bucket.name(), key], record).optional()
}

/// Keys are ordered by their bytes, so those with a prefix stand together.
pub(super) fn list(conn: &Connection, bucket: Bucket, prefix: &str) -> rusqlite::Result<Vec<Record>> {
    let mut statement = conn.prepare_cached(LIST)?;
    let rows = statement.query_map(params![bucket.name(), prefix], record)?;
    rows.take_while(|row| row.as_ref().map_or(true, |r| r.key.starts_with(prefix))).collect()
}

pub(super) fn read(
    conn: &Connection,
    log: &str,
    from: Position,
    limit: usize,
) -> rusqlite::Result<Vec<LogEntry>> {
    let Some(id) = log_id(conn, log)? else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(READ)?;
    statement.query_map(params![id, to_stored(from), row_limit(limit)], entry)?.collect()
}

pub(super) fn tail(conn: &Connection, log: &str, limit: usize) -> rusqlite::Result<Vec<LogEntry>> {
    let Some(id) = log_id(conn, log)? else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(TAIL)?;
    let mut entries: Vec<_> =
        statement.query_map(params![id, row_limit(limit)], entry)?.collect::<rusqlite::Result<_>>()?;
    entries.reverse();
    Ok(entries)
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record { key: row.get(0)?, revision: from_stored(row.get(1)?), value: blob(row, 2)? })
}

fn entry(row: &Row<'_>) -> rusqlite::Result<LogEntry> {
    Ok(LogEntry { position: from_stored(row.get(0)?), value: blob(row, 1)? })
}

fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    row.get::<_, Vec<u8>>(column).map(Bytes::from)
}
