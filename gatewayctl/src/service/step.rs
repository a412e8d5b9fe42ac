//! What an action on a service does, step by step, as a value: a dry run prints exactly the steps that the action
//! itself would take.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gateway_base::atomic_file;

use super::runner::{Call, RunError, Runner};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Replaces a file.
    Write {
        /// The file.
        path: PathBuf,
        /// Its content.
        text: String,
    },
    /// Removes a file that may be there.
    Remove(PathBuf),
    /// Runs a tool that must succeed.
    Run(Call),
    /// Runs a tool whose failure means that there was nothing to do.
    Try(Call),
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be written or removed.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A tool failed.
    #[error("{} failed: {said}", words(.call))]
    Tool {
        /// The call.
        call: Call,
        /// What it said.
        said: String,
    },
    /// A tool gave no answer.
    #[error("{0}")]
    Run(RunError),
}

/// The words that name a call in a message: the tool and what it was to do.
fn words(call: &Call) -> String {
    let verb = call.arguments.iter().find(|word| !word.starts_with('-'));
    format!("{} {}", call.program, verb.map(String::as_str).unwrap_or_default())
}

/// Takes the steps in order, up to the first that fails.
pub async fn take(steps: &[Step], runner: &impl Runner) -> Result<(), Error> {
    for step in steps {
        let file = |path: &Path, done: io::Result<()>| {
            done.map_err(|source| Error::File { path: path.to_path_buf(), source })
        };
        match step {
            Step::Write { path, text } => file(path, atomic_file::replace(path, text.as_bytes()))?,
            Step::Remove(path) => file(path, remove(path))?,
            Step::Run(call) => {
                let ran = runner.run(call).await.map_err(Error::Run)?;
                if !ran.success {
                    return Err(Error::Tool { call: call.clone(), said: ran.said() });
                }
            }
            Step::Try(call) => {
                runner.run(call).await.map_err(Error::Run)?;
            }
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
