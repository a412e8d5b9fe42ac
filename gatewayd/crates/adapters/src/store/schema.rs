//! The numbered, frozen steps that make a store file what this version expects. A step is plain SQL that knows no
//! live type: files written by old versions are read by its text alone.

use rusqlite::Connection;

/// Marks a file as a store of this program in SQLite's header: `GWST`.
pub(super) const APPLICATION_ID: i32 = 0x4757_5354;

/// Step `n` (counted from 1) takes a file from version `n - 1` to `n`.
pub(super) const STEPS: &[&str] = &[include_str!("migrations/v1.sql")];

/// The version that the steps lead to.
pub const SCHEMA_VERSION: u32 = STEPS.len() as u32;

/// The version stored in `conn`.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Applies the steps that `conn` has not seen, each in a transaction of its own.
pub(super) fn migrate(conn: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let done = version(conn)?;
    for (number, step) in (1_i64..).zip(steps).filter(|(number, _)| *number > done) {
        let transaction = conn.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
