//! The dashboard in a real terminal against a real gateway, and its one snapshot for scripts.

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::home::Home;
use gateway_tests::program::Program;
use gateway_tests::wait::within;
use gateway_tests::{binaries, workspace};
use serde_json::{Value, json};
use tokio::process::Command;

const ENTER: &str = "\u{1b}[?1049h";
const LEAVE: &str = "\u{1b}[?1049l";
const HIDE: &str = "\u{1b}[?25l";
const SHOW: &str = "\u{1b}[?25h";

/// What a dashboard did in a terminal in which these steps were played.
struct Played {
    code: i64,
    written: String,
    restored: bool,
}

async fn play(home: &Home, size: &str, steps: Value, env: &[(&str, &str)]) -> Result<Played> {
    let mut command = Command::new("python3");
    command
        .arg(workspace::root().join("tests/it/top_in_a_terminal.py"))
        .args([size, &steps.to_string()])
        .arg(binaries::folder().await?.join("gatewayctl"))
        .args(["top", "--interval", "100ms"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("TMPDIR", std::env::temp_dir())
        .env("TERM", "xterm-256color")
        .envs(env.iter().copied())
        .kill_on_drop(true);
    let output = tokio::time::timeout(gateway_tests::wait::LIMIT * 3, command.output()).await??;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{stderr}");
    let seen: Value = serde_json::from_slice(&output.stdout)?;
    Ok(Played {
        code: seen["code"].as_i64().context("a code")?,
        written: seen["written"].as_str().context("a text")?.to_owned(),
        restored: seen["restored"] == true,
    })
}

/// It ended well, and the terminal is as it was.
fn ended_well(played: &Played) -> Result<()> {
    let Played { code, written, restored } = played;
    ensure!(*code == 0 && *restored, "{code} {restored}: {written:?}");
    let order = [ENTER, HIDE, LEAVE, SHOW].map(|mark| written.find(mark));
    ensure!(order.iter().all(Option::is_some) && order.is_sorted(), "{order:?}: {written:?}");
    let after = written.rsplit(SHOW).next().unwrap_or_default();
    ensure!(after.trim().is_empty(), "nothing is left behind: {after:?}");
    Ok(())
}

#[test]
fn numbers_appear_keys_work_and_the_terminal_is_given_back() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        client.request("health", json!({})).await?;
        let url = format!("127.0.0.1:{}", daemon.port);
        let steps = json!([
            {"see": "serving"}, {"see": &url}, {"see": "operators"},
            {"keys": "\t"}, {"see": "each second: requests"},
            {"keys": "?"}, {"see": "the next plot"},
            {"keys": "?p"}, {"see": "paused"}, {"keys": "p"},
            {"size": "15x60"}, {"see": "requests/s"},
            {"size": "5x20"}, {"see": "is too small"},
            {"size": "30x110"}, {"see": "connections"},
            {"keys": "q"},
        ]);
        ended_well(&play(&daemon.home, "30x110", steps, &[]).await?)
    });
}

#[test]
fn it_ends_by_ctrl_c_escape_and_signals() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        for end in
            [json!({"keys": "\u{3}"}), json!({"keys": "\u{1b}"}), json!({"signal": 15}), json!({"signal": 2})]
        {
            let played = play(&daemon.home, "30x110", json!([{"see": "serving"}, end]), &[]).await?;
            ended_well(&played).with_context(|| end.to_string())?;
        }
        Ok(())
    });
}

#[test]
fn colours_are_left_out_when_nobody_wants_them() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let steps = json!([{"see": "serving"}, {"see": "p99"}, {"keys": "q"}]);
        let green = |played: &Played| played.written.contains("\u{1b}[38;5;2");
        let with = play(&daemon.home, "30x110", steps.clone(), &[]).await?;
        let without = play(&daemon.home, "30x110", steps, &[("NO_COLOR", "1")]).await?;
        ended_well(&without)?;
        ensure!(green(&with) && !green(&without), "{:?}\n{:?}", with.written, without.written);
        Ok(())
    });
}

#[test]
fn a_gateway_that_goes_away_is_said_and_found_again() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let home = daemon.home.clone();
        let (gone, back) = (home.path().join("gone"), home.path().join("back"));
        let wait = "while [ ! -e \"$1\" ]; do :; done";
        // Each side tells the other with a file when it is its turn.
        let steps = json!([
            {"see": "serving"},
            {"run": ["touch", &gone]}, {"see": "not running"},
            {"run": ["touch", &back]}, {"see": "serving"},
            {"keys": "q"},
        ]);
        let watched = play(&home, "30x110", steps, &[]);
        let turns = async {
            let turn = async |file: &std::path::Path| -> Result<()> {
                let mut command = Command::new("sh");
                command.args(["-c", wait, "sh"]).arg(file).kill_on_drop(true);
                within("the turn", command.status()).await??;
                Ok(())
            };
            turn(&gone).await?;
            daemon.kill().await?;
            turn(&back).await?;
            daemon.start_again().await
        };
        let (played, turns) = tokio::join!(watched, turns);
        turns?;
        ended_well(&played?)
    });
}

#[test]
fn without_a_terminal_it_is_one_snapshot() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        client.request("health", json!({})).await?;
        let plain = daemon.ctl(&["top", "--interval", "100ms"]).await?;
        ensure!(plain.code == Some(0) && plain.stderr.contains("no terminal to draw on"), "{plain:?}");
        ensure!(
            plain.stdout.contains("operators 1, nodes 0") && plain.stdout.contains("latency "),
            "{plain:?}"
        );
        ensure!(!plain.stdout.contains('\u{1b}'), "{plain:?}");
        let seen = daemon.ctl(&["top", "--once", "--json", "--interval", "100ms"]).await?;
        ensure!(seen.code == Some(0) && seen.stderr.is_empty(), "{seen:?}");
        let document: Value = serde_json::from_str(&seen.stdout)?;
        ensure!(document["connections"]["operators"] == 1 && document["phase"] == "serving", "{document}");
        ensure!(document["totals"]["requests"] == 1, "{document}");
        let nobody = Program::Gatewayctl.run(&Home::configured()?, &["top", "--once", "--json"]).await?;
        ensure!(nobody.code == Some(3) && nobody.stdout.contains("not-running"), "{nobody:?}");
        Ok(())
    });
}
