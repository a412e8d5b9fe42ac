//! A machine that boots systemd, for one test: `box.sh` makes it, dropping it removes it. Where none can be made, the
//! test says why and is skipped; with `GATEWAY_TESTS_NO_SKIP=1` that is a failure.

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use gateway_tests::binaries;
use gateway_tests::program::Finished;
use gateway_tests::wait::until_within;
use gateway_tests::workspace;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// One machine at a time: each is a whole system.
static TURN: Mutex<()> = Mutex::const_new(());

/// Long enough for a boot on a busy machine; a test that passes never waits for it.
const LIMIT: Duration = Duration::from_secs(120);

/// The user of the gateways.
pub const USER: &str = "tester";

/// The unit without a profile.
pub const UNIT: &str = "clawdbot-gateway.service";

/// A machine.
pub struct Machine {
    folder: TempDir,
    programs: PathBuf,
}

/// Runs `test` on a machine with both programs, and a user whose gateway is configured.
pub fn on_a_machine<F>(test: impl FnOnce(Machine) -> F)
where
    F: Future<Output = Result<()>>,
{
    gateway_tests::run(async {
        let _turn = TURN.lock().await;
        let Some(machine) = Machine::new().await? else { return Ok(()) };
        machine.set_up().await?;
        test(machine).await
    });
}

impl Machine {
    async fn new() -> Result<Option<Self>> {
        let programs = binaries::folder().await?.to_path_buf();
        let folder = tempfile::Builder::new().prefix("gw-box-").tempdir()?;
        let machine = Self { folder, programs };
        let can = machine.script(&["can-run"]).await?;
        if can.code == Some(0) {
            return Ok(Some(machine));
        }
        let why = format!("no machine with systemd can be booted here: {}", can.stdout.trim());
        if std::env::var_os("GATEWAY_TESTS_NO_SKIP").is_some() {
            bail!("{why}");
        }
        // Straight to the stream: what a test prints is hidden when it passes, and this must be seen.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
        Ok(None)
    }

    async fn set_up(&self) -> Result<()> {
        self.ok(&["up"]).await?;
        let programs = self.programs.display();
        for name in ["gatewayd", "gatewayctl"] {
            self.root(&format!("install -m 755 {programs}/{name} /usr/local/bin/{name}")).await?;
        }
        self.root(&format!("useradd --create-home --shell /bin/bash {USER}")).await?;
        self.configure(".clawdbot").await
    }

    /// Gives the user's gateway with this state folder the smallest configuration that starts.
    pub async fn configure(&self, state: &str) -> Result<()> {
        let text = "{ gateway: { mode: 'local' } }";
        let line = format!("mkdir -p '{state}' && echo \"{text}\" > '{state}/clawdbot.json'");
        self.as_user(&format!("cd && {line}")).await.map(drop)
    }

    async fn script(&self, args: &[&str]) -> Result<Finished> {
        let began = Instant::now();
        let mut command = Command::new("bash");
        command
            .arg(workspace::root().join("tests/systemd/box.sh"))
            .args(args)
            .env("BOX", self.folder.path().join("box"))
            .env("BOX_BIND", &self.programs)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output =
            timeout(LIMIT, command.output()).await.with_context(|| format!("{args:?} takes too long"))??;
        Ok(Finished {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: began.elapsed(),
        })
    }

    async fn ok(&self, args: &[&str]) -> Result<String> {
        let done = self.script(args).await?;
        ensure!(done.code == Some(0), "{args:?}: {done:?}");
        Ok(done.stdout)
    }

    /// Runs a line as root, however it ends.
    pub async fn try_root(&self, line: &str) -> Result<Finished> {
        self.script(&["exec", "bash", "-c", line]).await
    }

    /// Runs a line as root.
    pub async fn root(&self, line: &str) -> Result<String> {
        self.ok(&["exec", "bash", "-c", line]).await
    }

    /// Runs a line as the user with a session, however it ends.
    pub async fn try_user(&self, line: &str) -> Result<Finished> {
        self.script(&["user", USER, "bash", "-c", line]).await
    }

    /// Runs a line as the user with a session.
    pub async fn as_user(&self, line: &str) -> Result<String> {
        self.ok(&["user", USER, "bash", "-c", line]).await
    }

    /// Runs a line as the user without any session, as after `su`.
    pub async fn without_session(&self, line: &str) -> Result<Finished> {
        let env = format!("env -i HOME=/home/{USER} PATH=/usr/local/bin:/usr/bin:/bin");
        let line = line.replace('\'', r"'\''");
        self.try_root(&format!("setpriv --reuid {USER} --regid {USER} --init-groups {env} bash -c '{line}'"))
            .await
    }

    /// Lets the user's services run without a log-in, and waits for their manager.
    pub async fn linger(&self) -> Result<()> {
        self.root(&format!("loginctl enable-linger {USER}")).await?;
        self.until("the user's manager", || async {
            let state = self.try_user("systemctl --user is-system-running").await?;
            Ok(matches!(state.stdout.trim(), "running" | "degraded").then_some(()))
        })
        .await
    }

    /// A property of the user's unit.
    pub async fn property(&self, name: &str) -> Result<String> {
        let line = format!("systemctl --user show {UNIT} --property {name} --value");
        Ok(self.as_user(&line).await?.trim().to_owned())
    }

    /// Waits until the user's gateway serves in a process other than `old`. Returns that process.
    pub async fn serves_anew(&self, old: &str) -> Result<String> {
        self.until("another gateway to serve", || async {
            let ready = self.try_user("gatewayctl health --ready").await?.code == Some(0);
            let pid = self.property("MainPID").await?;
            Ok((ready && pid != old && pid != "0").then_some(pid))
        })
        .await
    }

    /// Boots it again in order.
    pub async fn reboot(&self) -> Result<()> {
        self.ok(&["reboot"]).await.map(drop)
    }

    /// Takes its power away and boots it again.
    pub async fn pull_the_plug(&self) -> Result<()> {
        self.ok(&["crash"]).await.map(drop)
    }

    /// Asks `check` again and again until it gives a value.
    pub async fn until<T, F>(&self, what: &str, check: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        until_within(LIMIT, Duration::from_millis(100), what, check).await
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let mut down = std::process::Command::new("bash");
        down.arg(workspace::root().join("tests/systemd/box.sh")).arg("down");
        down.env("BOX", self.folder.path().join("box")).stdout(Stdio::null()).stderr(Stdio::null());
        // A machine that does not go by itself ends with the folder that holds it.
        let _ = down.status();
    }
}
