//! The packages, made once from the programs under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::binaries;
use crate::program::Finished;
use crate::workspace;

static MADE: OnceCell<PathBuf> = OnceCell::const_new();

/// Long enough to pack debug binaries on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// Where the sources of the packages are.
pub fn sources() -> PathBuf {
    workspace::root().join("gatewayctl/packaging")
}

/// The folder with all packages.
pub async fn packages() -> Result<&'static Path> {
    let made = MADE.get_or_try_init(|| async {
        let binaries = binaries::folder().await?;
        let out = binaries.join("packages");
        if out.exists() {
            fs::remove_dir_all(&out)?;
        }
        let mut command = Command::new(sources().join("package.sh"));
        command.arg("--binaries").arg(binaries).arg(&out);
        good(&mut command).await?;
        anyhow::Ok(out)
    });
    made.await.map(PathBuf::as_path)
}

/// The only file in `folder` whose name ends so.
pub fn only(folder: &Path, ending: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let found =
        entries.iter().map(fs::DirEntry::path).filter(|path| path.to_string_lossy().ends_with(ending));
    match found.collect::<Vec<_>>().as_slice() {
        [one] => Ok(one.clone()),
        other => bail!("one file should end in {ending}: {other:?}"),
    }
}

/// Runs a command to its end.
pub async fn run(command: &mut Command) -> Result<Finished> {
    let what = format!("{:?}", command.as_std());
    let began = Instant::now();
    let output = timeout(LIMIT, command.kill_on_drop(true).output()).await;
    let output = output.with_context(|| format!("waited {LIMIT:?} for {what}"))?.context(what)?;
    Ok(Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        took: began.elapsed(),
    })
}

/// Runs a command that has to succeed; returns what it printed.
pub async fn good(command: &mut Command) -> Result<String> {
    let seen = run(command).await?;
    ensure!(seen.code == Some(0), "{:?}: {seen:?}", command.as_std());
    Ok(seen.stdout)
}
