//! `gatewayctl doctor` in real homes: what it finds, what it repairs, and that `--undo` leaves no trace of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use gateway_tests::binaries;
use gateway_tests::daemon::Daemon;
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::program::{Finished, Program};
use gateway_tests::wait::within;
use serde_json::Value;
use tokio::process::Command;

const BROKEN: &str = "// mine\n{\n  gateway: {\n    mode: 'local', // stays\n    token: '${T}',\n    prot: 18790,\n  },\n  bogus: {},\n}\n";

/// A user who is not there.
const SOMEBODY: u32 = 54_321;

/// What the tests' machine may really lack; no home can change it.
const MACHINE: [&str; 6] = ["disk", "clock", "descriptors", "watches", "time-zones", "bind"];

fn document(seen: &Finished) -> Result<Value> {
    serde_json::from_str(&seen.stdout).with_context(|| format!("one JSON document: {seen:?}"))
}

/// The findings of one check, as `level: finding`.
fn found(report: &Value, id: &str) -> Vec<String> {
    let checks = report["checks"].as_array().into_iter().flatten();
    let findings = checks.filter(|check| check["id"] == id).flat_map(|check| check["findings"].as_array());
    let line = |one: &Value| {
        format!("{}: {}", one["level"].as_str().unwrap_or("?"), one["finding"].as_str().unwrap_or("?"))
    };
    findings.flatten().map(line).collect()
}

type Everything = BTreeMap<PathBuf, (u32, u32, Vec<u8>)>;

/// Every file below `folder`: its mode, its owner and its content.
fn everything(folder: &Path) -> Result<Everything> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let meta = fs::symlink_metadata(&path)?;
            if meta.is_dir() {
                folders.push(path.clone());
            }
            let content = if meta.is_file() { fs::read(&path)? } else { Vec::new() };
            all.insert(path, (meta.mode(), meta.uid(), content));
        }
    }
    Ok(all)
}

fn mode(path: &Path) -> Result<u32> {
    Ok(fs::metadata(path)?.mode() & 0o777)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

/// A home as people make one by hand who know what they do.
fn tidy() -> Result<Home> {
    let home = Home::configured()?;
    set_mode(&home.state(), 0o700)?;
    set_mode(&home.config(), 0o600)?;
    Ok(home)
}

/// A home with a broken file that everybody may read.
fn untidy() -> Result<Home> {
    let home = Home::new()?;
    home.write_config(BROKEN)?;
    set_mode(&home.state(), 0o755)?;
    set_mode(&home.config(), 0o644)?;
    Ok(home)
}

#[test]
fn a_healthy_gateway_has_no_findings() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().home(std::sync::Arc::new(tidy()?)).start().await?;
        let port = daemon.port.to_string();
        let env = [("CLAWDBOT_GATEWAY_PORT", port.as_str())];
        let seen = Program::Gatewayctl.run_with(&daemon.home, &["doctor", "--json"], &env).await?;
        let report = document(&seen)?;
        for check in report["checks"].as_array().context("checks")? {
            let id = check["id"].as_str().context("an id")?;
            let silent = check["findings"].as_array().is_some_and(Vec::is_empty);
            ensure!(silent || MACHINE.contains(&id), "{check:#}");
        }
        let checked = report["checks"].as_array().map_or(0, Vec::len);
        ensure!(checked >= 4 && report["stateDir"].as_str().is_some(), "{report:#}");
        Ok(())
    });
}

#[test]
fn nothing_is_changed_unless_asked_for() {
    gateway_tests::run(async {
        let home = untidy()?;
        let before = everything(home.path())?;
        let seen = Program::Gatewayctl.run_with(&home, &["doctor"], &[("T", "secret")]).await?;
        ensure!(seen.code == Some(1), "{seen:?}");
        for words in
            ["gateway.token is ignored", "The gateway does not start.", "Fix: gatewayctl doctor --fix"]
        {
            ensure!(seen.stdout.contains(words), "{words}: {seen:?}");
        }
        let seen = Program::Gatewayctl.run_with(&home, &["doctor", "--json"], &[("T", "secret")]).await?;
        let report = document(&seen)?;
        ensure!(seen.code == Some(1) && report["ok"] == false, "{report:#}");
        ensure!(found(&report, "permissions").len() == 2, "{report:#}");
        ensure!(everything(home.path())? == before, "looking changes nothing");
        Ok(())
    });
}

#[test]
fn what_the_daemons_refusal_says_to_run_repairs_it() {
    gateway_tests::run(async {
        let home = untidy()?;
        let env = [("T", TOKEN)];
        let refused = Program::Gatewayd.run_with(&home, &[], &env).await?;
        ensure!(refused.code == Some(78), "{refused:?}");
        ensure!(refused.stderr.ends_with("Run: clawdbot doctor --fix\n"), "{refused:?}");
        let clawdbot = home.path().join("clawdbot");
        std::os::unix::fs::symlink(binaries::folder().await?.join("gatewayctl"), &clawdbot)?;
        let mut command = Command::new(&clawdbot);
        command.args(["doctor", "--fix"]).env_clear().env("HOME", home.path()).env("T", TOKEN);
        let output = within("clawdbot doctor --fix to end", command.kill_on_drop(true).output()).await??;
        let stdout = String::from_utf8_lossy(&output.stdout);
        ensure!(stdout.contains("✓ Moved gateway.token → gateway.auth.token."), "{stdout}");
        ensure!(stdout.contains("Take it back with: clawdbot doctor --undo"), "{stdout}");
        let text = fs::read_to_string(home.config())?;
        ensure!(text.contains("// mine") && text.contains("// stays") && text.contains("${T}"), "{text}");
        ensure!(!text.contains("prot") && !text.contains("bogus"), "{text}");
        let home = std::sync::Arc::new(home);
        Daemon::builder().home(home).env("T", TOKEN).start().await?;
        Ok(())
    });
}

#[test]
fn undo_leaves_no_trace() {
    gateway_tests::run(async {
        let home = untidy()?;
        let env = [("T", "secret")];
        if rustix::process::geteuid().is_root() {
            // Root that repairs somebody's gateway must not take the files over.
            for path in [home.state(), home.config()] {
                chown(&path, Some(SOMEBODY), Some(SOMEBODY))?;
            }
        }
        let before = everything(&home.state())?;
        let seen = Program::Gatewayctl.run_with(&home, &["doctor", "--fix", "--json"], &env).await?;
        let report = document(&seen)?;
        let repairs = report["repairs"].as_array().context("repairs")?;
        ensure!(repairs.iter().all(|repair| repair["result"] == "done"), "{report:#}");
        ensure!((mode(&home.state())?, mode(&home.config())?) == (0o700, 0o600), "{report:#}");
        ensure!(fs::metadata(home.config())?.uid() == fs::metadata(home.state())?.uid(), "it changed hands");
        let copies = PathBuf::from(report["copies"].as_str().context("a folder of copies")?);
        ensure!(copies.starts_with(home.state().join("doctor")) && mode(&copies)? == 0o700, "{report:#}");
        let again = Program::Gatewayctl.run_with(&home, &["doctor", "--fix", "--json"], &env).await?;
        ensure!(document(&again)?["repairs"].as_array().is_some_and(Vec::is_empty), "{again:?}");

        let seen = Program::Gatewayctl.run_with(&home, &["doctor", "--undo", "--json"], &env).await?;
        let undone = document(&seen)?;
        ensure!(seen.code == Some(0) && undone["ok"] == true, "{undone:#}");
        let mut after = everything(&home.state())?;
        // Its own records, and the numbered copy that every edit of the file leaves.
        let own = [home.state().join("doctor"), home.state().join("clawdbot.json.bak")];
        let lock = home.state().join("clawdbot.json.lock");
        after.retain(|path, _| !own.iter().any(|own| path.starts_with(own)) && *path != lock);
        ensure!(after == before && mode(&home.state())? == 0o755, "{after:#?}\n{before:#?}");
        let seen = Program::Gatewayctl.run_with(&home, &["doctor", "--undo"], &env).await?;
        ensure!(seen.code == Some(0) && seen.stdout.contains("nothing to take back"), "{seen:?}");
        Ok(())
    });
}

#[test]
fn undo_loses_no_later_edit() {
    gateway_tests::run(async {
        let home = untidy()?;
        let env = [("T", "secret")];
        Program::Gatewayctl.run_with(&home, &["doctor", "--fix"], &env).await?;
        let edit = ["config", "set", "gateway.port", "18999"];
        ensure!(Program::Gatewayctl.run_with(&home, &edit, &env).await?.code == Some(0), "edited");
        let seen = Program::Gatewayctl.run_with(&home, &["doctor", "--undo"], &env).await?;
        ensure!(
            seen.code == Some(1) && seen.stdout.contains("changed since, so it was left alone"),
            "{seen:?}"
        );
        ensure!(fs::read_to_string(home.config())?.contains("18999"), "the edit is still there");
        let copy = seen.stdout.lines().find_map(|line| line.trim().strip_prefix("as it was before: ~/"));
        ensure!(home.read(copy.context("the copy is named")?)? == BROKEN, "{seen:?}");
        Ok(())
    });
}
