//! A running `gatewayd` on a port of its own in a home folder of its own. Starting waits until it says it is ready;
//! dropping kills it.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::admin_client::Admin;
use crate::connect::Connect;
use crate::home::Home;
use crate::http::{self, Response};
use crate::program::Program;
use crate::wait::{until, within};
use crate::ws_client::{Client, Socket};

/// Daemons that may run at once; more only slow each other down on two cores.
static SLOTS: Semaphore = Semaphore::const_new(4);

/// Exit code of a daemon whose port or lock is taken.
const TAKEN: i32 = 69;

/// What tells that it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    Probe,
    Port,
}

/// How to start a daemon.
#[derive(Clone, Debug)]
pub struct Builder {
    home: Option<Arc<Home>>,
    config: Option<String>,
    args: Vec<String>,
    env: Vec<(String, String)>,
    ready: Ready,
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    builder: Builder,
    /// Its home folder.
    pub home: Arc<Home>,
    /// The port it listens on.
    pub port: u16,
    _slot: SemaphorePermit<'static>,
}

impl Builder {
    /// Uses this home folder instead of a fresh one.
    #[must_use]
    pub fn home(mut self, home: Arc<Home>) -> Self {
        self.home = Some(home);
        self
    }

    /// Writes this configuration before the start.
    #[must_use]
    pub fn config(mut self, json5: impl Into<String>) -> Self {
        self.config = Some(json5.into());
        self
    }

    /// More command-line words.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// One more environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Lets it run into these faults.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn faults(self, faults: &crate::faults::Faults) -> Self {
        faults.environment().iter().fold(self, |builder, (name, value)| builder.env(name, value))
    }

    /// Counts it as ready when its port accepts, for daemons that do not speak plain HTTP.
    #[must_use]
    pub fn ready_by_port(mut self) -> Self {
        self.ready = Ready::Port;
        self
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Result<Daemon> {
        let slot = SLOTS.acquire().await?;
        let home = match &self.home {
            Some(home) => home.clone(),
            None => Arc::new(Home::configured()?),
        };
        if let Some(config) = &self.config {
            home.write_config(config)?;
        }
        // Another process may take the port between our closing and the daemon's opening it.
        for _ in 0..5 {
            let port = free_port()?;
            let mut child = self.spawn(&home, port).await?;
            match self.wait_ready(&mut child, port).await? {
                None => return Ok(Daemon { child, builder: self, home, port, _slot: slot }),
                Some(status) if status.code() == Some(TAKEN) => {}
                Some(status) => bail!("the daemon ended with {status}:\n{}", printed(&home)),
            }
        }
        bail!("no port stayed free:\n{}", printed(&home))
    }

    async fn spawn(&self, home: &Home, port: u16) -> Result<Child> {
        let mut command = Program::Gatewayd.command(home).await?;
        command.args(["--port", &port.to_string()]).args(&self.args).envs(self.env.iter().cloned());
        let append = |name| File::options().create(true).append(true).open(home.path().join(name));
        command.stdout(OwnedFd::from(append(STDOUT)?)).stderr(OwnedFd::from(append(STDERR)?));
        command.spawn().context("starting gatewayd")
    }

    /// `None` when it is ready, its exit status when it ended instead.
    async fn wait_ready(&self, child: &mut Child, port: u16) -> Result<Option<ExitStatus>> {
        let ended = async { anyhow::Ok(Some(child.wait().await?)) };
        let probe = until("the daemon to be ready", || async move {
            let up = match self.ready {
                Ready::Probe => http::get(port, "/readyz").await.is_ok_and(|answer| answer.status == 200),
                Ready::Port => tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok(),
            };
            Ok(up.then_some(()))
        });
        tokio::select! {
            ended = ended => ended,
            ready = probe => ready.map(|()| None),
        }
    }
}

const STDOUT: &str = "gatewayd.stdout";
const STDERR: &str = "gatewayd.stderr";

impl Daemon {
    /// How to start one; without more words it is local, with the token of the tests.
    #[must_use]
    pub fn builder() -> Builder {
        Builder { home: None, config: None, args: Vec::new(), env: Vec::new(), ready: Ready::Probe }
    }

    /// Starts one as most tests need it.
    pub async fn start() -> Result<Self> {
        Self::builder().start().await
    }

    /// Its process id.
    pub fn pid(&self) -> Result<Pid> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        id.context("the daemon has ended")
    }

    /// Waits until the same process listens a second time and serves.
    pub async fn listens_again(&self) -> Result<()> {
        let line =
            format!("listening on ws://127.0.0.1:{} (PID {})", self.port, self.pid()?.as_raw_nonzero());
        until("the same process to listen again", || async {
            Ok((self.stdout()?.matches(&line).count() == 2).then_some(()))
        })
        .await?;
        until("it to serve", || async {
            Ok(self.get("/readyz").await.is_ok_and(|answer| answer.status == 200).then_some(()))
        })
        .await
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(self.pid()?, signal).context("sending a signal")
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        within("the daemon to end", self.child.wait()).await?.context("waiting for the daemon")
    }

    /// Asks it to stop, as a service manager does, and waits for its end.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.ended().await
    }

    /// Ends it without letting it do anything.
    pub async fn kill(&mut self) -> Result<()> {
        self.signal(Signal::KILL)?;
        self.ended().await.map(drop)
    }

    /// Starts it once more after it ended, same home, same port.
    pub async fn start_again(&mut self) -> Result<()> {
        ensure!(self.child.id().is_none(), "it still runs");
        self.child = self.builder.spawn(&self.home, self.port).await?;
        match self.builder.wait_ready(&mut self.child, self.port).await? {
            None => Ok(()),
            Some(status) => bail!("the daemon ended with {status}:\n{}", printed(&self.home)),
        }
    }

    /// Connects a client as `how` says; fails when it is refused.
    pub async fn connect(&self, how: Connect) -> Result<Client> {
        Client::connect(self.port, how).await
    }

    /// Opens a socket and does not shake hands.
    pub async fn socket(&self) -> Result<Socket> {
        Socket::open(self.port, "/", &[]).await
    }

    /// Fetches a path over HTTP.
    pub async fn get(&self, path: &str) -> Result<Response> {
        http::get(self.port, path).await
    }

    /// Connects to the admin service.
    pub async fn admin(&self) -> Result<Admin> {
        Admin::connect(&self.home.state()).await
    }

    /// Runs the controller in the daemon's home.
    pub async fn ctl(&self, args: &[&str]) -> Result<crate::program::Finished> {
        Program::Gatewayctl.run(&self.home, args).await
    }

    /// What it printed so far.
    pub fn stdout(&self) -> Result<String> {
        self.home.read(STDOUT)
    }

    /// What it complained so far.
    pub fn stderr(&self) -> Result<String> {
        self.home.read(STDERR)
    }

    /// Its log file.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.home.state().join("logs").join("gateway.log")
    }
}

/// Where [`free_port`] looks: below the ports that systems give to outgoing connections, one of which could take the
/// port of a daemon while it starts again, and above the gateway's own.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port that was free a moment ago on both address families, and that no other test of this process gets.
pub fn free_port() -> Result<u16> {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % u32::from(PORTS.end - PORTS.start))?;
    for _ in PORTS {
        let number = (u32::from(first) + u32::from(TAKEN.fetch_add(1, Ordering::Relaxed)))
            % u32::from(PORTS.end - PORTS.start);
        let port = PORTS.start + u16::try_from(number)?;
        let in_use = |address: IpAddr| {
            TcpListener::bind((address, port))
                .is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
        };
        if !in_use(Ipv4Addr::UNSPECIFIED.into()) && !in_use(Ipv6Addr::UNSPECIFIED.into()) {
            return Ok(port);
        }
    }
    bail!("no port between {} and {} is free on both address families", PORTS.start, PORTS.end)
}

fn printed(home: &Home) -> String {
    [STDOUT, STDERR].map(|name| home.read(name).unwrap_or_default()).concat()
}
