//! The place where the program lies, with the version before it and the mark of an upgrade under way beside it. Every
//! change is one rename, so that at any moment there is a whole program to start.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use gateway_base::atomic_file;
use serde::{Deserialize, Serialize};

/// Which version takes the place of which; there for as long as an upgrade is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The version before.
    pub from: String,
    /// The version after.
    pub to: String,
}

/// A program's place.
#[derive(Clone, Debug)]
pub struct Place {
    /// The program, links followed: a link to it stays.
    pub program: PathBuf,
}

impl Place {
    /// The place of the program that is started as `path`.
    pub fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { program: fs::canonicalize(path)? })
    }

    /// Where the version before is kept.
    #[must_use]
    pub fn previous(&self) -> PathBuf {
        self.beside(".previous")
    }

    /// The upgrade that did not end.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        serde_json::from_slice(&fs::read(self.beside(".upgrade")).ok()?).ok()
    }

    /// Puts a copy of `new` in the place and keeps what was there.
    pub fn put(&self, new: &Path, mark: &Mark) -> io::Result<()> {
        self.with_copy(new, |incoming| {
            let text = serde_json::to_vec_pretty(mark).map_err(io::Error::other)?;
            atomic_file::replace(&self.beside(".upgrade"), &text)?;
            self.keep()?;
            fs::rename(incoming, &self.program)?;
            self.sync()
        })
    }

    /// Puts the version before back, and keeps again what was kept before the upgrade.
    pub fn take_back(&self) -> io::Result<()> {
        self.with_copy(&self.previous(), |incoming| fs::rename(incoming, &self.program))?;
        let earlier = self.beside(".earlier");
        if earlier.exists() {
            fs::rename(earlier, self.previous())?;
        }
        self.sync()
    }

    /// The upgrade has ended, one way or the other.
    pub fn done(&self) -> io::Result<()> {
        remove(&self.beside(".earlier"))?;
        remove(&self.beside(".upgrade"))?;
        self.sync()
    }

    /// Keeps the program as the version before: another name for it, or a copy where there can be none. What was kept
    /// until now stays until it is known whether the new version serves.
    fn keep(&self) -> io::Result<()> {
        let kept = self.beside(".keep");
        remove(&kept)?;
        if fs::hard_link(&self.program, &kept).is_err() {
            fs::copy(&self.program, &kept)?;
            File::open(&kept)?.sync_all()?;
        }
        if self.previous().exists() {
            fs::rename(self.previous(), self.beside(".earlier"))?;
        }
        fs::rename(&kept, self.previous())?;
        self.sync()
    }

    /// Does something with a copy of `new` beside the program. It is not left behind when that fails: half a program
    /// helps nobody, least of all on a disk that is full.
    fn with_copy(&self, new: &Path, then: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let incoming = self.beside(".incoming");
        remove(&incoming)?;
        let done = self.copy(new, &incoming).and_then(|()| then(&incoming));
        if done.is_err() {
            // The first error is the one to report.
            let _ = fs::remove_file(&incoming);
        }
        done
    }

    /// A copy on disk, with the program's owner and mode.
    fn copy(&self, new: &Path, incoming: &Path) -> io::Result<()> {
        let (mut from, about) = (File::open(new)?, fs::metadata(&self.program)?);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        atomic_file::owner_only(&mut options);
        let mut to = options.open(incoming)?;
        io::copy(&mut from, &mut to)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            let made = to.metadata()?;
            if (made.uid(), made.gid()) != (about.uid(), about.gid()) {
                fchown(&to, Some(about.uid()), Some(about.gid()))?;
            }
        }
        to.set_permissions(about.permissions())?;
        to.sync_all()
    }

    fn sync(&self) -> io::Result<()> {
        atomic_file::sync_dir(self.program.parent().unwrap_or(Path::new("/")))
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.program.file_name().map(OsString::from).unwrap_or_default();
        name.push(end);
        self.program.with_file_name(name)
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_copy_that_cannot_be_used_is_not_left_behind() {
        let dir = tempfile::tempdir().expect("folder");
        let (program, new) = (dir.path().join("program"), dir.path().join("new"));
        fs::write(&program, "old").expect("file");
        fs::write(&new, "new").expect("file");
        let place = Place::new(&program).expect("is there");
        let mark = Mark { from: "1".to_owned(), to: "2".to_owned() };
        // A folder cannot be replaced by the mark.
        fs::create_dir(place.beside(".upgrade")).expect("folder");
        place.put(&new, &mark).expect_err("there is no place for the mark");
        fs::remove_dir(place.beside(".upgrade")).expect("folder");
        place.put(dir.path(), &mark).expect_err("a folder cannot be copied");
        assert_eq!(fs::read_to_string(&program).expect("is there"), "old");
        assert!(!place.beside(".incoming").exists(), "half a program lies around");
    }

    #[test]
    fn the_old_one_is_kept_and_comes_back_with_its_mode() {
        let dir = tempfile::tempdir().expect("folder");
        let (real, link, new) = (dir.path().join("real"), dir.path().join("link"), dir.path().join("new"));
        fs::write(&real, "old").expect("file");
        fs::set_permissions(&real, fs::Permissions::from_mode(0o750)).expect("mode");
        fs::write(&new, "new").expect("file");
        std::os::unix::fs::symlink(&real, &link).expect("link");
        let place = Place::new(&link).expect("is there");
        let mark = Mark { from: "1".to_owned(), to: "2".to_owned() };
        // What an upgrade that was cut off left behind is in nobody's way.
        fs::write(dir.path().join("real.incoming"), "half").expect("file");
        place.put(&new, &mark).expect("is put");
        let read = |path: &Path| fs::read_to_string(path).expect("is there");
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!((read(&link), read(&place.previous())), ("new".to_owned(), "old".to_owned()));
        assert_eq!((mode(&real), place.mark()), (0o750, Some(mark.clone())));
        place.done().expect("is over");
        fs::write(&new, "bad").expect("file");
        place.put(&new, &mark).expect("is put");
        assert_eq!(
            read(&place.beside(".earlier")),
            "old",
            "kept until it is known whether the new one serves"
        );
        assert_eq!((read(&link), read(&place.previous())), ("bad".to_owned(), "new".to_owned()));
        place.take_back().expect("is taken back");
        place.done().expect("is over");
        assert_eq!((read(&link), read(&place.previous())), ("new".to_owned(), "old".to_owned()));
        assert_eq!((mode(&real), place.mark()), (0o750, None));
        place.put(&new, &mark).expect("is put");
        place.done().expect("is over");
        assert!(!place.beside(".earlier").exists(), "an upgrade that went well keeps one version before it");
        assert!(fs::symlink_metadata(&link).expect("is there").is_symlink());
        let mut left: Vec<_> = fs::read_dir(dir.path())
            .expect("folder")
            .map(|entry| entry.expect("entry").file_name().into_string().expect("text"))
            .collect();
        left.sort();
        assert_eq!(left, ["link", "new", "real", "real.previous"]);
    }
}
