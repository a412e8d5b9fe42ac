//! The last words of a service that failed. A gateway that refuses to start says why before it has a log, and systemd
//! keeps that in its journal.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::logfile;
use crate::service::{Call, Manager, Runner, Scope, Service};

/// How long the journal may take to have them: it writes down a process's last words a moment after its end.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is asked.
const AGAIN: Duration = Duration::from_millis(100);

/// What the last process of the service said last.
pub async fn last_words(service: &Service, runner: &impl Runner) -> Option<String> {
    let pid = service.runtime.last_pid.filter(|_| service.manager == Manager::Systemd)?;
    let process = format!("_PID={pid}");
    let whose = ["--user"].into_iter().filter(|_| service.scope == Scope::User);
    let what = ["--boot", &process, "--lines", "20", "--output", "cat", "--no-pager", "--quiet"];
    let call = Call::new("journalctl", whose.chain(what)).within(PATIENCE);
    let end = Instant::now() + PATIENCE;
    loop {
        let ran = runner.run(&call).await.ok().filter(|ran| ran.success)?;
        let said = ran.stdout.lines().map(str::trim).filter(|line| !line.is_empty());
        if let Some(line) = logfile::reason(said) {
            return Some(line);
        }
        if Instant::now() >= end {
            return None;
        }
        sleep(AGAIN).await;
    }
}
