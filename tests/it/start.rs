//! Starting `gatewayd`: what it prints when it serves, and every way in which it refuses, to the letter and with its
//! exit code.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::{Daemon, free_port};
use gateway_tests::device::Device;
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::http;
use gateway_tests::program::{Finished, Program};
use gateway_tests::wait::{until, within};
use gateway_tests::ws_client::refusal;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const LOCAL: &str = "{ gateway: { mode: 'local' } }";
const BLOCKED: &str =
    "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.\n";

/// How a start went.
pub struct Begun {
    /// The process, when it serves.
    pub child: Option<Child>,
    /// The lines of stdout up to the one with the log file, or all of them.
    pub lines: Vec<String>,
    /// The exit code of a process that ended.
    pub code: Option<i32>,
    /// What a process that ended complained.
    pub stderr: String,
    /// Kept open for a daemon that has more to say.
    _stdout: Lines<BufReader<ChildStdout>>,
}

/// Starts a daemon with exactly these words and waits until it serves or ends.
pub async fn begin(home: &Home, args: &[&str]) -> Result<Begun> {
    let mut command = Program::Gatewayd.command(home).await?;
    let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().context("stdout is piped")?;
    let mut reader = BufReader::new(stdout).lines();
    let mut lines = Vec::new();
    while let Some(line) = within("a line of the start", reader.next_line()).await?? {
        lines.push(line);
        if lines.last().is_some_and(|line| line.starts_with("✓ log file: ")) {
            let code = None;
            return Ok(Begun { child: Some(child), lines, code, stderr: String::new(), _stdout: reader });
        }
    }
    let mut stderr = String::new();
    let mut pipe = child.stderr.take().context("stderr is piped")?;
    within("the rest of stderr", pipe.read_to_string(&mut stderr)).await??;
    let code = within("the refusal to end", child.wait()).await??.code();
    Ok(Begun { child: None, lines, code, stderr, _stdout: reader })
}

async fn refused(config: Option<&str>, args: &[&str]) -> Result<Finished> {
    let home = Home::new()?;
    if let Some(config) = config {
        home.write_config(config)?;
    }
    Program::Gatewayd.run(&home, args).await
}

async fn check_refusals(table: &[(Option<&str>, &[&str], i32, &str)]) -> Result<()> {
    for &(config, args, code, text) in table {
        let port = free_port()?.to_string();
        let all: Vec<&str> =
            if args.contains(&"--port") { args.to_vec() } else { [&["--port", &port], args].concat() };
        let seen = refused(config, &all).await?;
        ensure!(seen.code == Some(code) && seen.stderr == text, "{config:?} {args:?} gave {seen:?}");
        ensure!(seen.stdout.is_empty(), "{args:?} printed {:?}", seen.stdout);
    }
    Ok(())
}

#[test]
fn a_start_that_is_not_safe_is_refused() {
    let both = format!(
        "Missing config. Run `clawdbot setup` or set gateway.mode=local (or pass --allow-unconfigured).\n{BLOCKED}"
    );
    let remote = BLOCKED.replace("unset", "remote");
    let lan = "Refusing to bind gateway to lan without auth.\nSet gateway.auth.token/password (or CLAWDBOT_GATEWAY_TOKEN/CLAWDBOT_GATEWAY_PASSWORD) or pass --token/--password.\n";
    let no_token = "Gateway auth is set to token, but no token is configured.\nSet gateway.auth.token (or CLAWDBOT_GATEWAY_TOKEN), or pass --token.\n";
    let no_password = "Gateway auth is set to password, but no password is configured.\nSet gateway.auth.password (or CLAWDBOT_GATEWAY_PASSWORD), or pass --password.\n";
    gateway_tests::run(async move {
        check_refusals(&[
            (None, &[], 78, &both),
            (Some("{}"), &[], 78, BLOCKED),
            (Some("{ gateway: { mode: 'remote' } }"), &[], 78, &remote),
            (Some(LOCAL), &["--bind", "lan"], 78, lan),
            (Some("{ gateway: { mode: 'local', bind: 'lan' } }"), &[], 78, lan),
            (Some(LOCAL), &["--auth", "token"], 78, no_token),
            (Some(LOCAL), &["--auth", "password"], 78, no_password),
            (Some(LOCAL), &["--reset"], 78, "Use --reset with --dev.\n"),
        ])
        .await
    });
}

#[test]
fn a_wrong_word_is_named() {
    let bind = "Invalid --bind (use \"loopback\", \"lan\", \"tailnet\", \"auto\", or \"custom\")\n";
    gateway_tests::run(async move {
        check_refusals(&[
            (Some(LOCAL), &["--auth", "magic"], 78, "Invalid --auth (use \"token\" or \"password\")\n"),
            (Some(LOCAL), &["--bind", "everywhere"], 78, bind),
            (
                Some(LOCAL),
                &["--ws-log", "loud"],
                78,
                "Invalid --ws-log (use \"auto\", \"full\", \"compact\")\n",
            ),
            (Some(LOCAL), &["--port", "0"], 78, "Invalid port\n"),
            (Some(LOCAL), &["--port", "door"], 78, "Invalid port\n"),
            (Some(LOCAL), &["--bogus"], 1, "error: unknown option '--bogus'\n"),
            (
                Some(LOCAL),
                &["--profile", "a/b"],
                2,
                "[clawdbot] Invalid --profile (use letters, numbers, \"_\", \"-\" only)\n",
            ),
            (Some(LOCAL), &["--profile"], 2, "[clawdbot] --profile requires a value\n"),
        ])
        .await
    });
}

#[test]
fn a_config_that_is_not_valid_is_explained() {
    let unknown = "Config invalid\nFile: ~/.clawdbot/clawdbot.json\nProblem:\n  - gateway: Unrecognized key: \"prot\"\n  - <root>: Unrecognized key: \"bogus\"\n\nRun: clawdbot doctor --fix\n";
    let broken = "Config invalid\nFile: ~/.clawdbot/clawdbot.json\nProblem:\n  - <root>: JSON5 parse failed: SyntaxError: JSON5: invalid character '}' at 2:9\n\nRun: clawdbot doctor --fix\n";
    gateway_tests::run(async move {
        check_refusals(&[
            (Some("{ gateway: { mode: 'local', prot: 1 }, bogus: 1 }"), &[], 78, unknown),
            (Some("{ gateway: { mode: 'local',\n  auth: }}"), &[], 78, broken),
        ])
        .await
    });
}

#[test]
fn the_success_lines_come_in_order() {
    gateway_tests::run(async {
        let (home, port) = (Home::configured()?, free_port()?);
        let begun = begin(&home, &["--port", &port.to_string()]).await?;
        let pid = begun.child.as_ref().and_then(Child::id).with_context(|| begun.stderr.clone())?;
        let log = home.state().join("logs/gateway.log");
        let expected = [
            "✓ agent model: anthropic/claude-opus-4-5".to_owned(),
            format!("✓ listening on ws://127.0.0.1:{port} (PID {pid})"),
            format!("✓ log file: {}", log.display()),
        ];
        ensure!(begun.lines == expected, "{:?}", begun.lines);
        ensure!(log.exists(), "the log file is where the line says");
        Ok(())
    });
}

#[test]
fn a_port_that_is_taken_is_said_first() {
    gateway_tests::run(async {
        let first = Daemon::start().await?;
        let port = first.port.to_string();
        let foreign = Program::Gatewayd.run(&Home::configured()?, &["--port", &port]).await?;
        let head = format!(
            "Error: listen EADDRINUSE: address already in use :::{port}\nGateway failed to start: another gateway instance is already listening on ws://127.0.0.1:{port}\nIf the gateway is supervised, stop it with: clawdbot gateway stop\n"
        );
        ensure!(foreign.code == Some(69) && foreign.stderr.starts_with(&head), "{foreign:?}");

        let again = Program::Gatewayd.run(&first.home, &["--port", &port]).await?;
        let pid = first.pid()?.as_raw_nonzero();
        let running = format!("Gateway failed to start: gateway already running (pid {pid})");
        let hint =
            "- Gateway already running locally. Stop it (clawdbot gateway stop) or use a different port.";
        ensure!(again.code == Some(69), "{again:?}");
        ensure!(again.stderr.contains(&running) && again.stderr.contains(hint), "{again:?}");
        ensure!(first.get("/readyz").await?.status == 200, "the first one does not care");
        Ok(())
    });
}

#[test]
fn a_second_one_starts_on_a_port_of_its_own() {
    gateway_tests::run(async {
        let first = Daemon::start().await?;
        let second = Daemon::builder().home(first.home.clone()).start().await?;
        let expected = format!(
            "another gateway owns ~/.clawdbot (pid {}, port {}); starting without channels, cron and heartbeat",
            first.pid()?.as_raw_nonzero(),
            first.port
        );
        ensure!(second.stderr()?.contains(&expected), "{}", second.stderr()?);
        ensure!(first.get("/readyz").await?.status == 200, "the first one goes on");
        Ok(())
    });
}

#[test]
fn of_twenty_on_one_port_one_lives() {
    gateway_tests::run(async {
        let (home, port) = (Home::configured()?, free_port()?);
        let mut copies = Vec::new();
        for _ in 0..20 {
            let mut command = Program::Gatewayd.command(&home).await?;
            command.args(["--port", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
            copies.push(command.spawn()?);
        }
        let mut codes = Vec::new();
        until("nineteen to give up", || {
            copies.retain_mut(|copy| match copy.try_wait() {
                Ok(Some(status)) => {
                    codes.push(status.code());
                    false
                }
                _ => true,
            });
            let is_over = copies.len() <= 1;
            async move { Ok(is_over.then_some(())) }
        })
        .await?;
        ensure!(codes == [Some(69); 19], "{codes:?}");
        until("the one that is left to serve", || async move {
            Ok(http::get(port, "/readyz").await.is_ok_and(|answer| answer.status == 200).then_some(()))
        })
        .await
    });
}

#[test]
fn development_mode_makes_its_own_files() {
    gateway_tests::run(async {
        let home = Arc::new(Home::new()?);
        let mut daemon = Daemon::builder().home(home.clone()).args(["--dev"]).start().await?;
        let expected = "✓ dev config created at ~/.clawdbot-dev/clawdbot.json\n✓ dev workspace initialized at ~/clawd-dev\n✓ agent model: ";
        ensure!(daemon.stdout()?.starts_with(expected), "{}", daemon.stdout()?);
        for name in ["AGENTS.md", "IDENTITY.md", "SOUL.md", "TOOLS.md", "USER.md"] {
            ensure!(!home.read(&format!("clawd-dev/{name}"))?.is_empty(), "{name} says something");
        }
        ensure!(!home.state().exists(), "the state folder of every day is left alone");
        ensure!(daemon.stop().await?.success(), "it stops");
        Ok(())
    });
}

#[test]
fn a_reset_moves_to_the_trash_and_touches_nothing_else() {
    gateway_tests::run(async {
        let home = Home::new()?;
        home.write_config("{ not even valid")?;
        home.write(".clawdbot-dev/clawdbot.json", "{ /* old */ }")?;
        home.write(".clawdbot-dev/credentials/key", "secret")?;
        home.write(".clawdbot-dev/agents/dev/sessions/one", "talk")?;
        home.write(".clawdbot-dev/other", "stays")?;
        home.write("clawd-dev/SOUL.md", "mine")?;
        let begun = begin(&home, &["--dev", "--reset", "--port", &free_port()?.to_string()]).await?;
        ensure!(begun.child.is_some(), "{}", begun.stderr);
        let moved = [
            "Moved to Trash: ~/.clawdbot-dev/clawdbot.json",
            "Moved to Trash: ~/.clawdbot-dev/credentials",
            "Moved to Trash: ~/.clawdbot-dev/agents/dev/sessions",
            "Moved to Trash: ~/clawd-dev",
            "✓ dev config created at ~/.clawdbot-dev/clawdbot.json",
            "✓ dev workspace initialized at ~/clawd-dev",
        ];
        ensure!(begun.lines.starts_with(&moved.map(str::to_owned)), "{:?}", begun.lines);
        let trash =
            std::fs::read_dir(home.path().join(".clawdbot-dev/trash"))?.next().context("a trash")??.path();
        for (name, text) in [
            ("clawdbot.json", "{ /* old */ }"),
            ("credentials/key", "secret"),
            ("agents/dev/sessions/one", "talk"),
            ("clawd-dev/SOUL.md", "mine"),
        ] {
            ensure!(
                std::fs::read_to_string(trash.join(name)).with_context(|| name)? == text,
                "{name} is in the trash"
            );
        }
        ensure!(home.read(".clawdbot-dev/other")? == "stays", "other files stay");
        ensure!(home.read(".clawdbot/clawdbot.json")? == "{ not even valid", "the other profile stays");
        ensure!(home.read("clawd-dev/SOUL.md")? != "mine", "the workspace is new");
        Ok(())
    });
}

/// A foreign program that listens: its process, its id and its port.
async fn listener(prelude: &str) -> Result<(Child, u32, u16)> {
    let code = format!(
        "import os,signal,socket\n{prelude}\ns=socket.socket()\ns.bind(('127.0.0.1',0))\ns.listen()\nprint(os.getpid(),s.getsockname()[1],flush=True)\nsignal.pause()"
    );
    let mut child =
        Command::new("python3").arg("-c").arg(code).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("piped")?).lines();
    let line =
        within("the listener's line", lines.next_line()).await??.context("the listener prints its port")?;
    let (pid, port) = line.split_once(' ').context("two numbers")?;
    Ok((child, pid.parse()?, port.parse()?))
}

#[test]
fn force_frees_the_port() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        let (mut foreign, pid, port) = listener("").await?;
        let begun = begin(&home, &["--force", "--port", &port.to_string()]).await?;
        ensure!(begun.child.is_some(), "{}", begun.stderr);
        let first = begun.lines.first().context("a line")?;
        ensure!(
            first.starts_with(&format!("✓ force: killed pid {pid} (python"))
                && first.ends_with(&format!(") on port {port}")),
            "{first}"
        );
        let rest: Vec<_> = begun.lines.iter().skip(1).filter(|line| line.contains("force:")).collect();
        let waited = |line: &str| {
            line.starts_with("✓ force: waited ") && line.ends_with(&format!("ms for port {port} to free"))
        };
        ensure!(rest.iter().all(|line| waited(line)) && rest.len() <= 1, "{rest:?}");
        ensure!(!within("the listener to be gone", foreign.wait()).await??.success(), "a signal ended it");
        Ok(())
    });
}

#[test]
fn force_does_not_give_up_on_a_stubborn_one() {
    gateway_tests::run(async {
        let (_foreign, pid, port) = listener("signal.signal(signal.SIGTERM,signal.SIG_IGN)").await?;
        let begun = begin(&Home::configured()?, &["--force", "--port", &port.to_string()]).await?;
        ensure!(begun.child.is_some(), "{}", begun.stderr);
        let lines: Vec<_> = begun.lines.iter().take(4).map(String::as_str).collect();
        let [killed, escalated, waited, model] = lines[..] else { anyhow::bail!("{lines:?}") };
        ensure!(killed.contains(&format!("force: killed pid {pid} ")), "{killed}");
        ensure!(
            escalated == format!("✓ force: escalated to SIGKILL while freeing port {port}"),
            "{escalated}"
        );
        ensure!(waited.starts_with("✓ force: waited "), "{waited}");
        ensure!(model.starts_with("✓ agent model: "), "{model}");
        Ok(())
    });
}

#[test]
fn force_on_a_free_port_says_so() {
    gateway_tests::run(async {
        let port = free_port()?;
        let begun = begin(&Home::configured()?, &["--force", "--port", &port.to_string()]).await?;
        ensure!(
            begun.lines.first() == Some(&format!("✓ force: no listeners on port {port}")),
            "{:?}",
            begun.lines
        );
        Ok(())
    });
}

#[test]
fn the_printed_config_hides_secrets() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        let seen = Program::Gatewayd.run(&home, &["--print-config"]).await?;
        ensure!(seen.code == Some(0), "{seen:?}");
        let config: serde_json::Value = serde_json::from_str(&seen.stdout)?;
        ensure!(config["gateway"]["mode"] == "local", "{config}");
        ensure!(config["gateway"]["auth"]["token"] == "__REDACTED__", "{config}");
        ensure!(!seen.stdout.contains(TOKEN) && !seen.stderr.contains(TOKEN), "{seen:?}");
        ensure!(!home.state().join("gateway.sqlite").exists(), "looking creates nothing");
        Ok(())
    });
}

#[test]
fn it_can_be_told_to_start_without_a_config() {
    gateway_tests::run(async {
        let home = Arc::new(Home::new()?);
        let daemon = Daemon::builder().home(home.clone()).args(["--allow-unconfigured"]).start().await?;
        daemon.connect(Connect::cli().anonymous().device(Device::seeded(1))).await?;
        ensure!(!home.config().exists(), "no file is made up");
        let hint = "or: gatewayd --token <token>)";
        ensure!(daemon.stderr()?.contains(hint), "the hint can be read: {}", daemon.stderr()?);
        Ok(())
    });
}

#[test]
fn a_secret_may_come_from_outside_the_file() {
    gateway_tests::run(async {
        let words = Daemon::builder().config(LOCAL).args(["--auth", "password", "--password", "open sesame"]);
        let daemon = words.start().await?;
        daemon.connect(Connect::cli().password("open sesame").device(Device::seeded(1))).await?;
        refusal(daemon.connect(Connect::cli().password("open barley").device(Device::seeded(1))).await)?;
        let outside = Daemon::builder().config(LOCAL).env("CLAWDBOT_GATEWAY_TOKEN", "from-outside");
        let daemon = outside.args(["--bind", "lan"]).start().await?;
        daemon.connect(Connect::cli().token("from-outside")).await?;
        refusal(daemon.connect(Connect::cli().anonymous()).await)?;
        Ok(())
    });
}
