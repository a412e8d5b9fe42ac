//! The programs that ours run, with stand-ins in their place that answer nonsense: too much, no text, not at all,
//! orders for a terminal. Whatever they do, ours end by themselves and say what failed in few printable words.

use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::device::Device;
use gateway_tests::home::Home;
use gateway_tests::program::{Finished, Program};
use gateway_tests::tailnet::{LOGIN, Proxy, Sender, Tailscale};
use gateway_tests::ws_client::{Client, refusal};
use serde_json::Value;
use tokio::task::JoinSet;

/// What a stand-in does, as lines of shell.
const ANSWERS: [(&str, &str); 14] = [
    ("10 MB", "head -c 10000000 /dev/zero | tr '\\0' x"),
    ("10 MB of errors", "head -c 10000000 /dev/zero | tr '\\0' x >&2; exit 1"),
    ("many lines", "yes ActiveState=active | head -n 300000"),
    ("no end", "exec yes MainPID=1"),
    ("no end of errors", "exec yes >&2"),
    ("no text", "printf '\\377\\376\\200\\0\\1\\n' | tee /dev/stderr; exit 1"),
    ("no text and success", "printf 'Versio=\\377\\0\\nActiveState=\\200\\n<Task\\1>'"),
    (
        "orders for a terminal",
        "printf '\\033[2J\\033]0;x\\007\\rVersion\\033[31m\\n' | tee /dev/stderr; exit 1",
    ),
    (
        "orders in the state",
        "printf 'ActiveState=\\033]0;x\\007\\nMainPID=\\033[5m\\nExecMainStatus=99999999999\\n'",
    ),
    ("nothing", "exit 0"),
    ("nothing and failure", "exit 1"),
    ("ended by a signal", "kill -KILL $$"),
    ("aborted", "kill -ABRT $$"),
    ("closed pipes", "exec >&- 2>&-; exit 3"),
];

/// Those that take as long as they are let.
const SLOW: [(&str, &str); 4] = [
    ("a child that holds the pipes", "sleep 8 & exit 0"),
    ("hangs", "exec sleep 1000"),
    ("hangs with closed pipes", "exec >&- 2>&-; exec sleep 1000"),
    ("does not end by itself", "trap '' PIPE TERM; while :; do echo x; done 2>/dev/null"),
];

/// Everything that `gatewayctl` runs on this system.
const TOOLS: [&str; 5] = ["systemctl", "loginctl", "journalctl", "sudo", "tailscale"];

/// Puts the same program in the place of all tools. Returns the search path with them in front.
fn stand_ins(home: &Home, lines: &str) -> Result<String> {
    home.write("tools/program", &format!("#!/bin/sh\n{lines}\n"))?;
    let folder = home.path().join("tools");
    for tool in TOOLS {
        // Copied by another process: a file that this one has open for writing could not be run.
        let copied = Command::new("install")
            .args(["-m", "755"])
            .args([folder.join("program"), folder.join(tool)])
            .status()?;
        ensure!(copied.success(), "{tool} is in place");
    }
    Ok(format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default()))
}

/// Fails unless it ended by itself with few printable words.
fn is_decent(what: &str, seen: &Finished) -> Result<()> {
    // 101 is a panic.
    ensure!(seen.code.is_some_and(|code| code != 101), "{what}: {seen:?}");
    for text in [&seen.stdout, &seen.stderr] {
        let obeyed = text.chars().find(|c| c.is_control() && *c != '\n');
        ensure!(obeyed.is_none(), "{what}: {obeyed:?} in {text:.2000?}");
        ensure!(text.len() < 64 * 1024, "{what}: {} bytes", text.len());
        ensure!(!text.contains("panicked"), "{what}: {text}");
    }
    Ok(())
}

async fn answers(name: &'static str, lines: &'static str, commands: &'static [&'static str]) -> Result<()> {
    let home = Home::configured()?;
    let path = stand_ins(&home, lines)?;
    let unit = ".config/systemd/user/clawdbot-gateway.service";
    home.write(unit, "[Service]\nExecStart=/x/gatewayd gateway\n")?;
    let env = [("PATH", path.as_str()), ("USER", "you"), ("XDG_RUNTIME_DIR", "/nowhere")];
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        let seen = Program::Gatewayctl.run_with(&home, &words, &env).await?;
        let what = format!("{command} with a tool that gives {name}");
        is_decent(&what, &seen)?;
        if words.contains(&"--json") {
            let document: serde_json::Result<Value> = serde_json::from_str(&seen.stdout);
            ensure!(document.is_ok(), "{what}: {seen:?}");
        }
        let acts = !matches!(words[0], "status" | "doctor");
        let is_told = seen.code == Some(1) && !seen.stderr.is_empty();
        ensure!(!acts || is_told, "{what}: nothing was done: {seen:?}");
    }
    let kept = home.read(unit)?;
    ensure!(kept == "[Service]\nExecStart=/x/gatewayd gateway\n", "{name}: {kept}");
    Ok(())
}

/// Each answer in a home of its own, side by side.
async fn every(
    table: &'static [(&'static str, &'static str)],
    commands: &'static [&'static str],
) -> Result<()> {
    let mut open = JoinSet::new();
    for (name, lines) in table {
        open.spawn(answers(name, lines, commands));
        while open.len() > 3 {
            open.join_next().await.context("one is open")??.context("an answer")?;
        }
    }
    while let Some(done) = open.join_next().await {
        done??;
    }
    Ok(())
}

#[test]
fn tools_that_answer_nonsense_are_named_and_nothing_is_done() {
    gateway_tests::run(every(
        &ANSWERS,
        &[
            "install --force --json",
            "start",
            "stop",
            "restart --json",
            "uninstall",
            "status --no-probe",
            "status --json --no-probe",
            "doctor",
            "doctor --json",
        ],
    ));
}

#[test]
fn tools_that_hang_are_given_up() {
    gateway_tests::run(every(&SLOW, &["start", "status --no-probe", "doctor --json"]));
}

#[test]
fn a_tailscale_that_answers_nonsense_costs_the_gateway_nothing() {
    gateway_tests::run(async {
        for (name, lines) in ANSWERS {
            let home = Arc::new(Home::configured()?);
            let path = stand_ins(&home, lines)?;
            let builder = Daemon::builder().home(home).args(["--tailscale", "serve"]).env("PATH", path);
            let mut daemon = builder.start().await?;
            daemon.connect(Connect::cli().device(Device::seeded(1))).await.context(name)?;
            let health = daemon.admin().await?.health().await?;
            let part = health.parts.iter().find(|part| part.name == "tailscale").context("the part")?;
            let detail = format!("{part:?}");
            ensure!(detail.len() < 4096 && !detail.contains('\u{1b}'), "{name}: {detail}");
            ensure!(daemon.stop().await?.success(), "{name}");
            for text in [daemon.stdout()?, daemon.stderr()?] {
                let obeyed = text.chars().find(|c| c.is_control() && *c != '\n');
                ensure!(obeyed.is_none() && text.len() < 64 * 1024, "{name}: {text:.2000?}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_name_that_whois_does_not_confirm_in_plain_words_opens_nothing() {
    gateway_tests::run(async {
        let home = Arc::new(Home::configured()?);
        let tailscale = Tailscale::install(&home)?;
        let builder =
            Daemon::builder().home(home).args(["--tailscale", "serve"]).env("PATH", tailscale.path());
        let daemon = builder.start().await?;
        let wrong = [
            ("another login", "echo '{\"UserProfile\":{\"LoginName\":\"eve@example.com\"}}'; exit 0"),
            ("a list", "echo '[]'; exit 0"),
            ("a deep one", "yes '[' | head -n 100000; exit 0"),
            (
                "a login with an order",
                "printf '{\"UserProfile\":{\"LoginName\":\"ada@example.com\\033\"}}'; exit 0",
            ),
        ];
        for (index, (name, lines)) in ANSWERS.into_iter().chain(wrong).enumerate() {
            tailscale.script("whois", &format!("{lines}\nexit 0\n"))?;
            // Another device each time: what is known of one is kept for a while.
            let proxy =
                Proxy::start(daemon.port, Sender::new(&format!("100.64.0.{}", index + 10), LOGIN)).await?;
            refusal(Client::connect(proxy.port, Connect::cli().token("wrong")).await).context(name)?;
        }
        let asked = tailscale.calls().iter().filter(|call| call.starts_with("whois")).count();
        ensure!(asked == ANSWERS.len() + wrong.len(), "{:?}", tailscale.calls());
        Ok(())
    });
}
