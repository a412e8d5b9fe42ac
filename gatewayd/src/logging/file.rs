//! The log file: JSON lines, 0600 in a 0700 folder, rotated by size by whoever writes, opened anew when somebody
//! moved it. A disk that is full costs records, never the daemon, and what was lost is counted in the file as soon
//! as it can be written again.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_base::atomic_file;
use gateway_base::clock::{Clock, iso_utc};
use gateway_base::redact::Redactor;
use serde::Serialize;
use serde_json::{Map, Value};

use super::console::masked;
use super::handle::Shared;
use super::level;
use super::queue::{Queue, Sink, note};
use super::record::Record;

/// The file is rotated before it grows beyond this.
const ROTATE_AT: u64 = 10 * 1024 * 1024;
/// Old files that are kept: `gateway.log.1`, the newest, to `gateway.log.7`.
const KEPT: u32 = 7;
/// Records that are kept for a file that is not named yet.
const EARLY: usize = 512;
/// A buffer this big is written although more records are waiting.
const BUFFER: usize = 64 * 1024;
/// How often the name is compared with the open file, and a file that failed is tried again.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) struct FileSink {
    shared: Arc<Shared>,
    console: Queue,
    clock: Clock,
    pub(super) rotate_at: u64,
    seen: u64,
    path: Option<PathBuf>,
    redactor: Arc<Redactor>,
    early: VecDeque<Arc<Record>>,
    buffer: Vec<u8>,
    buffered: u64,
    open: Option<Open>,
    looked: Instant,
    lost: u64,
    complained: bool,
}

struct Open {
    file: File,
    size: u64,
    /// The last write ended inside a line.
    is_torn: bool,
}

impl FileSink {
    pub(super) fn new(shared: Arc<Shared>, console: Queue, clock: Clock) -> Self {
        Self {
            shared,
            console,
            clock,
            rotate_at: ROTATE_AT,
            seen: 0,
            path: None,
            redactor: Arc::new(Redactor::off()),
            early: VecDeque::new(),
            buffer: Vec::new(),
            buffered: 0,
            open: None,
            looked: Instant::now(),
            lost: 0,
            complained: false,
        }
    }

    fn take_changes(&mut self) {
        if let Some(texts) = self.shared.newer(&mut self.seen) {
            // What came before the change still belongs to the file that was open.
            if !self.buffer.is_empty() {
                self.write_out();
            }
            self.path = texts.file;
            self.redactor = texts.redactor;
            self.open = None;
            self.complained = false;
            if self.path.is_some() {
                for record in std::mem::take(&mut self.early) {
                    self.append(&record);
                }
            }
        }
    }

    fn append(&mut self, record: &Record) {
        encode(&mut self.buffer, record, &self.redactor);
        self.buffered += 1;
        if self.buffer.len() >= BUFFER {
            self.write_out();
        }
    }

    /// Writes the buffer. A file that is not open is opened even when there is nothing to write, so that it exists as
    /// soon as it is named or was moved away, and comes back by itself after a failure.
    fn write_out(&mut self) {
        let Some(path) = self.path.clone() else { return };
        if self.buffer.is_empty() && self.open.is_some() {
            return;
        }
        match self.try_write(&path) {
            Ok(()) => {
                self.complained = false;
                self.shared.report(None);
            }
            Err(error) => self.lose(&path, &error),
        }
        self.buffer.clear();
        self.buffered = 0;
    }

    fn try_write(&mut self, path: &Path) -> io::Result<()> {
        self.ready(path)?;
        let lost = std::mem::take(&mut self.lost);
        let Some(open) = &mut self.open else { return Ok(()) };
        let mut head = Vec::new();
        if open.is_torn {
            head.push(b'\n');
        }
        if lost > 0 {
            let text = format!("{lost} log records were lost: the log file could not be written");
            encode(&mut head, &note(self.clock.now(), text), &self.redactor);
        }
        if !head.is_empty() {
            head.append(&mut self.buffer);
            self.buffer = head;
        }
        let written = open.write(&self.buffer);
        if written.is_err() {
            self.lost = lost;
        }
        written
    }

    /// Opens the file if it is not open, or if its name stands for another one by now, and rotates it when full.
    fn ready(&mut self, path: &Path) -> io::Result<()> {
        let look = self.looked.elapsed() >= LOOK_EVERY;
        if look {
            self.looked = Instant::now();
            if self.open.as_ref().is_some_and(|open| !is_at(&open.file, path)) {
                self.open = None;
            }
        }
        if self.open.is_none() {
            // A file that failed is not tried again for every batch.
            if self.complained && !look {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.open = Some(open(path)?);
        }
        let grown = self.buffer.len() as u64;
        let is_full = |open: &Open| open.size > 0 && open.size + grown > self.rotate_at;
        if self.open.as_ref().is_some_and(is_full) {
            let full = self.open.take();
            let rotated = full.map_or(Ok(()), |full| rotate(&full.file, path));
            self.open = Some(open(path)?);
            // The file that cannot be moved is still better than none.
            if let Err(error) = rotated {
                self.complain(&format!("the log file {} cannot be rotated: {error}", path.display()));
            }
        }
        Ok(())
    }

    fn lose(&mut self, path: &Path, error: &io::Error) {
        self.lost += self.buffered;
        self.open = None;
        if error.kind() != io::ErrorKind::WouldBlock {
            let text = format!("the log file {} cannot be written: {error}", path.display());
            self.complain(&text);
            self.shared.report(Some(text));
            self.looked = Instant::now();
        }
    }

    /// Says it on the console, once until it works again.
    fn complain(&mut self, text: &str) {
        if !std::mem::replace(&mut self.complained, true) {
            self.console.offer(note(self.clock.now(), text.to_owned()));
        }
    }
}

impl Sink for FileSink {
    fn write(&mut self, record: &Arc<Record>) {
        self.take_changes();
        if self.path.is_some() {
            self.append(record);
            return;
        }
        if self.early.len() >= EARLY {
            self.early.pop_front();
            self.lost += 1;
        }
        self.early.push_back(record.clone());
    }

    fn flush(&mut self) {
        self.take_changes();
        self.write_out();
    }

    fn retry_in(&self) -> Option<Duration> {
        let failed = self.path.is_some() && self.open.is_none();
        failed.then(|| LOOK_EVERY.saturating_sub(self.looked.elapsed()))
    }
}

impl Open {
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.size += count as u64;
                    self.is_torn = bytes.get(count - 1) != Some(&b'\n');
                    bytes = bytes.get(count..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<Open> {
    if let Some(folder) = path.parent() {
        atomic_file::create_private_dir(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).read(true);
    atomic_file::owner_only(&mut options);
    let file = options.open(path)?;
    let size = file.metadata()?.len();
    let is_torn = size > 0 && last_byte(&file, size) != Some(b'\n');
    Ok(Open { file, size, is_torn })
}

/// A crash or a full disk may have left half a line behind.
fn last_byte(mut file: &File, size: u64) -> Option<u8> {
    use std::io::{Read, Seek, SeekFrom};
    let mut byte = [0];
    file.seek(SeekFrom::Start(size.saturating_sub(1))).ok()?;
    file.read_exact(&mut byte).ok()?;
    Some(byte[0])
}

/// Moves the full file aside, unless another process that writes the same file has done so while we looked.
fn rotate(full: &File, path: &Path) -> io::Result<()> {
    full.lock()?;
    if !is_at(full, path) {
        return Ok(());
    }
    for n in (1..KEPT).rev() {
        match fs::rename(numbered(path, n), numbered(path, n + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, numbered(path, 1))
}

fn numbered(path: &Path, n: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}"));
    PathBuf::from(name)
}

/// Whether `path` is the name of the open file.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        match (file.metadata(), fs::metadata(path)) {
            (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

#[derive(Serialize)]
struct Line<'a> {
    time: &'a str,
    #[serde(rename = "_meta")]
    meta: Meta<'a>,
    #[serde(rename = "1")]
    message: &'a str,
    #[serde(rename = "2", skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta<'a> {
    date: &'a str,
    log_level_id: u8,
    log_level_name: String,
    /// The name of the logger is itself JSON, as the original's viewers expect.
    name: String,
    parent_names: [&'static str; 1],
}

/// Appends the line for `record`.
pub(super) fn encode(out: &mut Vec<u8>, record: &Record, redactor: &Redactor) {
    let time = iso_utc(record.at);
    let meta = Meta {
        date: &time,
        log_level_id: level::id(record.level),
        log_level_name: level::word(record.level).to_ascii_uppercase(),
        name: serde_json::json!({ "subsystem": record.subsystem }).to_string(),
        parent_names: ["clawdbot"],
    };
    let fields =
        record.fields.iter().map(|(key, value)| (key.clone(), masked(key, value, redactor))).collect();
    let line = Line { time: &time, meta, message: &redactor.apply(&record.message), fields };
    // Plain data into a Vec: neither the encoder nor the writer can fail.
    let _ = serde_json::to_writer(&mut *out, &line);
    out.push(b'\n');
}
