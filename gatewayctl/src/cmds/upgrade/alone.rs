//! A gateway without a service: nobody starts it again when it ends, so whoever replaces its program does.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use gateway_admin::time;
use gateway_admin::v1::{Phase, StatusResponse};
use gateway_base::clock::since_boot;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::process::{self, Handle, Signal};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::ask::Start;
use super::version::version;
use crate::admin::status_of;
use crate::cmds::service::{Health, log_lines};

/// How often is asked.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a gateway that was asked to end may take, and how long somebody may take who starts it again.
const PATIENCE: Duration = Duration::from_secs(4);

/// Tells that `gatewayd --supervise` starts it again.
const SUPERVISOR: &str = "CLAWDBOT_SUPERVISOR";

/// A running gateway.
#[derive(Clone, Debug)]
pub struct Alone {
    pid: u32,
    /// Its program, as it was started.
    pub program: PathBuf,
    /// How it was started.
    pub start: Start,
}

impl Alone {
    /// The gateway that answered. Its arguments and its environment are read from the system, where that tells them.
    #[must_use]
    pub fn new(status: &StatusResponse, env: &Env) -> Option<Self> {
        let process = status.process.as_ref()?;
        let program = PathBuf::from(&process.program);
        if !program.is_absolute() {
            return None;
        }
        let entry = PathBuf::from(format!("/proc/{}", process.pid));
        let words = |name: &str| {
            let bytes = std::fs::read(entry.join(name)).ok()?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Some(text.trim_end_matches('\0').split('\0').map(str::to_owned).collect::<Vec<_>>())
        };
        let once = ["--reset", "--force"];
        let arguments = words("cmdline").unwrap_or_default().into_iter().skip(1);
        let of_process = words("environ")
            .map(|pairs| Env::from_pairs(pairs.iter().filter_map(|pair| pair.split_once('='))));
        let start = Start {
            arguments: arguments.filter(|word| !once.contains(&word.as_str())).collect(),
            variables: of_process.unwrap_or_else(|| env.clone()),
            folder: std::fs::read_link(entry.join("cwd")).ok(),
        };
        Some(Self { pid: process.pid, program, start })
    }

    /// Lets it restart in place and waits until it serves as `expected`. The error is a sentence.
    pub async fn renew(
        &self,
        paths: &Paths,
        health: &impl Health,
        expected: &str,
        limit: Duration,
    ) -> Result<(), String> {
        let asked = since_boot();
        if !health.renew(paths).await {
            return Err("the gateway does not take the request to restart".to_owned());
        }
        let end = Instant::now() + limit;
        loop {
            match serving(paths, asked).await {
                // In another process it is the version before, which stood by.
                Some((pid, _)) if pid != self.pid => {
                    return Err(with_log(
                        "the new version ended before it served",
                        paths,
                        &self.start.variables,
                    ));
                }
                Some((_, version)) if version == expected => return Ok(()),
                Some((_, version)) => return Err(format!("what serves after the restart is {version}")),
                None if !process::runs(self.pid) => {
                    return Err(with_log(
                        "the new version ended before it served",
                        paths,
                        &self.start.variables,
                    ));
                }
                None if Instant::now() >= end => {
                    let why = format!("the new version does not serve after {} s", limit.as_secs_f64());
                    return Err(with_log(&why, paths, &self.start.variables));
                }
                None => sleep(AGAIN).await,
            }
        }
    }

    /// Ends what does not serve, and starts the program in its place again unless somebody does who stood by. What
    /// began after `asked` counts.
    pub async fn revive(&self, paths: &Paths, asked: Duration, limit: Duration) -> Result<(), String> {
        if let Some((pid, _)) = serving(paths, asked).await
            && pid != self.pid
        {
            return Ok(());
        }
        self.end().await;
        let mut is_started = self.start.variables.get(SUPERVISOR).is_some();
        let mut end = Instant::now() + if is_started { limit } else { PATIENCE };
        loop {
            if serving(paths, asked).await.is_some() {
                return Ok(());
            }
            if Instant::now() >= end {
                if is_started {
                    return Err(with_log("it does not serve", paths, &self.start.variables));
                }
                self.launch().map_err(|error| format!("it cannot be started: {error}"))?;
                (is_started, end) = (true, Instant::now() + limit);
            }
            sleep(AGAIN).await;
        }
    }

    async fn end(&self) {
        for signal in [Signal::Terminate, Signal::Kill] {
            let Ok(handle) = Handle::open(self.pid) else { return };
            if !process::runs(self.pid) || handle.signal(signal).is_err() {
                return;
            }
            let end = Instant::now() + PATIENCE;
            while process::runs(self.pid) && Instant::now() < end {
                sleep(AGAIN).await;
            }
        }
    }

    fn launch(&self) -> std::io::Result<()> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.start.arguments)
            .env_clear()
            .envs(self.start.variables.iter())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(folder) = &self.start.folder {
            command.current_dir(folder);
        }
        #[cfg(unix)]
        command.process_group(0);
        command.spawn().map(drop)
    }
}

/// The gateway that serves, if it began after `asked`: its process and its version.
async fn serving(paths: &Paths, asked: Duration) -> Option<(u32, String)> {
    let status = status_of(paths).await.filter(|status| status.phase() == Phase::Serving)?;
    let process = status.process.as_ref()?;
    let up = process.uptime.as_ref().and_then(time::length).unwrap_or_default();
    let is_new = since_boot().saturating_sub(up) >= asked;
    is_new.then(|| version(&status).map(|version| (process.pid, version))).flatten()
}

fn with_log(why: &str, paths: &Paths, env: &Env) -> String {
    let lines = log_lines(paths, env);
    let last: String = lines.iter().map(|line| format!("\n  {line}")).collect();
    if last.is_empty() { format!("{why}.") } else { format!("{why}.\nLast lines of its log:{last}") }
}
