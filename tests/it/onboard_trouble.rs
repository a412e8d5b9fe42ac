//! `gatewayctl onboard` where something is in the way: a disk without room, a person who changes their mind, a terminal
//! that is narrow.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use gateway_tests::home::Home;
use gateway_tests::program::Program;
use gateway_tests::terminal::Terminal;
use gateway_tests::wait::within;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const BY_FLAGS: [&str; 5] =
    ["onboard", "--non-interactive", "--accept-risk", "--no-install-daemon", "--skip-health"];

/// Files of a workspace, and how long each is.
fn workspace(home: &Home) -> Result<Vec<(String, u64)>> {
    let Ok(folder) = std::fs::read_dir(home.path().join("clawd")) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in folder {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".md") {
            files.push((name, entry.metadata()?.len()));
        }
    }
    files.sort();
    Ok(files)
}

#[test]
fn a_workspace_that_did_not_fit_is_whole_the_next_time() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let first = Program::Gatewayctl.run(&home, &BY_FLAGS).await?;
        ensure!(first.code == Some(0), "{first:?}");
        let whole = workspace(&home)?;
        ensure!(whole.len() == 7 && whole.iter().any(|(_, length)| *length > 512), "{whole:?}");
        std::fs::remove_dir_all(home.path().join("clawd"))?;
        // No file can become longer than 512 bytes; so one begins and does not fit.
        let template = Program::Gatewayctl.command(&home).await?;
        let mut limited = Command::new("sh");
        limited.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]).current_dir(home.path());
        limited.arg(template.as_std().get_program()).args(BY_FLAGS).env_clear();
        limited.envs(template.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = limited.output().await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(1) && said.contains("cannot make ~/clawd: "), "{output:?}");
        let left = workspace(&home)?;
        ensure!(left.iter().all(|file| whole.contains(file)), "nothing is there by half: {left:?}");
        let again = Program::Gatewayctl.run(&home, &BY_FLAGS).await?;
        ensure!(again.code == Some(0) && workspace(&home)? == whole, "{again:?}: {:?}", workspace(&home)?);
        Ok(())
    });
}

#[test]
fn standard_input_holds_one_secret_and_not_two() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let mut command = Program::Gatewayctl.command(&home).await?;
        command.args(BY_FLAGS).args(["--auth-choice", "zai-api-key", "--key-file", "-"]);
        command.args(["--gateway-token-file", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        child.stdin.take().context("its input")?.write_all(b"canary\n").await?;
        let output = within("onboard to end", child.wait_with_output()).await??;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(1) && !said.contains("canary"), "{output:?}");
        ensure!(
            said == "standard input holds no secret\nIt is read once: only one of the flags can be -.\n",
            "{said}"
        );
        ensure!(!home.state().exists(), "nothing is written");
        Ok(())
    });
}

#[test]
fn escape_ends_a_choice_and_nothing_is_written() {
    gateway_tests::run(async {
        for (at, flags) in [("Continue?", &[][..]), ("Onboarding mode", &["--accept-risk"])] {
            let home = Home::new()?;
            let mut command = Program::Gatewayctl.command(&home).await?;
            command.args(["onboard", "--no-install-daemon"]).args(flags).env("TERM", "xterm");
            let mut terminal = Terminal::start(command)?;
            terminal.answer(at, "\u{1b}").await?;
            let status = terminal.ended().await?;
            let drawn = terminal.drawn();
            let said = drawn.ends_with("Setup cancelled.\r\n");
            ensure!(status.code() == Some(0) && said, "{at}: {status}: {drawn:?}");
            ensure!(!home.state().exists(), "{at}: nothing is written");
        }
        Ok(())
    });
}

#[test]
fn who_wants_no_service_hears_nothing_about_one() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let mut command = Program::Gatewayctl.command(&home).await?;
        let flags = ["--no-install-daemon", "--accept-risk", "--flow", "quickstart", "--auth-choice", "skip"];
        command.args(["onboard", "--plain", "--skip-health"]).args(flags).stdin(Stdio::null());
        let output = command.output().await?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success() && said.contains("Ready\n"), "{output:?}");
        ensure!(!said.contains("Gateway service"), "{said}");
        Ok(())
    });
}
