//! Runs another program to its end: no shell, nothing on its standard input, a limit on its time and on what it may
//! say. It is the head of a process group of its own, and the whole group is killed when a limit is reached or nobody
//! waits any more, so that nothing it started outlives it (rule R14).

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// A program with its arguments and limits.
#[derive(Clone, Debug)]
pub struct Call {
    /// The program, absolute.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub variables: Vec<(String, String)>,
    /// How long it may take.
    pub time: Duration,
    /// How many bytes it may write to each of its two streams.
    pub size: usize,
}

/// What a program said and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// By itself, with success.
    #[default]
    Success,
    /// By itself, without success.
    Failure,
    /// It was killed, because it took too long.
    TooLate,
    /// It was killed, because it said too much.
    TooMuch,
}

/// A child whose group dies with this value, unless it has been waited for.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // Without an id the child has been reaped, and its number may name somebody else by now.
        #[cfg(unix)]
        if let Some(pid) =
            self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        {
            // A program that changed its user cannot be killed by us; it is left to its own limits.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Runs `call`. Fails only when it cannot be started or waited for.
pub async fn run(call: &Call) -> io::Result<Ran> {
    let mut command = Command::new(&call.program);
    command
        .args(&call.arguments)
        .env_clear()
        .envs(call.variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut group = Group(command.spawn()?);
    let (out, err) = (group.0.stdout.take(), group.0.stderr.take());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let talk =
        async { tokio::try_join!(read(out, &mut stdout, call.size), read(err, &mut stderr, call.size)) };
    let whole = async {
        match talk.await {
            Ok(_) => {
                group.0.wait().await.map(|status| if status.success() { End::Success } else { End::Failure })
            }
            Err(TooMuch) => Ok(End::TooMuch),
        }
    };
    let end = tokio::time::timeout(call.time, whole).await.unwrap_or(Ok(End::TooLate))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ran { end, stdout: text(&stdout), stderr: text(&stderr) })
}

struct TooMuch;

/// Reads to the end of `pipe`; what was read stays in `into` whatever happens.
async fn read(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>, limit: usize) -> Result<(), TooMuch> {
    let Some(pipe) = pipe else { return Ok(()) };
    let mut pipe = pipe.take(limit as u64 + 1);
    // What was read before an error still counts.
    let _ = pipe.read_to_end(into).await;
    if into.len() <= limit {
        return Ok(());
    }
    into.truncate(limit);
    Err(TooMuch)
}
