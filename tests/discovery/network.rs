//! Two hosts with a cable between them. Where none can be made, the test says why and is skipped; with
//! `GATEWAY_TESTS_NO_SKIP=1` that is a failure.

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command as Blocking, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};
use gateway_tests::home::Home;
use gateway_tests::program::Finished;
use gateway_tests::wait::within;
use gateway_tests::{binaries, workspace};
use tokio::process::Command;
use tokio::time::Instant;

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The first, 10.77.0.1.
    Left,
    /// The other, 10.77.0.2.
    Right,
}

/// A network.
pub struct Network {
    /// The names of its ends.
    ends: [String; 2],
}

/// Runs `test` in a network of its own, with private addresses.
pub fn in_a_network<F>(test: impl FnOnce(Network) -> F)
where
    F: Future<Output = Result<()>>,
{
    gateway_tests::run(async {
        let can = Blocking::new("bash").arg(script()).arg("can-run").output()?;
        if !can.status.success() {
            let why = format!("no network can be made here: {}", String::from_utf8_lossy(&can.stdout).trim());
            if std::env::var_os("GATEWAY_TESTS_NO_SKIP").is_some() {
                bail!("{why}");
            }
            // Straight to the stream: what a test prints is hidden when it passes, and this must be seen.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
            return Ok(());
        }
        binaries::folder().await?;
        test(Network::new()?).await
    });
}

fn script() -> PathBuf {
    workspace::root().join("tests/discovery/host.sh")
}

fn ip(args: &str) -> Result<()> {
    let done = Blocking::new("ip").args(args.split(' ')).output().context("running ip")?;
    ensure!(done.status.success(), "ip {args}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

impl Network {
    fn new() -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let id = format!("gw{}x{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let network = Self { ends: [format!("{id}l"), format!("{id}r")] };
        let [left, right] = &network.ends;
        ip(&format!("netns add {left}"))?;
        ip(&format!("netns add {right}"))?;
        ip(&format!("link add eth0 netns {left} type veth peer name eth0 netns {right}"))?;
        for end in [End::Left, End::Right] {
            network.ip(end, "link set lo up")?;
            network.ip(end, "link set eth0 up")?;
        }
        network.ip(End::Left, "addr add 10.77.0.1/24 dev eth0")?;
        network.ip(End::Right, "addr add 10.77.0.2/24 dev eth0")?;
        Ok(network)
    }

    fn name(&self, end: End) -> &str {
        let [left, right] = &self.ends;
        if end == End::Left { left } else { right }
    }

    /// Changes the network at one end.
    pub fn ip(&self, end: End, args: &str) -> Result<()> {
        ip(&format!("-n {} {args}", self.name(end)))
    }

    /// A command on a host called `host`.
    pub fn on(&self, end: End, host: &str) -> Command {
        self.script("on", end, host)
    }

    /// A command on a host called `host`, beside Avahi.
    pub fn beside_avahi(&self, end: End, host: &str) -> Command {
        self.script("avahi", end, host)
    }

    fn script(&self, verb: &str, end: End, host: &str) -> Command {
        let mut command = Command::new("bash");
        command.arg(script()).args([verb, self.name(end), host]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs the controller on a host that nobody looks for.
    pub async fn ctl(&self, end: End, home: &Home, args: &[&str], env: &[(&str, &str)]) -> Result<Finished> {
        let mut command = self.on(end, "visitor");
        surround(&mut command, home);
        command.arg(binaries::folder().await?.join("gatewayctl")).args(args).envs(env.iter().copied());
        let began = Instant::now();
        let output = within(&format!("gatewayctl {args:?}"), command.output()).await??;
        Ok(Finished {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: began.elapsed(),
        })
    }
}

/// Gives a command the home folder, and nothing else of this environment but the search path.
pub fn surround(command: &mut Command, home: &Home) {
    command
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TZ", "UTC")
        .current_dir(home.path());
}

impl Drop for Network {
    fn drop(&mut self) {
        for end in &self.ends {
            let _ = ip(&format!("netns del {end}"));
        }
    }
}
