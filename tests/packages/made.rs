//! What the tests of the packages share.

use std::fs;

use anyhow::{Context, Result, ensure};
pub use gateway_tests::packages::{good, only, packages, run, sources};
use tokio::process::Command;

/// Whether this is root. Others are root in a name space of their own, where the kernel allows it.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether name spaces can be made here. If not, says that the test is skipped; with `GATEWAY_TESTS_NO_SKIP=1` that
/// is a failure.
#[allow(clippy::print_stderr, reason = "the test harness shows it")]
pub async fn can_unshare(flags: &[&str]) -> Result<bool> {
    let seen = run(Command::new("unshare").args(flags).arg("true")).await?;
    if seen.code == Some(0) {
        return Ok(true);
    }
    let why = format!("unshare {flags:?} is refused here: {}", seen.stderr.trim());
    ensure!(std::env::var_os("GATEWAY_TESTS_NO_SKIP").is_none(), "{why}");
    eprintln!("SKIPPED: {why}");
    Ok(false)
}

/// The words of a line of the Dockerfile behind `instruction`, which are a JSON list.
pub fn dockerfile(instruction: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(sources().join("Dockerfile"))?;
    let line = text.lines().find(|line| line.starts_with(instruction)).context("no such line")?;
    let list = line.find('[').context("the exec form")?;
    Ok(serde_json::from_str(&line[list..])?)
}
