//! Runs one of the two programs in a home folder, with nothing of the caller's environment but the search path.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::binaries;
use crate::home::Home;
use crate::wait::within;

/// One of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The daemon.
    Gatewayd,
    /// The controller.
    Gatewayctl,
}

/// A program that ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Exit code, or `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Gatewayd => "gatewayd",
            Self::Gatewayctl => "gatewayctl",
        }
    }

    /// The command, killed when its handle is dropped.
    pub async fn command(self, home: &Home) -> Result<Command> {
        let mut command = Command::new(binaries::folder().await?.join(self.name()));
        command
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TMPDIR", std::env::temp_dir())
            .env("TZ", "UTC")
            .env("RUST_BACKTRACE", "1")
            // Many daemons at once, and a network that is none of theirs.
            .env("CLAWDBOT_DISABLE_BONJOUR", "1")
            .current_dir(home.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        Ok(command)
    }

    /// Runs it to its end.
    pub async fn run(self, home: &Home, args: &[&str]) -> Result<Finished> {
        self.run_with(home, args, &[]).await
    }

    /// Runs it to its end with more environment variables.
    pub async fn run_with(self, home: &Home, args: &[&str], env: &[(&str, &str)]) -> Result<Finished> {
        let mut command = self.command(home).await?;
        command.args(args).envs(env.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let what = format!("{} {args:?} to end", self.name());
        let output = within(&what, command.output()).await?.with_context(|| what.clone())?;
        Ok(Finished {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: began.elapsed(),
        })
    }
}
