//! Files stay small: over 800 lines is a warning, over 1,000 fails. Functions are clippy's business.

use std::fs;

use anyhow::{Result, ensure};
use gateway_tests::workspace;

const WARN: usize = 800;
const FAIL: usize = 1000;

/// Generated tables and the like, by path from the root of the workspace.
const EXCEPTIONS: [&str; 0] = [];

#[test]
fn no_source_file_is_too_long() -> Result<()> {
    let root = workspace::root();
    let mut too_long = Vec::new();
    let files = workspace::files(&root, &["rs"])?;
    ensure!(files.len() > 50, "only {} files were found", files.len());
    for path in files {
        let name = path.strip_prefix(&root)?.display().to_string();
        let lines = fs::read_to_string(&path)?.lines().count();
        if lines > WARN {
            println!("{name} has {lines} lines; split it");
        }
        if lines > FAIL && !EXCEPTIONS.contains(&name.as_str()) {
            too_long.push(format!("{name}: {lines}"));
        }
    }
    ensure!(too_long.is_empty(), "over {FAIL} lines: {too_long:?}");
    Ok(())
}
