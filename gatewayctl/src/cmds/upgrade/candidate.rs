//! The new program, asked before anything is changed: whether it is one, which version, and whether it would start.

use std::fs;
use std::path::{Path, PathBuf};

use super::ask::{Start, ask};
use crate::exit::Failure;

/// A program that would start.
#[derive(Debug)]
pub struct Candidate {
    /// The file, links followed.
    pub file: PathBuf,
    /// Its version, as it says it: `gatewayd 0.1.0 (commit 1a2b3c4, built 2026-01-29)`.
    pub version: String,
    /// What it says of its start.
    pub says: String,
}

impl Candidate {
    /// Asks the program at `path`. `start` is how the gateway is started.
    pub async fn new(path: &Path, start: &Start) -> Result<Self, Failure> {
        let failed = |why: &str| {
            let text = format!("Gateway upgrade failed: {}: {why}", path.display());
            Failure::failed(format!("{text}\nNothing was changed."))
        };
        let file = fs::canonicalize(path).map_err(|error| failed(&error.to_string()))?;
        let about = fs::metadata(&file).map_err(|error| failed(&error.to_string()))?;
        if !about.is_file() {
            let what =
                if about.is_dir() { "it is a folder; name the program in it" } else { "it is no file" };
            return Err(failed(what));
        }
        let version = version(&file, start).await.map_err(|why| failed(&why))?;
        let mut arguments = start.arguments.clone();
        arguments.push("--check".to_owned());
        let checked = ask(&file, &arguments, start).await.map_err(|why| failed(&why))?;
        let says = checked.said.trim().to_owned();
        match checked.code {
            Some(0) => Ok(Self { file, version, says }),
            _ if says.contains("unknown option '--check'") => Err(failed(
                "it is too old to be asked whether it would start; stop the gateway, put it in place, and start it again",
            )),
            Some(code) => Err(failed(&format!("{version} would not start here (exit code {code}):\n{says}"))),
            None => {
                Err(failed(&format!("{version} crashed when it was asked whether it would start:\n{says}")))
            }
        }
    }
}

/// The version of the program in `file`.
pub async fn version(file: &Path, start: &Start) -> Result<String, String> {
    let answer = ask(file, &["--version".to_owned()], start).await?;
    let line = answer.said.lines().next().unwrap_or_default().trim().to_owned();
    if answer.code == Some(0) && line.starts_with("gatewayd ") {
        return Ok(line);
    }
    let code = answer.code.map_or_else(|| "by a signal".to_owned(), |code| format!("with exit code {code}"));
    Err(format!("it is not gatewayd: asked for its version it ended {code} and said {line:?}"))
}

/// Whether two files hold the same program.
#[must_use]
pub fn is_same(one: &Path, other: &Path) -> bool {
    let size = |path: &Path| fs::metadata(path).map(|about| about.len()).ok();
    size(one).is_some() && size(one) == size(other) && fs::read(one).ok() == fs::read(other).ok()
}
