//! Mode and owner of a file. Where files have neither, they read as nothing and are not set.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Mode and owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// The permission bits.
    pub mode: u32,
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Attributes {
    /// Those of the file, or of what a link leads to.
    pub fn of(path: &Path) -> io::Result<Self> {
        let meta = fs::metadata(path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Ok(Self { mode: meta.mode() & 0o7777, uid: meta.uid(), gid: meta.gid() })
        }
        #[cfg(not(unix))]
        {
            let _ = meta;
            Ok(Self::default())
        }
    }

    /// Gives them to the file.
    pub fn restore(self, path: &Path) -> io::Result<()> {
        #[cfg(unix)]
        {
            let now = Self::of(path)?;
            if (now.uid, now.gid) != (self.uid, self.gid) {
                std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))?;
            }
            // After the owner: a change of owner may clear bits.
            set_mode(path, self.mode)
        }
        #[cfg(not(unix))]
        {
            let _ = path;
            Ok(())
        }
    }
}

/// Gives the file these permission bits.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }
    #[cfg(not(unix))]
    {
        let _ = (path, mode);
        Err(io::ErrorKind::Unsupported.into())
    }
}
