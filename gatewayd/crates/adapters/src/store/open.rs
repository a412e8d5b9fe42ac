//! Opens the file: takes the locks, tells damage from everything else that can be wrong, moves damage aside, makes a
//! fresh file whole before it gets its name, and brings old versions up to date.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_base::atomic_file::{create_private_dir, owner_only, sync_dir};
use gateway_base::clock::Clock;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};

use super::aside::{PARTS, exists, move_aside, sibling};
use super::{disk, ops, schema};

/// Largest file that is checked whole at every open; it takes about 2 ms per megabyte from the page cache.
const ALWAYS_CHECKED: u64 = 4 * 1024 * 1024;

/// Keeps a connection small: 256 KiB of pages.
const CACHE: &str = "-256";

#[cfg(unix)]
const FILE_LAYER: &str = "unix-excl";

/// Why the store could not be opened. Damage is not among them: that is moved aside.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else has it open.
    #[error("the store {} is in use by another process; stop it first", path.display())]
    Locked {
        /// The store file.
        path: PathBuf,
    },
    /// A newer version of this program wrote it.
    #[error(
        "the store {} was written by a newer version (format {found}, this version knows {known}); use that version, or move the file away to start afresh",
        path.display()
    )]
    Newer {
        /// The store file.
        path: PathBuf,
        /// Format of the file.
        found: i64,
        /// Newest format known here.
        known: usize,
    },
    /// The file or its folder cannot be written.
    #[error("the store {} cannot be written; check the permissions of the file and its folder", path.display())]
    NotWritable {
        /// The store file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no space to create or update it.
    #[error("the store {} cannot be opened: the disk is full", path.display())]
    Full {
        /// The store file.
        path: PathBuf,
    },
    /// Anything else the system or SQLite refused.
    #[error("the store {} cannot be opened", path.display())]
    Other {
        /// The store file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An open, checked, current file.
pub(super) struct Ready {
    pub(super) path: PathBuf,
    pub(super) writer: Connection,
    pub(super) reader: Connection,
    /// Held for as long as the connections live.
    pub(super) lock: File,
    pub(super) created: bool,
    pub(super) damage: Option<Damage>,
}

/// What was put aside and why.
pub(super) struct Damage {
    pub(super) moved_to: PathBuf,
    pub(super) reason: String,
}

enum Refusal {
    Damaged(String),
    Error(OpenError),
}

/// Opens the store at `path`, creating it and its folder when they are missing.
pub(super) fn open(path: &Path, clock: &Clock) -> Result<Ready, OpenError> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let system = |source| system_error(path, source);
    create_private_dir(path.parent().unwrap_or(Path::new("."))).map_err(system)?;
    let lock = take_lock(path)?;
    let mut damage = None;
    let mut put_aside = |reason: String| {
        let moved_to = move_aside(path, clock.now()).map_err(system)?;
        damage = Some(Damage { moved_to, reason });
        create(path)
    };

    let mut created = !exists(path).map_err(system)?;
    if created && has_parts(path).map_err(system)? {
        put_aside("the main file is missing, other parts of it are there".to_owned())?;
    } else if created {
        create(path)?;
    }
    let writer = match connect(path) {
        Err(Refusal::Damaged(reason)) => {
            put_aside(reason)?;
            created = true;
            connect(path)
        }
        other => other,
    };
    let writer = writer.map_err(|refusal| refusal.into_error(path))?;
    let reader = connect_reader(path).map_err(|refusal| refusal.into_error(path))?;
    Ok(Ready { path: path.clone(), writer, reader, lock, created, damage })
}

/// The refusal of a store that a newer version wrote, told from the head of the file alone: its owner may have it open.
#[must_use]
pub fn newer_format(path: &Path) -> Option<OpenError> {
    use std::io::Read;
    let mut head = [0; 100];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).ok()?;
    let number = |at: usize| Some(i32::from_be_bytes(*head.get(at..)?.first_chunk()?));
    let (found, id) = (i64::from(number(60)?), number(68)?);
    let known = schema::STEPS.len();
    let is_newer = id == schema::APPLICATION_ID && usize::try_from(found).is_ok_and(|found| found > known);
    is_newer.then(|| OpenError::Newer { path: path.to_path_buf(), found, known })
}

/// The lock lies beside the store because the main file itself is replaced, and closing any handle to a file drops
/// the locks that SQLite holds on it.
fn take_lock(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    owner_only(&mut options);
    let lock = options.open(sibling(path, ".lock")).map_err(|source| system_error(path, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: path.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(system_error(path, source)),
    }
}

fn has_parts(path: &Path) -> io::Result<bool> {
    PARTS.iter().try_fold(false, |any, part| Ok(any || exists(&sibling(path, part))?))
}

/// Builds an empty store under another name and renames it, so that a crash never leaves half of one.
fn create(path: &Path) -> Result<(), OpenError> {
    let fresh = sibling(path, ".new");
    let built = build(&fresh).and_then(|()| {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::rename(&fresh, path)
            .and_then(|()| sync_dir(folder))
            .map_err(|e| Refusal::Error(system_error(path, e)))
    });
    built.map_err(|refusal| {
        // The first error is the one to report; a leftover is removed by the next attempt.
        let _ = fs::remove_file(&fresh);
        refusal.into_error(path)
    })
}

fn build(fresh: &Path) -> Result<(), Refusal> {
    let system = |source| Refusal::Error(system_error(fresh, source));
    for suffix in std::iter::once("").chain(PARTS) {
        match fs::remove_file(sibling(fresh, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(system(error)),
            _ => {}
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    let file = options.open(fresh).map_err(system)?;

    let sql = |error| classify(fresh, error);
    let mut conn = open_connection(fresh).map_err(sql)?;
    conn.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF").map_err(sql)?;
    conn.pragma_update(None, "application_id", schema::APPLICATION_ID).map_err(sql)?;
    schema::migrate(&mut conn, schema::STEPS).map_err(sql)?;
    conn.execute_batch("PRAGMA journal_mode = WAL").map_err(sql)?;
    conn.close().map_err(|(_, error)| sql(error))?;
    file.sync_all().map_err(system)
}

/// A writing connection to a file that is ours, whole and current.
fn connect(path: &Path) -> Result<Connection, Refusal> {
    let system = |source| Refusal::Error(system_error(path, source));
    let sql = |error| classify(path, error);
    let clean = !exists(&sibling(path, "-wal")).map_err(system)?;
    let size = fs::metadata(path).map_err(system)?.len();
    if size == 0 {
        // SQLite would take it for a new file and remove a log that lies beside it.
        return Err(Refusal::Damaged("it is empty".to_owned()));
    }

    let mut conn = open_connection(path).map_err(sql)?;
    // Until the file is known to be good, closing it must not write a log into it that may not even be its own.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sql)?;
    check_identity(path, &conn)?;
    check_length(path, &conn, size, clean)?;
    if size <= ALWAYS_CHECKED || !clean {
        check_content(path, &conn)?;
    }
    schema::migrate(&mut conn, schema::STEPS).map_err(sql)?;
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(sql)?;
    if mode != "wal" {
        return Err(Refusal::Error(other(path, format!("it stays in journal mode {mode}"))));
    }
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 8388608",
    )
    .map_err(sql)?;
    for statement in ops::STATEMENTS {
        conn.prepare_cached(statement)
            .map_err(|error| Refusal::Damaged(format!("its tables are not the expected ones: {error}")))?;
    }
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(sql)?;
    Ok(conn)
}

/// Opened for writing although it only reads: SQLite would take other locks for a read-only handle, and those would
/// end the lock that keeps other processes out.
fn connect_reader(path: &Path) -> Result<Connection, Refusal> {
    let sql = |error| classify(path, error);
    let conn = open_connection(path).map_err(sql)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sql)?;
    conn.execute_batch("PRAGMA query_only = ON").map_err(sql)?;
    conn.busy_timeout(Duration::from_secs(5)).map_err(sql)?;
    Ok(conn)
}

fn open_connection(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    #[cfg(unix)]
    let conn = Connection::open_with_flags_and_vfs(path, flags, FILE_LAYER)?;
    #[cfg(not(unix))]
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::ZERO)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.execute_batch(&format!(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = {CACHE}"
    ))?;
    Ok(conn)
}

fn check_identity(path: &Path, conn: &Connection) -> Result<(), Refusal> {
    let sql = |error| classify(path, error);
    let id: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sql)?;
    if id != schema::APPLICATION_ID {
        return Err(Refusal::Damaged(format!("it is not a store of this program (application id {id:#x})")));
    }
    if conn.is_readonly(MAIN_DB).map_err(sql)? {
        let source = "it can only be read".into();
        return Err(Refusal::Error(OpenError::NotWritable { path: path.to_path_buf(), source }));
    }
    let found = schema::version(conn).map_err(sql)?;
    let known = schema::STEPS.len();
    match usize::try_from(found) {
        Ok(version) if (1..=known).contains(&version) => Ok(()),
        Ok(0) | Err(_) => Err(Refusal::Damaged(format!("its format number is {found}"))),
        Ok(_) => Err(Refusal::Error(OpenError::Newer { path: path.to_path_buf(), found, known })),
    }
}

/// SQLite reads what is missing of the last page as zeros. With a log beside the file that page may still be in it.
fn check_length(path: &Path, conn: &Connection, size: u64, clean: bool) -> Result<(), Refusal> {
    let page: i64 = conn
        .pragma_query_value(None, "page_size", |row| row.get(0))
        .map_err(|error| classify(path, error))?;
    let rest = u64::try_from(page).ok().and_then(|page| size.checked_rem(page));
    if clean && rest != Some(0) {
        Err(Refusal::Damaged("its last page is cut off".to_owned()))
    } else {
        Ok(())
    }
}

fn check_content(path: &Path, conn: &Connection) -> Result<(), Refusal> {
    let verdict: String = conn
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| classify(path, error))?;
    if verdict == "ok" { Ok(()) } else { Err(Refusal::Damaged(verdict)) }
}

impl Refusal {
    fn into_error(self, path: &Path) -> OpenError {
        match self {
            Self::Damaged(reason) => other(path, reason),
            Self::Error(error) => error,
        }
    }
}

fn classify(path: &Path, error: rusqlite::Error) -> Refusal {
    let path = path.to_path_buf();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Refusal::Damaged(error.to_string()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Refusal::Error(OpenError::Locked { path })
        }
        Some(ErrorCode::DiskFull) => Refusal::Error(OpenError::Full { path }),
        Some(ErrorCode::CannotOpen) if let Err(why) = disk::ask(&path) => {
            Refusal::Error(system_error(&path, why))
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            Refusal::Error(OpenError::NotWritable { path, source: error.into() })
        }
        _ => Refusal::Error(OpenError::Other { path, source: error.into() }),
    }
}

fn system_error(path: &Path, source: io::Error) -> OpenError {
    let path = path.to_path_buf();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => OpenError::Full { path },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            OpenError::NotWritable { path, source: source.into() }
        }
        _ => OpenError::Other { path, source: source.into() },
    }
}

fn other(path: &Path, reason: String) -> OpenError {
    OpenError::Other { path: path.to_path_buf(), source: reason.into() }
}
