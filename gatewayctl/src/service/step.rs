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
        /// Whether every user may read it; else only its owner does.
        public: bool,
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
            Step::Write { path, text, public } => file(path, write(path, text, *public))?,
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

fn write(path: &Path, text: &str, public: bool) -> io::Result<()> {
    // A unit that is masked is a link to /dev/null, and writing through it would replace that.
    if let Ok(target) = fs::read_link(path) {
        let text = format!("it is a link to {}, so the service is masked", target.display());
        return Err(io::Error::other(text));
    }
    atomic_file::replace(path, text.as_bytes())?;
    #[cfg(unix)]
    if public {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))?;
    }
    #[cfg(not(unix))]
    let _ = public;
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::service::runner::Ran;
    use crate::service::testing::Fake;

    #[tokio::test]
    async fn a_masked_unit_is_not_written_through() {
        let dir = tempfile::tempdir().expect("folder");
        let (path, target) = (dir.path().join("x.service"), dir.path().join("null"));
        fs::write(&target, "untouched").expect("file");
        std::os::unix::fs::symlink(&target, &path).expect("link");
        let fake = Fake::answering(|_| Ok(Ran::default()));
        let step = Step::Write { path: path.clone(), text: "new".to_owned(), public: true };
        let error = take(&[step], &fake).await.expect_err("refused");
        assert!(error.to_string().contains("masked"), "{error}");
        assert_eq!(fs::read_to_string(&target).expect("is there"), "untouched");
    }

    #[tokio::test]
    async fn the_first_failure_ends_the_steps() {
        let fake = Fake::answering(|_| Ok(Ran { stderr: "no\u{1b}[2J way".to_owned(), ..Ran::default() }));
        let call = |word| Call::new("systemctl", ["--user", word]);
        let steps = [Step::Try(call("reset-failed")), Step::Run(call("start")), Step::Run(call("never"))];
        let error = take(&steps, &fake).await.expect_err("fails");
        assert_eq!(error.to_string(), "systemctl start failed: no\u{1b}[2J way");
        assert_eq!(fake.calls().len(), 2);
    }
}
