//! A gateway on a host of a network, and how it is looked for.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_tests::binaries;
use gateway_tests::home::Home;
use gateway_tests::wait::{until, within};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::Child;

use crate::network::{End, Network, surround};

const STDOUT: &str = "gatewayd.stdout";

/// A running gateway.
pub struct Gateway {
    child: Child,
    /// Its home folder.
    pub home: Arc<Home>,
}

impl Gateway {
    /// Starts one with this configuration beside the usual, and waits until it serves.
    pub async fn start(network: &Network, end: End, host: &str, port: u16, config: &str) -> Result<Self> {
        Self::start_in(network, end, host, port, &Arc::new(Home::new()?), config, &[]).await
    }

    /// Starts one in this home folder with more environment variables.
    pub async fn start_in(
        network: &Network,
        end: End,
        host: &str,
        port: u16,
        home: &Arc<Home>,
        config: &str,
        env: &[(&str, &str)],
    ) -> Result<Self> {
        home.write_config(&format!(
            "{{ gateway: {{ mode: 'local', port: {port}, auth: {{ mode: 'token', token: 'word' }}, {config} }}"
        ))?;
        let mut command = network.on(end, host);
        surround(&mut command, home);
        command.arg(binaries::folder().await?.join("gatewayd")).envs(env.iter().copied());
        let append = |name| File::options().create(true).append(true).open(home.path().join(name));
        command.stdout(OwnedFd::from(append(STDOUT)?)).stderr(OwnedFd::from(append("gatewayd.stderr")?));
        let before = home.read(STDOUT)?.matches("✓ log file").count();
        let child = command.spawn().context("starting gatewayd")?;
        let gateway = Self { child, home: home.clone() };
        until("the gateway to serve", || async {
            Ok((gateway.stdout()?.matches("✓ log file").count() > before).then_some(()))
        })
        .await?;
        Ok(gateway)
    }

    /// What it printed.
    pub fn stdout(&self) -> Result<String> {
        self.home.read(STDOUT)
    }

    /// Waits until its log says `words`.
    pub async fn says(&self, words: &str) -> Result<()> {
        until(&format!("the log to say {words}"), || async {
            let log = self.home.read(".clawdbot/logs/gateway.log").unwrap_or_default();
            // The log is JSON, which writes quotation marks so.
            Ok(log.contains(&words.replace('"', "\\\"")).then_some(()))
        })
        .await
    }

    /// Asks it to stop and waits for its end.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(pid.context("it runs")?, Signal::TERM)?;
        Ok(within("the gateway to end", self.child.wait()).await??)
    }
}

/// What `discover --json` finds at one end, as soon as it is `count` gateways.
pub async fn found(network: &Network, end: End, count: usize, env: &[(&str, &str)]) -> Result<Vec<Value>> {
    let home = Home::new()?;
    until(&format!("{count} gateways to be found"), || async {
        let done = network.ctl(end, &home, &["discover", "--json", "--timeout", "1500"], env).await?;
        ensure!(done.code == Some(0) && done.stderr.is_empty(), "{done:?}");
        let report: Value = serde_json::from_str(&done.stdout).context("one JSON document")?;
        let beacons = report["beacons"].as_array().context("beacons")?.clone();
        ensure!(report["count"] == beacons.len(), "{report}");
        Ok((beacons.len() == count).then_some(beacons))
    })
    .await
}
