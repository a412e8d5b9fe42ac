//! Replaces a file so that a crash leaves the old or the new content, never half of either (rule R5): write beside
//! it, fsync, rename, fsync the folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `content` to `path`, mode 0600 on Unix, creating missing folders with mode 0700. A symbolic link at
/// `path` keeps pointing where it did; its target is replaced.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = path.parent().ok_or_else(|| io::Error::other("the path has no folder"))?;
    create_private_dir(folder)?;
    let temporary = temporary_name(&path);
    let written = write_new(&temporary, content).and_then(|()| fs::rename(&temporary, &path));
    if written.is_err() {
        // The first error is the one to report; a leftover temporary file is harmless.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_dir(folder)
}

/// Writes `content` to `path`, mode 0600 on Unix, unless something is there already. Returns whether it was written: of
/// two that come at the same time one wins, and nobody ever sees half of it.
pub fn create(path: &Path, content: &[u8]) -> io::Result<bool> {
    let folder = path.parent().ok_or_else(|| io::Error::other("the path has no folder"))?;
    create_private_dir(folder)?;
    let temporary = temporary_name(path);
    let made = write_new(&temporary, content).and_then(|()| match fs::hard_link(&temporary, path) {
        Err(_) if fs::symlink_metadata(path).is_ok() => Ok(false),
        // Some file systems know no second name for a file.
        Err(_) => fs::rename(&temporary, path).map(|()| true),
        Ok(()) => Ok(true),
    });
    // It may have been renamed; the first error is the one to report.
    let _ = fs::remove_file(&temporary);
    if made? { sync_dir(folder).map(|()| true) } else { Ok(false) }
}

/// Creates `folder` and its parents, mode 0700 for those it creates.
pub fn create_private_dir(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// A file that these options create is readable and writable for its owner alone (mode 0600). Elsewhere than on Unix
/// files inherit the access of their folder.
#[cfg_attr(not(unix), allow(unused_variables, reason = "there is no mode to set"))]
pub fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

/// Makes a rename or a new name in `folder` survive a power cut.
pub fn sync_dir(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.{}.tmp", std::process::id(), crate::id::uuid()));
    path.with_file_name(name)
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    owner_only(&mut options);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_created_again() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("new/file");
        assert!(create(&path, b"one").expect("is made"));
        assert!(!create(&path, b"two").expect("is there"));
        assert_eq!(fs::read(&path).expect("content"), b"one");
        assert_eq!(fs::read_dir(dir.path().join("new")).expect("folder").count(), 1);
    }

    #[test]
    fn replaces_through_a_link_and_leaves_no_leftover() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let real = dir.path().join("real");
        let link = dir.path().join("link");
        replace(&real, b"one").expect("first write");
        std::os::unix::fs::symlink(&real, &link).expect("link");
        replace(&link, b"two").expect("second write");
        assert!(fs::symlink_metadata(&link).expect("link").is_symlink());
        assert_eq!(fs::read(&real).expect("content"), b"two");
        assert_eq!(fs::read_dir(dir.path()).expect("folder").count(), 2);
    }
}
