//! Finds `gatewayd` and `gatewayctl` beside the running test, and builds them once when they are missing or older
//! than their sources. Cargo gives a test the path of its own package's binaries only, and `cargo test` does not
//! build those of others.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use tokio::sync::OnceCell;

use crate::workspace;

const NAMES: [&str; 2] = ["gatewayd", "gatewayctl"];

/// Folders whose content ends up in the binaries.
const SOURCES: [&str; 3] = ["gatewayd", "gatewayctl", "proto"];

static FOLDER: OnceCell<PathBuf> = OnceCell::const_new();

/// The folder with both binaries, up to date.
pub async fn folder() -> Result<&'static Path> {
    let found = FOLDER.get_or_try_init(|| async {
        tokio::task::spawn_blocking(find_or_build).await.context("looking for the binaries")?
    });
    found.await.map(PathBuf::as_path)
}

fn find_or_build() -> Result<PathBuf> {
    let test = std::env::current_exe().context("where this test is")?;
    let profile = test.parent().and_then(Path::parent).context("the test lies in target/<profile>/deps")?;
    if is_current(profile)? {
        return Ok(profile.to_path_buf());
    }
    // One build at a time; who waited finds the result.
    let lock = File::create(profile.join(".gateway-tests.lock")).context("creating the build lock")?;
    lock.lock().context("waiting for another build")?;
    if !is_current(profile)? {
        build(profile)?;
    }
    Ok(profile.to_path_buf())
}

fn build(profile: &Path) -> Result<()> {
    let name = profile.file_name().and_then(|n| n.to_str()).context("the profile has no name")?;
    let target = profile.parent().context("the target folder")?;
    let profile_name = if name == "debug" { "dev" } else { name };
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "-p", "gatewayd", "-p", "gatewayctl", "--profile", profile_name, "--target-dir"])
        .arg(target)
        .current_dir(workspace::root())
        .output()
        .context("running cargo")?;
    ensure!(output.status.success(), "building the binaries:\n{}", String::from_utf8_lossy(&output.stderr));
    for binary in NAMES {
        let path = profile.join(binary).with_extension(std::env::consts::EXE_EXTENSION);
        ensure!(path.exists(), "the build did not make {}", path.display());
        // Cargo leaves alone what a change does not reach; it is current all the same.
        File::options()
            .append(true)
            .open(&path)?
            .set_modified(now())
            .context("marking the binary as current")?;
    }
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "compared with the times of files")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn is_current(profile: &Path) -> Result<bool> {
    let oldest = NAMES.iter().map(|name| {
        let path = profile.join(name).with_extension(std::env::consts::EXE_EXTENSION);
        fs::metadata(path).and_then(|m| m.modified()).ok()
    });
    let Some(oldest) = oldest.collect::<Option<Vec<_>>>().and_then(|times| times.into_iter().min()) else {
        return Ok(false);
    };
    let root = workspace::root();
    let mut sources = vec![root.join("Cargo.toml"), root.join("Cargo.lock")];
    for folder in SOURCES {
        sources
            .extend(workspace::files(&root.join(folder), &["rs", "toml", "proto", "sql", "json", "html"])?);
    }
    for source in sources {
        if fs::metadata(&source).and_then(|m| m.modified())? > oldest {
            return Ok(false);
        }
    }
    Ok(true)
}
