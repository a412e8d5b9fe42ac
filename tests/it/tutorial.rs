//! The tutorial, played to the letter under the name it uses: every command of its steps that needs no service manager
//! and no tailnet, with the lines that it shows. The port, the process and the home folder are put in the tutorial's
//! words first. Services are in `tests/systemd`, Tailscale is in `tailscale.rs`.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use gateway_tests::binaries;
use gateway_tests::daemon::free_port;
use gateway_tests::home::Home;
use gateway_tests::program::Program;
use gateway_tests::wait::{until, within};
use tokio::process::{Child, Command};

/// Somebody who follows the tutorial.
struct Reader {
    home: Home,
    port: u16,
    clawdbot: PathBuf,
}

/// What a command said, in the tutorial's words.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// A gateway in the foreground.
struct Foreground {
    child: Child,
    pid: u32,
    stdout: PathBuf,
}

impl Reader {
    async fn new() -> Result<Self> {
        let home = Home::new()?;
        let clawdbot = home.path().join("clawdbot");
        std::os::unix::fs::symlink(binaries::folder().await?.join("gatewayctl"), &clawdbot)?;
        Ok(Self { home, port: free_port()?, clawdbot })
    }

    async fn command(&self, line: &str) -> Result<Command> {
        let own = Program::Gatewayctl.command(&self.home).await?;
        let mut command = Command::new(&self.clawdbot);
        command.env_clear().current_dir(self.home.path()).stdin(Stdio::null()).kill_on_drop(true);
        command.envs(own.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        // The tutorial's port may be taken on the machine that tests.
        command.env("CLAWDBOT_GATEWAY_PORT", self.port.to_string());
        command.args(line.split_whitespace().skip(1));
        Ok(command)
    }

    fn shown(&self, text: &str) -> String {
        text.replace(&self.port.to_string(), "18789")
            .replace(&self.home.path().display().to_string(), "/Users/you")
    }

    async fn types(&self, line: &str) -> Result<Said> {
        let mut command = self.command(line).await?;
        let output = within(line, command.output()).await?.with_context(|| line.to_owned())?;
        let text = |bytes: &[u8]| self.shown(&String::from_utf8_lossy(bytes));
        Ok(Said { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
    }

    /// Starts a gateway in the foreground and waits until it has said everything that a start says.
    async fn starts(&self, line: &str) -> Result<(Foreground, String)> {
        let stdout = self.home.path().join("stdout.txt");
        let child = self.command(line).await?.stdout(File::create(&stdout)?).stderr(Stdio::null()).spawn()?;
        let pid = child.id().context("a process")?;
        let said = until("the lines of the start", || async {
            let text = fs::read_to_string(&stdout)?;
            Ok(text.contains("✓ log file: ").then_some(text))
        })
        .await?;
        let said = self.shown(&said).replace(&format!("PID {pid}"), "PID 12345");
        Ok((Foreground { child, pid, stdout }, said))
    }

    fn configure(&self, gateway: &str) -> Result<()> {
        self.home.write_config(&format!("{{ \"gateway\": {{ {gateway} }} }}"))
    }
}

impl Foreground {
    async fn interrupt(mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid)?).context("a process")?;
        rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
        within("the gateway to end", self.child.wait()).await??;
        fs::remove_file(self.stdout).context("what it said")
    }
}

const STARTED: &str = "✓ agent model: anthropic/claude-opus-4-5\n\
    ✓ listening on ws://127.0.0.1:18789 (PID 12345)\n\
    ✓ log file: /Users/you/.clawdbot/logs/gateway.log\n";

#[test]
fn a_start_and_a_look_at_it_are_as_the_tutorial_shows_them() {
    gateway_tests::run(async {
        let reader = Reader::new().await?;
        reader.configure("\"mode\": \"local\"")?;
        let (gateway, said) = reader.starts("clawdbot gateway").await?;
        ensure!(said == STARTED, "{said}");

        let status = reader.types("clawdbot gateway status").await?;
        let status =
            Said { stdout: status.stdout.replace(&format!("PID {}", gateway.pid), "PID 12345"), ..status };
        ensure!(status.code == Some(0), "{status:?}");
        let border = "─".repeat(38);
        for (title, rows) in [
            (
                "Gateway service status",
                &["Service: ", "Runtime: running (PID 12345) ", "Port: 18789 ", "Last gateway error: none "]
                    [..],
            ),
            ("RPC probe", &["Target: ws://127.0.0.1:18789 ", "Status: ✓ connected ", "Latency: "]),
        ] {
            let after = status.stdout.split_once(&format!("{title}\n┌{border}┐\n"));
            let (_, after) = after.with_context(|| format!("{title}: {status:?}"))?;
            let (inside, _) = after.split_once(&format!("└{border}┘\n")).context("the end of the box")?;
            ensure!(inside.lines().count() == rows.len(), "{inside}");
            let fits =
                |(line, row): (&str, &&str)| line.starts_with(&format!("│ {row}")) && line.ends_with('│');
            ensure!(inside.lines().zip(rows).all(fits), "{inside}");
        }
        let status = reader.types("clawdbot gateway status --no-probe").await?;
        ensure!(status.code == Some(0) && !status.stdout.contains("RPC probe"), "{status:?}");

        let health = reader.types("clawdbot gateway health").await?;
        let healthy = "✓ Gateway is healthy\n✓ WebSocket connection: OK\n✓ RPC methods: available\n";
        ensure!(health.code == Some(0) && health.stdout == healthy && health.stderr.is_empty(), "{health:?}");
        let probe = reader.types("clawdbot gateway probe").await?;
        let reachable = "Local loopback ws://127.0.0.1:18789\n  Connect: ok (";
        ensure!(probe.code == Some(0) && probe.stdout.contains(reachable), "{probe:?}");

        let again = reader.types("clawdbot gateway").await?;
        let taken = "Error: listen EADDRINUSE: address already in use :::18789\n";
        let already =
            "- Gateway already running locally. Stop it (clawdbot gateway stop) or use a different port.\n";
        ensure!(again.stderr.starts_with(taken) && again.stderr.contains(already), "{again:?}");
        ensure!(again.code == Some(69) && again.stdout.is_empty(), "{again:?}");
        gateway.interrupt().await
    });
}

#[test]
fn a_taken_port_is_freed_as_the_tutorial_shows_it() {
    gateway_tests::run(async {
        let reader = Reader::new().await?;
        reader.configure("\"mode\": \"local\"")?;
        let (mut first, _) = reader.starts("clawdbot gateway").await?;
        fs::rename(&first.stdout, reader.home.path().join("first.txt"))?;
        let (second, said) = reader.starts("clawdbot gateway --force").await?;
        let (killed, rest) = said.split_once('\n').context("lines")?;
        ensure!(killed == format!("✓ force: killed pid {} (gatewayd) on port 18789", first.pid), "{said}");
        let (waited, rest) = rest.split_once('\n').context("lines")?;
        let took =
            waited.strip_prefix("✓ force: waited ").and_then(|w| w.strip_suffix("ms for port 18789 to free"));
        ensure!(took.is_some_and(|ms| ms.parse::<u32>().is_ok()), "{said}");
        ensure!(rest == STARTED, "{said}");
        within("the first one to end", first.child.wait()).await??;
        second.interrupt().await
    });
}

#[test]
fn development_mode_is_as_the_tutorial_shows_it() {
    gateway_tests::run(async {
        let reader = Reader::new().await?;
        let expected = "✓ dev config created at ~/.clawdbot-dev/clawdbot.json\n\
            ✓ dev workspace initialized at ~/clawd-dev\n\
            ✓ agent model: anthropic/claude-opus-4-5\n\
            ✓ listening on ws://127.0.0.1:18789 (PID 12345)\n";
        for line in ["clawdbot gateway --dev", "clawdbot gateway --dev --reset"] {
            let (gateway, said) = reader.starts(line).await?;
            let said = said.lines().filter(|line| !line.starts_with("Moved to Trash: "));
            let said: String = said.map(|line| format!("{line}\n")).collect();
            ensure!(said.starts_with(expected), "{line}: {said}");
            gateway.interrupt().await?;
        }
        ensure!(!reader.home.path().join(".clawdbot/clawdbot.json").exists(), "production is not touched");
        Ok(())
    });
}

#[test]
fn the_pitfalls_say_what_the_tutorial_says() {
    gateway_tests::run(async {
        let reader = Reader::new().await?;
        let blocked =
            "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.\n";
        let said = reader.types("clawdbot gateway").await?;
        ensure!(said.code == Some(78) && said.stderr.ends_with(blocked), "{said:?}");
        reader.configure("")?;
        let said = reader.types("clawdbot gateway").await?;
        ensure!(said.code == Some(78) && said.stderr == blocked, "{said:?}");
        let (gateway, said) = reader.starts("clawdbot gateway --allow-unconfigured").await?;
        ensure!(said == STARTED, "{said}");
        gateway.interrupt().await?;

        reader.configure("\"mode\": \"local\"")?;
        for mode in ["lan", "tailnet"] {
            let said = reader.types(&format!("clawdbot gateway --bind {mode}")).await?;
            let refused = format!(
                "Refusing to bind gateway to {mode} without auth.\nSet gateway.auth.token/password \
                 (or CLAWDBOT_GATEWAY_TOKEN/CLAWDBOT_GATEWAY_PASSWORD) or pass --token/--password.\n"
            );
            ensure!(said.code == Some(78) && said.stderr == refused, "{said:?}");
        }
        let (gateway, said) = reader.starts("clawdbot gateway --bind auto").await?;
        ensure!(said == STARTED, "without a secret it stays on this machine: {said}");
        gateway.interrupt().await?;

        let said = reader.types("clawdbot gateway --reset").await?;
        ensure!(said.code == Some(78) && said.stderr == "Use --reset with --dev.\n", "{said:?}");
        let said = reader.types("clawdbot gateway --tailscale funnel --auth password").await?;
        let missing = "Gateway auth is set to password, but no password is configured.\n";
        ensure!(said.code == Some(78) && said.stderr.starts_with(missing), "{said:?}");
        Ok(())
    });
}
