//! `gateway` with no verb is the daemon: this process is replaced by the `gatewayd` that lies beside it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::exit::Failure;

/// The file of the daemon.
pub const DAEMON: &str = if cfg!(windows) { "gatewayd.exe" } else { "gatewayd" };

/// Becomes the daemon. It returns only when that failed; on Windows, which cannot replace a process, also with the
/// daemon's exit code.
pub fn become_daemon(own: Option<PathBuf>, arguments: Vec<OsString>) -> Result<u8, Failure> {
    let program = sibling(own.as_deref()).unwrap_or_else(|| PathBuf::from(DAEMON));
    let mut command = Command::new(&program);
    command.args(arguments);
    let failed = |error: std::io::Error| {
        Failure::failed(format!("cannot start {}: {error}", program.display()))
            .hint("Put gatewayd beside gatewayctl, or on the PATH.")
    };
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        Err(failed(command.exec()))
    }
    #[cfg(not(unix))]
    {
        let status = command.status().map_err(failed)?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    }
}

/// The daemon beside this program, through links such as `clawdbot`.
#[must_use]
pub fn sibling(own: Option<&Path>) -> Option<PathBuf> {
    let own = own?;
    let real = std::fs::canonicalize(own).unwrap_or_else(|_| own.to_path_buf());
    [own, &real]
        .into_iter()
        .filter_map(Path::parent)
        .map(|folder| folder.join(DAEMON))
        .find(|path| path.is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_is_found_beside_the_program_and_through_a_link() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let (bin, links) = (dir.path().join("bin"), dir.path().join("links"));
        std::fs::create_dir(&bin).expect("folder");
        std::fs::create_dir(&links).expect("folder");
        std::fs::write(bin.join("gatewayctl"), "").expect("file");
        let link = links.join("clawdbot");
        std::os::unix::fs::symlink(bin.join("gatewayctl"), &link).expect("link");
        assert_eq!(sibling(Some(&link)), None);
        std::fs::write(bin.join("gatewayd"), "").expect("file");
        let real = std::fs::canonicalize(&bin).expect("is there").join("gatewayd");
        assert_eq!(sibling(Some(&link)), Some(real));
        assert_eq!(sibling(None), None);
    }
}
