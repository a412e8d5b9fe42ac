//! Where the watch keeps its things: `<state>/watch` with the settings of the timer, the record of the looks and their
//! lock. For a timer of the machine the settings are root's and stand beside its unit.

use std::fs;
use std::io;
use std::path::PathBuf;

use gateway_base::atomic_file;
use gateway_base::paths::Paths;

use super::record::Record;

/// The largest file that is read.
const MAX_FILE: u64 = 1 << 20;

/// The files of one gateway's watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: PathBuf,
}

/// What reading the record gave.
#[derive(Debug, Default)]
pub struct Read {
    /// The record; a new one when there was none that can be used.
    pub record: Record,
    /// What is worth knowing about that.
    pub note: Option<String>,
}

impl Place {
    /// That of the gateway with these paths.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self { folder: paths.state.join("watch") }
    }

    /// The settings of the timer.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.folder.join("settings.json")
    }

    /// The lock that lets one look at a time write.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    fn record(&self) -> PathBuf {
        self.folder.join("record.json")
    }

    /// Reads the record. A damaged one is put aside, never written over.
    pub fn read(&self) -> Read {
        let path = self.record();
        let text = match fs::metadata(&path).and_then(|meta| {
            if meta.len() > MAX_FILE { Err(io::Error::other("it is too large")) } else { fs::read(&path) }
        }) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Read::default(),
            Err(error) => return self.put_aside(&error.to_string()),
        };
        match serde_json::from_slice(&text) {
            Ok(record) => Read { record, note: None },
            Err(error) => self.put_aside(&error.to_string()),
        }
    }

    /// Reads the record and leaves everything as it is.
    #[must_use]
    pub fn peek(&self) -> Option<Record> {
        let path = self.record();
        let small = fs::metadata(&path).is_ok_and(|meta| meta.len() <= MAX_FILE);
        small.then(|| fs::read(&path).ok()).flatten().and_then(|text| serde_json::from_slice(&text).ok())
    }

    fn put_aside(&self, why: &str) -> Read {
        let (path, aside) = (self.record(), self.folder.join("record.json.damaged"));
        let done = match fs::rename(&path, &aside) {
            Ok(()) => format!("it was moved to {}", aside.display()),
            Err(error) => format!("it could not be moved aside either: {error}"),
        };
        let note =
            format!("The record of earlier looks could not be read ({}: {why}); {done}.", path.display());
        Read { record: Record::default(), note: Some(note) }
    }

    /// Writes the record.
    pub fn write(&self, record: &Record) -> io::Result<()> {
        atomic_file::replace(&self.record(), &serde_json::to_vec(record)?)
    }

    /// Removes everything.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_record_is_put_aside_and_said() {
        let dir = tempfile::tempdir().expect("folder");
        let place = Place { folder: dir.path().join("watch") };
        assert!(place.read().note.is_none(), "the first look has no record");
        let record: Record = serde_json::from_str(r#"{"seen": true}"#).expect("a record");
        place.write(&record).expect("is written");
        assert_eq!(place.read().record, record);
        for bad in ["", "{", "7", "{\"incident\": 7}", "\0\0\0"] {
            fs::write(place.record(), bad).expect("file");
            let read = place.read();
            assert_eq!(read.record, Record::default(), "{bad}");
            assert!(read.note.is_some_and(|note| note.contains("record.json.damaged")), "{bad}");
            assert_eq!(
                fs::read_to_string(place.folder.join("record.json.damaged")).ok().as_deref(),
                Some(bad)
            );
        }
        fs::File::create(place.record()).and_then(|file| file.set_len(MAX_FILE + 1)).expect("file");
        assert!(place.read().note.is_some_and(|note| note.contains("too large")));
        assert!(place.read().note.is_none());
        place.remove().expect("goes");
        place.remove().expect("is gone");
        assert!(!place.folder.exists());
    }
}
