//! The Unix socket. One that nobody answers on is left over from a crash and is removed. The daemon holds its state lock
//! before it comes here, so two that start at once cannot both find the socket stale.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use gateway_admin::endpoint::{self, Endpoint, Fallback};
use gateway_base::atomic_file;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::Error;

/// The bound admin socket. Dropping it closes and removes it.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
    pointer: Option<PathBuf>,
    /// Device and inode, to remove only what was made here.
    identity: (u64, u64),
    /// Cancelled when the next image of the program goes on with it.
    stays: CancellationToken,
}

impl Listener {
    /// Goes on with the socket that the image of the program before this one handed over. One that is not where clients
    /// look is closed, and another is bound.
    pub async fn inherit(
        socket: std::os::unix::net::UnixListener,
        state_dir: &Path,
        fallback: &Fallback,
    ) -> Result<Self, Error> {
        let path = Endpoint::choose(state_dir, fallback)?.path().to_path_buf();
        if !is_at(&socket, &path) {
            drop(socket);
            return Self::bind(state_dir, fallback).await;
        }
        private_folder(path.parent().unwrap_or(state_dir))?;
        let bind = |source| Error::Bind { path: path.clone(), source };
        socket.set_nonblocking(true).map_err(bind)?;
        let socket = UnixListener::from_std(socket).map_err(bind)?;
        Self::new(socket, path, state_dir)
    }

    /// Binds the socket of the daemon that keeps its state in `state_dir`. Must run inside a tokio runtime.
    pub async fn bind(state_dir: &Path, fallback: &Fallback) -> Result<Self, Error> {
        let place = Endpoint::choose(state_dir, fallback)?;
        // An earlier daemon may have chosen another place, because its environment was another.
        for taken in [Endpoint::find(state_dir).path(), place.path()] {
            if answers(taken).await {
                return Err(Error::AlreadyRunning { path: taken.to_path_buf() });
            }
        }
        let path = place.path().to_path_buf();
        let folder = path.parent().unwrap_or(state_dir);
        atomic_file::create_private_dir(state_dir)
            .map_err(|source| Error::Folder { path: state_dir.to_path_buf(), source })?;
        private_folder(folder)?;
        let bind = |source| Error::Bind { path: path.clone(), source };
        remove_stale(&path).map_err(bind)?;
        let socket = UnixListener::bind(&path).map_err(bind)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(bind)?;
        Self::new(socket, path, state_dir)
    }

    fn new(socket: UnixListener, path: PathBuf, state_dir: &Path) -> Result<Self, Error> {
        let identity = identity(&path).map_err(|source| Error::Bind { path: path.clone(), source })?;
        let mut listener = Self { socket, path, pointer: None, identity, stays: CancellationToken::new() };
        listener.point(state_dir)?;
        Ok(listener)
    }

    /// Cancelling it leaves the socket where it is when this is dropped, for the next image of the program.
    #[must_use]
    pub fn stays(&self) -> CancellationToken {
        self.stays.clone()
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection.
    pub(in crate::admin) async fn accept(&self) -> io::Result<Stream> {
        self.socket.accept().await.map(|(stream, _)| stream)
    }

    /// Writes down where the socket is when that is not its usual place.
    fn point(&mut self, state_dir: &Path) -> Result<(), Error> {
        let file = endpoint::pointer_file(state_dir);
        let failed = |source| Error::Pointer { path: file.clone(), source };
        if self.path == endpoint::default_socket(state_dir) {
            return absent(fs::remove_file(&file)).map_err(failed);
        }
        if let Some(folder) = file.parent() {
            private_folder(folder)?;
        }
        let text = format!("{}\n", self.path.display());
        atomic_file::replace(&file, text.as_bytes()).map_err(failed)?;
        self.pointer = Some(file);
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.stays.is_cancelled() {
            return;
        }
        // Another daemon may have found it closed already and put its own there.
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            let _ = fs::remove_file(&self.path);
            if let Some(pointer) = &self.pointer {
                let _ = fs::remove_file(pointer);
            }
        }
    }
}

impl std::os::fd::AsFd for Listener {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Whether an inherited socket is the one that clients find at `path`. One that was removed from there is found by
/// nobody.
fn is_at(socket: &std::os::unix::net::UnixListener, path: &Path) -> bool {
    let is_there = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    is_there && socket.local_addr().is_ok_and(|address| address.as_pathname() == Some(path))
}

/// Whether somebody listens at `path`, even if too busy to accept.
async fn answers(path: &Path) -> bool {
    match UnixStream::connect(path).await {
        Ok(_) => true,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => absent(fs::remove_file(path)),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is in the way")),
        Err(error) => absent(Err(error)),
    }
}

fn absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Makes `folder` a real folder of this user with mode 0700, whatever the umask is.
fn private_folder(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error::Folder { path: folder.to_path_buf(), source };
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.map_err(failed)?,
    }
    // Not through a link: in a shared folder it could be anyone's and point anywhere.
    let found = fs::symlink_metadata(folder).map_err(failed)?;
    let own = own_uid();
    let problem = match () {
        () if !found.is_dir() => Some("is something else".to_owned()),
        () if found.uid() != own => Some(format!("belongs to user {}", found.uid())),
        () => None,
    };
    if let Some(problem) = problem {
        return Err(Error::NotOurs { path: folder.to_path_buf(), problem });
    }
    if found.mode() & 0o777 == 0o700 {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(failed)
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

/// A caller's connection.
pub(in crate::admin) type Stream = UnixStream;

/// The user at the other end by the kernel's word, when it tells.
pub(in crate::admin) fn uid_of(stream: &Stream) -> Option<u32> {
    stream.peer_cred().ok().map(|peer| peer.uid())
}

/// The user this process runs as.
#[must_use]
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests;
