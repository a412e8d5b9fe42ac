//! Where the sources are, and what cargo says about them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// Runs cargo in the workspace and returns what it printed.
pub fn cargo(args: &[&str]) -> Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(args).current_dir(root()).output().context("running cargo")?;
    ensure!(output.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).context("cargo's output is not text")
}

/// `cargo metadata` of the workspace's own packages.
pub fn packages() -> Result<Vec<Value>> {
    let text = cargo(&["metadata", "--format-version", "1", "--no-deps"])?;
    let Value::Object(mut metadata) = serde_json::from_str(&text)? else { anyhow::bail!("no object") };
    match metadata.remove("packages") {
        Some(Value::Array(packages)) => Ok(packages),
        other => anyhow::bail!("no packages in cargo's metadata: {other:?}"),
    }
}

/// All files below `folder` with one of these extensions, without build output, downloads and hidden folders.
pub fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    folders.push(path);
                }
            } else if path.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
