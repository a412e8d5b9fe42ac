//! Foreign clients that the tests use. `tests/setup.sh` installs them once below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tokio::sync::OnceCell;

use crate::workspace;

static VENV: OnceCell<PathBuf> = OnceCell::const_new();

/// A Python environment with the packages of `tests/requirements.txt`; the path of its `bin` folder.
pub async fn python_bin() -> Result<&'static Path> {
    let made = VENV.get_or_try_init(|| async {
        tokio::task::spawn_blocking(install).await.context("installing the Python packages")?
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
