//! Reads the end of the log file the way `logs.tail` promises (ws-protocol 5.13): a byte cursor that clients hand
//! back, bounded work whatever the file's size, and a `reset` when what the cursor pointed at is gone.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The file that was read.
    pub file: PathBuf,
    /// Where the next call should go on.
    pub cursor: u64,
    /// Size of the file.
    pub size: u64,
    /// Whole lines, oldest first.
    pub lines: Vec<String>,
    /// Whether there was more before the first line than `max_bytes` allowed.
    pub truncated: bool,
    /// Whether the cursor was of no use, because the file is another one or the cursor too far behind.
    pub reset: bool,
}

/// The last `limit` lines among the last `max_bytes` bytes of `path`, or what was added since `cursor`. A missing
/// file reads as empty. Blocks on the disk.
pub fn tail(path: &Path, cursor: Option<u64>, limit: usize, max_bytes: u64) -> Result<Tail, io::Error> {
    let file = resolve(path);
    let size = match fs::metadata(&file) {
        Ok(about) if about.is_file() => about.len(),
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Tail { file, cursor: 0, size: 0, lines: Vec::new(), truncated: false, reset: false });
        }
        Err(error) => return Err(error),
    };
    let Window { start, truncated, reset } = window(size, cursor, max_bytes);
    let lines = if start < size { read_lines(&file, start, size, limit)? } else { Vec::new() };
    Ok(Tail { file, cursor: size, size, lines, truncated, reset })
}

struct Window {
    start: u64,
    truncated: bool,
    reset: bool,
}

fn window(size: u64, cursor: Option<u64>, max_bytes: u64) -> Window {
    let earliest = size.saturating_sub(max_bytes);
    match cursor {
        None => Window { start: earliest, truncated: earliest > 0, reset: false },
        Some(cursor) if cursor > size => Window { start: earliest, truncated: earliest > 0, reset: true },
        Some(cursor) if cursor < earliest => Window { start: earliest, truncated: true, reset: true },
        Some(cursor) => Window { start: cursor, truncated: false, reset: false },
    }
}

/// One byte before `start` is read too: it says whether the first line is whole.
fn read_lines(file: &Path, start: u64, size: u64, limit: usize) -> io::Result<Vec<String>> {
    let before = u64::from(start > 0);
    let mut open = File::open(file)?;
    open.seek(SeekFrom::Start(start - before))?;
    let mut content = Vec::new();
    open.take(size - start + before).read_to_end(&mut content)?;

    let mut lines: Vec<&[u8]> = content.split(|&byte| byte == b'\n').collect();
    if before > 0 {
        // Either the rest of a line that began earlier, or the nothing before a newline.
        lines.remove(0);
    }
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let skip = lines.len().saturating_sub(limit);
    Ok(lines[skip..].iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect())
}

/// `path`, or the newest of its kind when it is one of a daily series and not there.
fn resolve(path: &Path) -> PathBuf {
    if !path.file_name().is_some_and(is_rolling) || path.exists() {
        return path.to_path_buf();
    }
    let siblings = path.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let newest = siblings
        .filter(|entry| is_rolling(&entry.file_name()))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .max();
    newest.map_or_else(|| path.to_path_buf(), |(_, found)| found)
}

/// `clawdbot-YYYY-MM-DD.log`
fn is_rolling(name: &std::ffi::OsStr) -> bool {
    let date = name.to_str().and_then(|n| n.strip_prefix("clawdbot-")?.strip_suffix(".log"));
    date.is_some_and(|date| {
        date.len() == 10
            && date
                .bytes()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("gateway.log");
        fs::write(&path, content).expect("write");
        (dir, path)
    }

    fn read(content: &str, cursor: Option<u64>, limit: usize, max_bytes: u64) -> (String, u64, bool, bool) {
        let (_dir, path) = file(content.as_bytes());
        let tail = tail(&path, cursor, limit, max_bytes).expect("read");
        assert_eq!((tail.file, tail.size), (path, content.len() as u64));
        (tail.lines.join("|"), tail.cursor, tail.truncated, tail.reset)
    }

    #[test]
    fn without_a_cursor_it_reads_the_end() {
        let all = "one\ntwo\nthree\n";
        assert_eq!(read(all, None, 500, 1000), ("one|two|three".into(), 14, false, false));
        assert_eq!(read(all, None, 2, 1000), ("two|three".into(), 14, false, false));
        assert_eq!(read(all, None, 500, 14), ("one|two|three".into(), 14, false, false));
        assert_eq!(read(all, None, 500, 10), ("two|three".into(), 14, true, false));
        assert_eq!(read(all, None, 500, 9), ("three".into(), 14, true, false));
        assert_eq!(read(all, None, 500, 1), (String::new(), 14, true, false));
        assert_eq!(read("", None, 500, 10), (String::new(), 0, false, false));
        assert_eq!(read("\n\na", None, 500, 10), ("||a".into(), 3, false, false));
    }

    #[test]
    fn a_cursor_goes_on_where_it_was() {
        let all = "one\ntwo\nthree\n";
        assert_eq!(read(all, Some(4), 500, 1000), ("two|three".into(), 14, false, false));
        assert_eq!(read(all, Some(14), 500, 1000), (String::new(), 14, false, false));
        assert_eq!(read(all, Some(0), 500, 1000), ("one|two|three".into(), 14, false, false));
        assert_eq!(read(all, Some(4), 500, 10), ("two|three".into(), 14, false, false));
        assert_eq!(
            read(all, Some(5), 500, 1000),
            ("three".into(), 14, false, false),
            "inside a line: its rest is dropped"
        );
    }

    #[test]
    fn a_useless_cursor_is_reset() {
        let all = "one\ntwo\nthree\n";
        assert_eq!(
            read(all, Some(15), 500, 1000),
            ("one|two|three".into(), 14, false, true),
            "the file is another one"
        );
        assert_eq!(read(all, Some(u64::MAX), 500, 6), ("three".into(), 14, true, true));
        assert_eq!(read(all, Some(3), 500, 10), ("two|three".into(), 14, true, true), "too far behind");
        assert_eq!(read("", Some(5), 500, 10), (String::new(), 0, false, true));
    }

    #[test]
    fn bytes_that_are_no_text_do_not_matter() {
        let (_dir, path) = file(b"a\xff\n\xe2\x82\xac\n");
        let found = tail(&path, None, 500, 3).expect("read");
        assert_eq!((found.lines.len(), found.truncated), (0, true), "the window begins inside the last line");
        assert_eq!(tail(&path, None, 500, 99).expect("read").lines, ["a\u{fffd}", "\u{20ac}"]);
    }

    #[test]
    fn what_is_not_there_is_empty_and_what_is_no_file_is_an_error() {
        let (dir, path) = file(b"");
        let missing = tail(&dir.path().join("other.log"), Some(9), 500, 10).expect("read");
        assert_eq!((missing.cursor, missing.size, missing.lines.len(), missing.reset), (0, 0, 0, false));
        tail(dir.path(), None, 500, 10).expect_err("a folder");
        tail(&path.join("x"), None, 500, 10).expect_err("below a file");
    }

    #[test]
    fn a_rolling_name_finds_the_newest_of_its_kind() {
        let (dir, _) = file(b"other\n");
        let asked = dir.path().join("clawdbot-2026-01-31.log");
        assert_eq!(tail(&asked, None, 500, 10).expect("read").size, 0);
        for (name, second) in
            [("clawdbot-2026-01-30.log", 9), ("clawdbot-2026-01-29.log", 8), ("clawdbot-2026.log", 10)]
        {
            fs::write(dir.path().join(name), format!("{name}\n")).expect("write");
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second);
            File::options()
                .write(true)
                .open(dir.path().join(name))
                .and_then(|f| f.set_modified(time))
                .expect("time");
        }
        let found = tail(&asked, None, 500, 99).expect("read");
        assert_eq!(found.lines, ["clawdbot-2026-01-30.log"]);
        assert!(found.file.ends_with("clawdbot-2026-01-30.log"));
    }
}
