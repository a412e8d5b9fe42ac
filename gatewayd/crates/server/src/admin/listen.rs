//! Where calls of the admin service come in, so that only the daemon's own user can make them: a Unix socket in a
//! private folder, or a named pipe with an access list. Whether another daemon runs is asked by connecting.

use std::io;
use std::path::PathBuf;

use gateway_admin::endpoint;

#[cfg(windows)]
mod pipe;
#[cfg(unix)]
mod socket;
#[cfg(windows)]
use pipe as system;
#[cfg(unix)]
use socket as system;

pub use system::{Listener, own_uid};
pub(super) use system::{Stream, uid_of};

/// Why the admin socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another daemon answers.
    #[error(
        "another gateway already answers at {path}; stop it first, or use another profile or state directory"
    )]
    AlreadyRunning {
        /// Its socket.
        path: PathBuf,
    },
    /// No path is short enough.
    #[error(transparent)]
    NoPlace(#[from] endpoint::Error),
    /// The folder for the socket cannot be made private.
    #[error("the folder {path} for the admin socket cannot be made or closed to others")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// The folder for the socket is somebody else's, or no folder.
    #[error("{path} must be a folder of this user to hold the admin socket, but it {problem}; move it away")]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// What it is instead.
        problem: String,
    },
    /// The socket cannot be made.
    #[error("cannot listen on the admin socket {path}")]
    Bind {
        /// The socket.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// The place of the socket cannot be written where clients look.
    #[error("cannot write the place of the admin socket to {path}")]
    Pointer {
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
}
