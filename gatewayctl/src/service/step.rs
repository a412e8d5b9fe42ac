//! What an action on a service does, step by step, as a value: a dry run prints exactly the steps that the action
//! itself would take.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_base::{atomic_file, limits};
use tokio::time::{Instant, sleep};

use super::runner::{Call, Ran, RunError, Runner};

/// What stands in front of a text in UTF-16.
const BYTE_ORDER: u16 = 0xFEFF;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Replaces a file.
    Write {
        /// The file.
        path: PathBuf,
        /// Its content.
        text: String,
        /// How it is written.
        form: Form,
    },
    /// Makes a folder that may be there.
    Folder(PathBuf),
    /// Removes a file that may be there.
    Remove(PathBuf),
    /// Runs a tool that must succeed.
    Run(Call),
    /// Runs a tool whose failure means that there was nothing to do.
    Try(Call),
    /// Asks until the answer shows that something has ended: a manager that accepted a stop has not done it yet.
    Gone {
        /// The question.
        call: Call,
        /// What shows it.
        sign: Sign,
    },
    /// Runs a tool that may fail for a moment, with one of `words`, because the manager is not ready for it. It is
    /// done as well when `done` succeeds: somebody else was quicker.
    Persist {
        /// The call.
        call: Call,
        /// What it says when trying again may help.
        words: &'static [&'static str],
        /// Tells whether it is done.
        done: Call,
    },
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Only its owner may read it.
    Private,
    /// Every user may read it.
    Public,
    /// UTF-16 with a mark in front, as Windows reads XML; only its owner may read it.
    Wide,
}

/// What shows that something has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The question fails with one of these words.
    Fails(&'static [&'static str]),
    /// The question succeeds with none of these words in the answer.
    Lacks(&'static [&'static str]),
}

impl Sign {
    fn shows(self, ran: &Ran) -> bool {
        match self {
            Self::Fails(words) => !ran.success && ran.says(words),
            Self::Lacks(words) => ran.success && !ran.says(words),
        }
    }
}

/// How long something may take to end: the time a manager gives it, and some more to notice.
pub const END: Duration = Duration::from_secs(limits::SERVICE_STOP.as_secs() + 15);
/// How long a manager may be not ready.
const READY: Duration = Duration::from_secs(30);
/// How often is tried.
const AGAIN: Duration = Duration::from_millis(100);

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
    /// What was to end is still there.
    #[error("what was stopped is still there after {} s ({call})", END.as_secs())]
    Stays {
        /// The question.
        call: Call,
    },
    /// A tool gave no answer.
    #[error("{0}")]
    Run(RunError),
}

/// The words that name a call in a message: the tool and what it was to do.
fn words(call: &Call) -> String {
    let verb = call.arguments.iter().find(|word| !word.starts_with('-'));
    let verb = verb.map(|verb| verb.trim_start_matches('/').to_ascii_lowercase());
    format!("{} {}", call.program, verb.unwrap_or_default())
}

/// Takes the steps in order, up to the first that fails.
pub async fn take(steps: &[Step], runner: &impl Runner) -> Result<(), Error> {
    for step in steps {
        let file = |path: &Path, done: io::Result<()>| {
            done.map_err(|source| Error::File { path: path.to_path_buf(), source })
        };
        match step {
            Step::Write { path, text, form } => file(path, write(path, text, *form))?,
            Step::Folder(path) => file(path, atomic_file::create_private_dir(path))?,
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
            Step::Gone { call, sign } => gone(call, *sign, runner).await?,
            Step::Persist { call, words, done } => persist(call, words, done, runner).await?,
        }
    }
    Ok(())
}

async fn gone(call: &Call, sign: Sign, runner: &impl Runner) -> Result<(), Error> {
    let end = Instant::now() + END;
    while !sign.shows(&runner.run(call).await.map_err(Error::Run)?) {
        if Instant::now() >= end {
            return Err(Error::Stays { call: call.clone() });
        }
        sleep(AGAIN).await;
    }
    Ok(())
}

async fn persist(call: &Call, words: &[&str], done: &Call, runner: &impl Runner) -> Result<(), Error> {
    let end = Instant::now() + READY;
    loop {
        let ran = runner.run(call).await.map_err(Error::Run)?;
        if ran.success || runner.run(done).await.map_err(Error::Run)?.success {
            return Ok(());
        }
        if !ran.says(words) || Instant::now() >= end {
            return Err(Error::Tool { call: call.clone(), said: ran.said() });
        }
        sleep(AGAIN).await;
    }
}

fn write(path: &Path, text: &str, form: Form) -> io::Result<()> {
    // A unit that is masked is a link to /dev/null, and writing through it would replace that.
    if let Ok(target) = fs::read_link(path) {
        let text = format!("it is a link to {}, so the service is masked", target.display());
        return Err(io::Error::other(text));
    }
    if form == Form::Wide {
        let units = std::iter::once(BYTE_ORDER).chain(text.encode_utf16());
        let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        return atomic_file::replace(path, &bytes);
    }
    atomic_file::replace(path, text.as_bytes())?;
    #[cfg(unix)]
    if form == Form::Public {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

/// The text of a service file in any form; what is no text is replaced by marks.
#[must_use]
pub fn read(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    match units.split_first() {
        Some((&BYTE_ORDER, units)) => Some(String::from_utf16_lossy(units)),
        _ => Some(String::from_utf8_lossy(&bytes).into_owned()),
    }
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
        let step = Step::Write { path: path.clone(), text: "new".to_owned(), form: Form::Public };
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

    #[tokio::test]
    async fn a_wide_file_is_read_back() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("task.xml");
        let fake = Fake::answering(|_| Ok(Ran::default()));
        let text = "<a>é 你 \u{1f600}</a>\r\n".to_owned();
        let step = Step::Write { path: path.clone(), text: text.clone(), form: Form::Wide };
        take(&[step], &fake).await.expect("is written");
        assert!(fs::read(&path).expect("is there").starts_with(&[0xFF, 0xFE, b'<', 0]));
        assert_eq!(read(&path), Some(text));
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_late_is_waited_for_and_what_stays_is_said() {
        let mut answers = 0;
        let sign = Sign::Fails(&["could not find service"]);
        let ask = Step::Gone { call: Call::new("launchctl", ["print", "x"]), sign };
        let fake = Fake::answering(move |_| {
            answers += 1;
            let stderr = if answers > 50 { "Could not find service \"x\"" } else { "Bad request." };
            Ok(Ran { success: answers < 20, stderr: stderr.to_owned(), ..Ran::default() })
        });
        take(std::slice::from_ref(&ask), &fake).await.expect("is gone in the end");
        assert_eq!(fake.calls().len(), 51);
        let fake = Fake::answering(|_| Ok(Ran { success: true, ..Ran::default() }));
        let error = take(&[ask], &fake).await.expect_err("stays");
        assert_eq!(error.to_string(), "what was stopped is still there after 30 s (launchctl print x)");
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_manager_is_asked_again_and_a_refusal_is_not() {
        let step = Step::Persist {
            call: Call::new("launchctl", ["bootstrap"]),
            words: &["input/output error"],
            done: Call::new("launchctl", ["print"]),
        };
        let step = std::slice::from_ref(&step);
        let with = |good: u32, there: u32, said: &'static str| {
            let mut tries = 0;
            Fake::answering(move |call| {
                tries += u32::from(call.arguments[0] == "bootstrap");
                let success = tries >= if call.arguments[0] == "bootstrap" { good } else { there };
                Ok(Ran { success, stderr: said.to_owned(), ..Ran::default() })
            })
        };
        let busy = "Bootstrap failed: 5: Input/output error";
        take(step, &with(7, 100, busy)).await.expect("the seventh works");
        take(step, &with(100, 3, busy)).await.expect("somebody else did it");
        let error = take(step, &with(1_000, 1_000, busy)).await.expect_err("it never works");
        assert_eq!(error.to_string(), format!("launchctl bootstrap failed: {busy}"));
        let refused = with(1_000, 1_000, "Bootstrap failed: 125: Domain does not support specified action");
        take(step, &refused).await.expect_err("it is refused");
        assert_eq!(refused.calls().len(), 2);
    }
}
