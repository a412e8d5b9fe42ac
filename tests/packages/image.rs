//! The root folder of the image, run without a container engine: the commands of the Dockerfile in name spaces of
//! their own below that folder.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::wait::{until, within};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

use crate::made::{can_unshare, dockerfile, good, is_root, packages, run};

/// The user that the Dockerfile names.
const USER: &str = "65532";

/// Becomes the daemon, as PID 1.
const START: &str = r#"set -eu
root=$1 user=$2
shift 2
mount -t proc proc "$root/proc"
ip link set lo up
exec env -i HOME=/home/gateway PATH=/usr/bin:/usr/sbin CLAWDBOT_GATEWAY_TOKEN="$TOKEN" \
    chroot ${user:+"--userspec=$user:$user"} "$root" "$@""#;

/// The only child of a process.
fn child(parent: u32) -> Result<Option<i32>> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
    Ok(children.split_whitespace().next().map(str::parse).transpose()?)
}

fn tail(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

#[test]
fn it_runs_without_anything_else_and_its_health_check_says_so() {
    gateway_tests::run(async {
        let spaces = ["--mount", "--pid", "--net", "--fork", "--kill-child"];
        let mut flags = spaces.to_vec();
        if !is_root() {
            flags.push("--map-root-user");
        }
        if !can_unshare(&flags).await? {
            return Ok(());
        }
        let home = Home::new()?;
        let root = home.path().join("image");
        good(Command::new("cp").arg("-a").arg(packages().await?.join("image")).arg(&root)).await?;
        for absent in ["bin/sh", "usr/bin/sh", "usr/bin/curl"] {
            ensure!(!root.join(absent).exists(), "{absent}");
        }
        let user = if is_root() { USER } else { "" };
        if is_root() {
            good(Command::new("chown").arg(format!("{USER}:{USER}")).arg(root.join("home/gateway"))).await?;
            // The test's own folder lets nobody else in.
            good(Command::new("chmod").arg("755").arg(home.path())).await?;
        }

        let log = home.path().join("output");
        let mut command = Command::new("unshare");
        command.args(&flags).args(["sh", "-c", START, "sh"]).arg(&root).arg(user).env("TOKEN", TOKEN);
        command.args(dockerfile("ENTRYPOINT")?).args(dockerfile("CMD")?).kill_on_drop(true);
        let append = || fs::File::options().create(true).append(true).open(&log);
        command.stdin(Stdio::null()).stdout(append()?).stderr(append()?);
        let mut outer = command.spawn()?;
        let outer_pid = outer.id().context("it runs")?;

        let check = dockerfile("HEALTHCHECK")?;
        let healthy = until("the health check of the image to succeed", || async {
            let Some(pid) = child(outer_pid)? else { return Ok(None) };
            let mut enter = Command::new("nsenter");
            enter.args(["-t", &pid.to_string(), "-m", "-p", "-n", "-r", "-w"]);
            if is_root() {
                enter.args(["-S", USER, "-G", USER]);
            } else {
                enter.args(["-U", "--preserve-credentials"]);
            }
            enter.args(&check).env_clear().env("HOME", "/home/gateway").env("PATH", "/usr/bin:/bin");
            enter.env("CLAWDBOT_GATEWAY_TOKEN", TOKEN);
            Ok((run(&mut enter).await?.code == Some(0)).then_some(pid))
        });
        let pid = healthy.await.with_context(|| tail(&log))?;
        kill_process(Pid::from_raw(pid).context("a process")?, Signal::TERM)?;
        let ended = within("the image's daemon to end", outer.wait()).await??;
        ensure!(ended.code() == Some(0), "it stops when it is asked to: {ended}\n{}", tail(&log));
        ensure!(root.join("home/gateway/.clawdbot/gateway.sqlite").is_file(), "its state is on the volume");
        Ok(())
    });
}
