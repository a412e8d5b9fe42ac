//! The tar file and `install.sh`.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use gateway_tests::home::Home;
use gateway_tests::program::Finished;
use tokio::process::Command;

use crate::made::{good, only, packages, run};

/// Runs `install.sh` as somebody with this home.
async fn install(home: &Home, script: &Path, args: &[&str]) -> Result<Finished> {
    let mut command = Command::new("sh");
    command.arg(script).args(args).env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin");
    run(command.current_dir(home.path())).await
}

#[test]
fn the_tar_file_is_installed_used_and_taken_away() {
    gateway_tests::run(async {
        let script = packages().await?.join("install.sh");
        let home = Home::new()?;
        // What was there before stays, an empty folder too.
        home.write(".local/bin/other", "")?;
        fs::create_dir_all(home.path().join(".local/share/man"))?;
        for _ in 0..2 {
            let seen = install(&home, &script, &[]).await?;
            let says = |text: &str| seen.stdout.contains(text);
            ensure!(seen.code == Some(0) && says("installed gatewayd ") && says("PATH lacks"), "{seen:?}");
        }
        let local = home.path().join(".local");
        for (program, first) in [("gatewayd", "gatewayd "), ("gatewayctl", "gatewayctl ")] {
            let version = good(Command::new(local.join("bin").join(program)).arg("--version")).await?;
            ensure!(version.starts_with(first), "{version}");
        }
        for name in [
            "share/man/man1/gatewayd.1",
            "share/man/man1/gatewayctl.1",
            "share/man/man1/gatewayctl-config-set.1",
            "share/bash-completion/completions/gatewayctl",
            "share/zsh/site-functions/_gatewayctl",
            "share/fish/vendor_completions.d/gatewayctl.fish",
        ] {
            let size = fs::metadata(local.join(name))?.len();
            ensure!(size > 500, "{name} has {size} bytes");
        }
        for _ in 0..2 {
            let seen = install(&home, &script, &["--uninstall"]).await?;
            ensure!(seen.code == Some(0), "{seen:?}");
        }
        let left = good(Command::new("find").arg(".local").current_dir(home.path())).await?;
        let mut left: Vec<_> = left.lines().collect();
        left.sort_unstable();
        let before = [".local", ".local/bin", ".local/bin/other", ".local/share", ".local/share/man"];
        ensure!(left == before, "{left:?}");
        Ok(())
    });
}

#[test]
fn a_prefix_of_its_own_is_removed_with_all_that_was_in_it() {
    gateway_tests::run(async {
        let script = packages().await?.join("install.sh");
        let home = Home::new()?;
        let prefix = home.path().join("my tools");
        let words = prefix.to_string_lossy();
        let seen = install(&home, &script, &["--prefix", &words]).await?;
        ensure!(seen.code == Some(0) && prefix.join("bin/gatewayd").is_file(), "{seen:?}");

        // A service that lost its program would be started over and over.
        let unit = ".config/systemd/user/clawdbot-gateway.service";
        home.write(unit, &format!("[Service]\nExecStart=\"{words}/bin/gatewayd\" gateway\n"))?;
        let refused = install(&home, &script, &["--uninstall", "--prefix", &words]).await?;
        let next = refused.stderr.contains("gatewayctl uninstall");
        ensure!(refused.code == Some(1) && next && prefix.join("bin/gatewayd").is_file(), "{refused:?}");

        fs::remove_file(home.path().join(unit))?;
        let seen = install(&home, &script, &["--uninstall", "--prefix", &words]).await?;
        ensure!(seen.code == Some(0) && !prefix.exists(), "{seen:?}");
        Ok(())
    });
}

#[test]
fn a_damaged_file_is_refused_and_changes_nothing() {
    gateway_tests::run(async {
        let made = packages().await?;
        let home = Home::new()?;
        let archive = home.path().join("gatewayd-x.tar.gz");
        fs::copy(only(made, ".tar.gz")?, &archive)?;
        let words = archive.to_string_lossy();
        let args = ["--prefix", "new", &words];
        let unchecked = install(&home, &made.join("install.sh"), &args).await?;
        ensure!(
            unchecked.code == Some(1) && unchecked.stderr.contains(".sha256 is not there"),
            "{unchecked:?}"
        );

        fs::copy(only(made, ".sha256")?, home.path().join("gatewayd-x.tar.gz.sha256"))?;
        let mut bytes = fs::read(&archive)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&archive, bytes)?;
        let damaged = install(&home, &made.join("install.sh"), &args).await?;
        ensure!(damaged.code == Some(1) && damaged.stderr.contains("checksum is wrong"), "{damaged:?}");
        ensure!(!home.path().join("new").exists(), "nothing was made");
        Ok(())
    });
}
