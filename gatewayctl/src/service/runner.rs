//! Runs a service manager's tool, without a shell and with a time limit. Tests put a recording stand-in here.

use std::future::Future;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// How long a tool may take.
const LIMIT: Duration = Duration::from_secs(5);

/// What a tool answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Whether it ended with 0.
    pub success: bool,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Why a tool gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// There is no such program.
    #[error("{0} not found")]
    Missing(String),
    /// It did not end in time and was killed.
    #[error("{0} did not answer within 5 s")]
    Late(String),
    /// It could not be started.
    #[error("{0}")]
    Failed(String),
}

/// Runs programs.
pub trait Runner {
    /// Runs `program` with `arguments`; `variables` are added to its environment.
    fn run(
        &self,
        program: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> impl Future<Output = Result<Ran, RunError>>;
}

/// Runs the system's own programs.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Runner for System {
    async fn run(
        &self,
        program: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Ran, RunError> {
        let mut command = Command::new(program);
        command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null()).kill_on_drop(true);
        let ended = tokio::time::timeout(LIMIT, command.output()).await;
        match ended {
            Err(_) => Err(RunError::Late(program.to_owned())),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(RunError::Missing(program.to_owned()))
            }
            Ok(Err(error)) => Err(RunError::Failed(format!("{program}: {error}"))),
            Ok(Ok(output)) => Ok(Ran {
                success: output.status.success(),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            }),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_tool_that_is_not_there_is_its_own_answer() {
        let none = System.run("no-such-tool-on-any-machine", &[], &[]).await;
        assert_eq!(none, Err(RunError::Missing("no-such-tool-on-any-machine".to_owned())));
        let env = System.run("env", &[], &[("CTL_TEST", "yes")]).await.expect("env runs");
        assert!(env.success && env.stdout.lines().any(|line| line == "CTL_TEST=yes"));
    }
}
