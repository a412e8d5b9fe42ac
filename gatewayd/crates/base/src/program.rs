//! Runs another program to its end: no shell, nothing on its standard input, a limit on its time and on what it may
//! say. This is the one place for programs that are asked something; those that stay, such as a tunnel, are their
//! owner's.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use crate::env::Env;

/// A program with its arguments and limits.
#[derive(Clone, Debug)]
pub struct Call {
    /// The program; a name alone is looked for on the `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment.
    pub variables: Variables,
    /// Where it runs, if not where this process does.
    pub folder: Option<PathBuf>,
    /// Whether it is the head of a process group of its own. Then what a terminal sends to this process does not reach
    /// it, and the whole group is killed when a limit is reached or nobody waits any more, so that nothing it started
    /// outlives it (rule R14). Otherwise an interrupt at the terminal ends it together with this process.
    pub apart: bool,
    /// How long it may take.
    pub time: Duration,
    /// How many bytes it may write to each of its two streams.
    pub size: usize,
}

impl Call {
    /// A program in this process's environment and folder, apart from it, with limits for a short answer: 10 s, 64 KiB.
    pub fn new(program: impl Into<PathBuf>, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            variables: Variables::Added(Env::default()),
            folder: None,
            apart: true,
            time: Duration::from_secs(10),
            size: 64 * 1024,
        }
    }
}

/// The environment of a program. Its values may be secrets and are never shown.
#[derive(Clone, Debug)]
pub enum Variables {
    /// This process's own, with these added.
    Added(Env),
    /// These and no other.
    Whole(Env),
}

/// What a program said and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with success.
    Success,
    /// By itself, without success: its exit code, unless a signal ended it.
    Failure(Option<i32>),
    /// It was killed, because it took too long.
    TooLate,
    /// It was killed, because it said too much.
    TooMuch,
}

/// A child that dies with this value, and its group with it if it has one, unless it has been waited for.
struct Running {
    child: Child,
    #[cfg(unix)]
    has_group: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without an id the child has been reaped, and its number may name somebody else by now.
        #[cfg(unix)]
        if self.has_group
            && let Some(pid) =
                self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        {
            // A program that changed its user cannot be killed by us; it is left to its own limits.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Runs `call`. Fails only when it cannot be started or waited for.
pub async fn run(call: &Call) -> io::Result<Ran> {
    let mut running = Running {
        child: command(call).spawn()?,
        #[cfg(unix)]
        has_group: call.apart,
    };
    let (out, err) = (running.child.stdout.take(), running.child.stderr.take());
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let talk =
        async { tokio::try_join!(read(out, &mut stdout, call.size), read(err, &mut stderr, call.size)) };
    let whole = async {
        match talk.await {
            Ok(_) => running.child.wait().await.map(|status| match status.code() {
                Some(0) => End::Success,
                code => End::Failure(code),
            }),
            Err(TooMuch) => Ok(End::TooMuch),
        }
    };
    let end = tokio::time::timeout(call.time, whole).await.unwrap_or(Ok(End::TooLate))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ran { end, stdout: text(&stdout), stderr: text(&stderr) })
}

fn command(call: &Call) -> Command {
    let mut command = Command::new(&call.program);
    let variables = match &call.variables {
        Variables::Added(variables) => variables,
        Variables::Whole(variables) => {
            command.env_clear();
            variables
        }
    };
    command
        .args(&call.arguments)
        .envs(variables.iter())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(folder) = &call.folder {
        command.current_dir(folder);
    }
    #[cfg(unix)]
    if call.apart {
        command.process_group(0);
    }
    command
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
