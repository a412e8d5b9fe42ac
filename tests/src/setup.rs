//! Foreign clients that the tests use: Python packages, and Node packages beside the sources of the tests.
//! `tests/setup.sh` installs both once.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tokio::sync::OnceCell;

use crate::workspace;

static VENV: OnceCell<PathBuf> = OnceCell::const_new();

/// Installs what is missing. Returns the `bin` folder of a Python environment with the packages of
/// `tests/requirements.txt`; those of `tests/package.json` are where Node looks for them.
pub async fn foreign_clients() -> Result<&'static Path> {
    let made = VENV.get_or_try_init(|| async {
        tokio::task::spawn_blocking(install).await.context("installing foreign clients")?
    });
    made.await.map(PathBuf::as_path)
}

fn install() -> Result<PathBuf> {
    let script = workspace::root().join("tests").join("setup.sh");
    let output = Command::new("bash").arg(&script).output().context("running tests/setup.sh")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "tests/setup.sh failed:\n{complaint}");
    let venv = String::from_utf8(output.stdout).context("the last line is the path")?;
    let venv = venv.trim().lines().last().context("tests/setup.sh prints the path")?.to_owned();
    Ok(Path::new(&venv).join("bin"))
}
