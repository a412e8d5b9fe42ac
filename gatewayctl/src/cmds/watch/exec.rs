//! Runs the program of an alarm: its words as they are, no shell, with a time limit. Whatever the program does with its
//! pipes, the watch goes on.

use std::convert::Infallible;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How much of its complaints is read.
const MAX_SAID: usize = 4 * 1024;

/// What is to be run.
#[derive(Debug)]
pub struct Task<'a> {
    /// The program and its arguments.
    pub words: &'a [String],
    /// What it finds in its environment, besides this process's.
    pub variables: &'a [(&'a str, &'a str)],
    /// What it can read.
    pub input: Vec<u8>,
}

/// Runs it to its end.
pub async fn run(task: Task<'_>) -> Result<(), String> {
    run_within(task, LIMIT).await
}

async fn run_within(task: Task<'_>, limit: Duration) -> Result<(), String> {
    let Some((program, arguments)) = task.words.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command
        .args(arguments)
        // A variable cannot hold it.
        .envs(task.variables.iter().map(|(name, value)| (name, value.replace('\0', " "))))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("{program} could not be started: {error}"))?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let mut said = Vec::new();
    let status = {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A program may not want to read.
                let _ = stdin.write_all(&task.input).await;
            }
        };
        // A child of the program may hold the pipes for ever, so their end is not waited for.
        let pipes = async {
            tokio::join!(feed, listen(stderr, &mut said));
            std::future::pending::<Infallible>().await
        };
        let ended = async {
            tokio::select! {
                biased;
                never = pipes => match never {},
                status = child.wait() => status,
            }
        };
        tokio::time::timeout(limit, ended).await
    };
    match status {
        Err(_) => Err(format!("{program} did not end within {} s and was killed", limit.as_secs())),
        Ok(Err(error)) => Err(format!("{program}: {error}")),
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => {
            let said = String::from_utf8_lossy(&said);
            let line =
                said.lines().find(|line| !line.trim().is_empty()).map(|line| format!(": {}", line.trim()));
            Err(format!("{program} failed ({status}){}", line.unwrap_or_default()))
        }
    }
}

/// Reads all of it, so that the program never waits, and keeps the beginning.
async fn listen(pipe: Option<impl AsyncRead + Unpin>, said: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut piece = [0; 1024];
    while let Ok(read @ 1..) = pipe.read(&mut piece).await {
        said.extend_from_slice(&piece[..read.min(MAX_SAID.saturating_sub(said.len()))]);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    async fn sh(script: &str, limit: Duration) -> Result<(), String> {
        let words = ["/bin/sh", "-c", script].map(str::to_owned);
        let variables = [("GATEWAY_WATCH_TEXT", "a\0b $(touch /nowhere) 'x'")];
        let input = format!("{{\"long\": \"{}\"}}", "x".repeat(300_000)).into_bytes();
        run_within(Task { words: &words, variables: &variables, input }, limit).await
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn it_gets_the_incident_and_says_how_it_went() {
        let check =
            r#"test "$GATEWAY_WATCH_TEXT" = "a b \$(touch /nowhere) 'x'" && test "$(wc -c)" -gt 300000"#;
        assert_eq!(sh(check, LONG).await, Ok(()));
        let failed = sh("echo >&2; echo no such list >&2; exit 7", LONG).await.expect_err("fails");
        assert!(failed.contains("exit status: 7"), "{failed}");
        let none =
            run(Task { words: &["/no/such/program".to_owned()], variables: &[], input: Vec::new() }).await;
        assert!(none.expect_err("is not there").contains("could not be started"));
    }

    #[tokio::test]
    async fn no_program_holds_the_watch_up() {
        assert_eq!(sh("exec <&-; true", LONG).await, Ok(()), "one that does not read");
        assert_eq!(sh("yes >&2 & sleep 0; kill $!", LONG).await, Ok(()), "one that never stops talking");
        let lasting = sh("sleep 60 & true", LONG).await;
        assert_eq!(lasting, Ok(()), "one that leaves a child behind with its pipes");
        let late = sh("sleep 60", Duration::from_millis(100)).await.expect_err("is killed");
        assert!(late.contains("did not end within"), "{late}");
    }
}
