//! Runs a program that may be anything, to ask it something: without a shell, with a limit on its time and on what it
//! may say.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(15);
/// How much of an answer is read.
const MAX_SAID: u64 = 16 * 1024;
/// What the kernel says of a file that is no program, or one for another kind of machine.
const NO_PROGRAM: i32 = 8;

/// How the gateway is started: its arguments without the program, its environment and its folder.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The arguments.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub variables: Vec<(String, String)>,
    /// The folder.
    pub folder: Option<PathBuf>,
}

/// What a program answered.
#[derive(Debug)]
pub struct Answer {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// Its standard output, then its standard error.
    pub said: String,
}

/// Asks `program` with these arguments, as `start` would run it. The error is a sentence.
pub async fn ask(program: &Path, arguments: &[String], start: &Start) -> Result<Answer, String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(start.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(folder) = &start.folder {
        command.current_dir(folder);
    }
    let mut child = command.spawn().map_err(|error| match error.raw_os_error() {
        Some(NO_PROGRAM) => "it is no program, or one for another kind of machine".to_owned(),
        _ if error.kind() == io::ErrorKind::PermissionDenied => {
            format!("it may not be run ({error}); run: chmod +x {}", program.display())
        }
        _ => format!("it cannot be run: {error}"),
    })?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async { tokio::join!(read(stdout), read(stderr), child.wait()) };
    let Ok((stdout, stderr, status)) = tokio::time::timeout(LIMIT, all).await else {
        let words = arguments.last().map(String::as_str).unwrap_or_default();
        return Err(format!("it did not answer {words} within {} s", LIMIT.as_secs()));
    };
    let status = status.map_err(|error| format!("its end cannot be seen: {error}"))?;
    Ok(Answer { code: status.code(), said: stdout + &stderr })
}

/// What can be read, up to the limit; a program that says more is cut off by the closed pipe.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        // What was read before an error still counts.
        let _ = pipe.take(MAX_SAID).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
