//! The named pipe. Its access list lets in its owner alone, so the system itself refuses everybody else, and nobody on
//! another machine can open it. The system removes it with its last handle, so nothing is left over from a crash.

use std::io;
use std::path::{Path, PathBuf};

use gateway_admin::endpoint::{Endpoint, Fallback};
use interprocess::os::windows::named_pipe::tokio::{DuplexPipeStream, PipeListener};
use interprocess::os::windows::named_pipe::{PipeListenerOptions, pipe_mode};
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use widestring::u16cstr;

use super::Error;

/// What the system says to a second first instance of a pipe.
const ACCESS_DENIED: i32 = 5;

/// A caller's connection.
pub(in crate::admin) type Stream = DuplexPipeStream<pipe_mode::Bytes>;

/// The bound pipe. Dropping it closes and removes it.
#[derive(Debug)]
pub struct Listener {
    pipe: PipeListener<pipe_mode::Bytes, pipe_mode::Bytes>,
    path: PathBuf,
}

impl Listener {
    /// Makes the pipe of the daemon that keeps its state in `state_dir`. Must run inside a tokio runtime.
    #[allow(clippy::unused_async, reason = "the same shape as on Unix")]
    pub async fn bind(state_dir: &Path, fallback: &Fallback) -> Result<Self, Error> {
        let path = Endpoint::choose(state_dir, fallback)?.path().to_path_buf();
        let bind = |source| Error::Bind { path: path.clone(), source };
        // Protected from inheritance; everything for the owner, nothing for anybody else.
        let owner_only = SecurityDescriptor::deserialize(u16cstr!("D:P(A;;GA;;;OW)")).map_err(bind)?;
        let options = PipeListenerOptions::new()
            .path(path.as_path())
            .accept_remote(false)
            .security_descriptor(Some(owner_only));
        match options.create_tokio_duplex::<pipe_mode::Bytes>() {
            Ok(pipe) => Ok(Self { pipe, path }),
            // Only the first instance is made here, and this one exists.
            Err(error) if error.raw_os_error() == Some(ACCESS_DENIED) => Err(Error::AlreadyRunning { path }),
            Err(error) => Err(bind(error)),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection.
    pub(in crate::admin) async fn accept(&self) -> io::Result<Stream> {
        self.pipe.accept().await
    }
}

/// Users have no numbers here. Whoever could open the pipe is its owner, who counts as number 0.
pub(in crate::admin) fn uid_of(_: &Stream) -> Option<u32> {
    Some(own_uid())
}

/// The number that stands for the owner of the pipe.
#[must_use]
pub fn own_uid() -> u32 {
    0
}
