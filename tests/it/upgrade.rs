//! A new version in the place of the old one, without a service: the gateway restarts in place, and whatever is wrong
//! with the new version, the old one serves in the end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_base::process;
use gateway_tests::admin_client::Admin;
use gateway_tests::binaries;
use gateway_tests::daemon::free_port;
use gateway_tests::home::Home;
use gateway_tests::http;
use gateway_tests::program::{Finished, Program};
use gateway_tests::wait::{until, within};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::handover::Load;

/// A gateway that runs from a program of its own.
struct Installed {
    home: Arc<Home>,
    program: PathBuf,
    port: u16,
    child: tokio::process::Child,
}

impl Installed {
    async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    async fn start_with(args: &[&str]) -> Result<Self> {
        let (home, port) = (Arc::new(Home::configured()?), free_port()?);
        let program = home.path().join("bin/gatewayd");
        fs::create_dir(home.path().join("bin"))?;
        fs::copy(binaries::folder().await?.join("gatewayd"), &program)?;
        let command = Program::Gatewayd.command(&home).await?;
        let mut own = tokio::process::Command::new(&program);
        own.env_clear().envs(command.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        own.args(["--port", &port.to_string()]).args(args).current_dir(home.path()).kill_on_drop(true);
        own.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let installed = Self { child: own.spawn()?, home, program, port };
        installed.serves().await?;
        Ok(installed)
    }

    async fn serves(&self) -> Result<()> {
        until("it to serve", || async {
            Ok(http::get(self.port, "/readyz").await.is_ok_and(|answer| answer.status == 200).then_some(()))
        })
        .await
    }

    /// The same program with something behind its end, which changes nothing of what it does.
    fn newer(&self) -> Result<PathBuf> {
        let path = self.home.path().join("newer");
        let mut bytes = fs::read(&self.program)?;
        bytes.extend(b"newer");
        fs::write(&path, bytes)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    /// A program that says what it is asked and then does something else.
    async fn liar(&self, does: &str) -> Result<PathBuf> {
        let real = binaries::folder().await?.join("gatewayd");
        self.script(
            "liar",
            &format!(
                "#!/bin/sh\ncase \"$*\" in *--version*|*--check*) exec {} \"$@\";; esac\n{does}\n",
                real.display()
            ),
            0o755,
        )
    }

    fn script(&self, name: &str, text: &str, mode: u32) -> Result<PathBuf> {
        self.home.write(name, text)?;
        let path = self.home.path().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        Ok(path)
    }

    async fn upgrade(&self, args: &[&str]) -> Result<Finished> {
        let words: Vec<_> = ["upgrade"].iter().chain(args).copied().collect();
        Program::Gatewayctl.run(&self.home, &words).await
    }

    async fn to(&self, binary: &Path) -> Result<Finished> {
        self.upgrade(&["--binary", &binary.display().to_string(), "--wait", "3s"]).await
    }

    /// What doctor finds about upgrades.
    async fn doctor(&self) -> Result<Option<Value>> {
        let seen = Program::Gatewayctl.run(&self.home, &["doctor", "--json"]).await?;
        let report: Value = serde_json::from_str(&seen.stdout)?;
        let checks = report["checks"].as_array().context("checks")?;
        let check = checks.iter().find(|check| check["id"] == "upgrade").context("the check")?;
        Ok(check["findings"].as_array().context("findings")?.first().cloned())
    }

    fn beside(&self, end: &str) -> PathBuf {
        self.program.with_file_name(format!("gatewayd{end}"))
    }

    /// Which process serves and since when.
    async fn image(&self) -> Result<(u32, Option<(i64, i32)>)> {
        let process = Admin::connect(&self.home.state()).await?.status().await?.process;
        let process = process.context("a process")?;
        Ok((process.pid, process.started_at.map(|at| (at.seconds, at.nanos))))
    }

    /// Asks the process that was started to end.
    async fn stop(mut self) -> Result<()> {
        let pid = self.child.id().context("it runs")?;
        kill_process(Pid::from_raw(i32::try_from(pid)?).context("a process")?, Signal::TERM)?;
        within("it to end", self.child.wait()).await?.map(drop).context("its end")
    }
}

/// A gateway that was started anew is nobody's child, and must not outlive a test that fails.
impl Drop for Installed {
    fn drop(&mut self) {
        let program = self.program.display().to_string();
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        for pid in pids {
            let is_ours = process::command_line(pid).is_some_and(|words| words.contains(&program));
            if is_ours && let Ok(handle) = process::Handle::open(pid) {
                // One that has ended meanwhile is what is wanted.
                let _ = handle.signal(process::Signal::Kill);
            }
        }
    }
}

#[test]
fn without_a_gateway_the_exit_code_and_the_words_are_those_of_the_command_that_was_typed() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        let ours = binaries::folder().await?.join("gatewayctl");
        let mut command = Program::Gatewayctl.command(&home).await?;
        command.arg0("clawdbot").args(["gateway", "upgrade", "--binary"]).arg(&ours);
        let output = within("the command to end", command.stderr(Stdio::piped()).output()).await??;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(3), "{output:?}");
        ensure!(said.contains("there is no gateway to upgrade"), "{said}");
        ensure!(said.contains("Start with: clawdbot gateway install"), "{said}");
        Ok(())
    });
}

#[test]
fn a_new_version_takes_over_and_goes_back_without_losing_a_connect() {
    gateway_tests::run(async {
        let gateway = Installed::start().await?;
        let (old, newer) = (fs::read(&gateway.program)?, gateway.newer()?);
        let first = gateway.image().await?;
        let planned = gateway.upgrade(&["--binary", "newer", "--dry-run"]).await?;
        ensure!(planned.code == Some(0) && planned.stdout.contains("Nothing was changed."), "{planned:?}");
        ensure!(gateway.image().await? == first && fs::read(&gateway.program)? == old, "nothing happened");
        let load = Load::start(gateway.port);
        load.more().await?;
        let done = gateway.upgrade(&["--binary", "newer", "--json"]).await?;
        let document: Value = serde_json::from_str(&done.stdout).context(done.stderr)?;
        ensure!(document["result"] == "upgraded" && done.code == Some(0), "{document}");
        ensure!(fs::read(&gateway.program)? == fs::read(&newer)?, "the new one is in place");
        ensure!(fs::read(gateway.beside(".previous"))? == old, "the old one is kept");
        let second = gateway.image().await?;
        ensure!(second.0 == first.0 && second.1 != first.1, "in place: {first:?} {second:?}");
        let again = gateway.to(&newer).await?;
        ensure!(again.code == Some(0) && again.stdout.contains("runs this program already"), "{again:?}");
        let back = gateway.upgrade(&["--rollback"]).await?;
        ensure!(back.code == Some(0) && back.stdout.contains("Upgraded from"), "{back:?}");
        ensure!(fs::read(&gateway.program)? == old, "the old one is back");
        load.more().await?;
        load.end().await?;
        ensure!(!gateway.beside(".upgrade").exists(), "nothing is under way");
        Ok(())
    });
}

#[test]
fn what_would_not_start_changes_nothing() {
    gateway_tests::run(async {
        let gateway = Installed::start().await?;
        let (old, image) = (fs::read(&gateway.program)?, gateway.image().await?);
        let folder = gateway.home.path().join("bin");
        let newer = gateway.newer()?;
        let cases = [
            (gateway.home.path().join("nowhere"), "No such file"),
            (folder, "it is a folder"),
            (gateway.script("plain", "#!/bin/sh\n", 0o644)?, "run: chmod +x"),
            (gateway.script("text", "no program", 0o755)?, "it is no program, or one for another kind of machine"),
            (gateway.script("other", "#!/bin/sh\necho other 1.0\n", 0o755)?, "it is not gatewayd"),
            (
                gateway.script(
                    "old",
                    "#!/bin/sh\n[ \"$1\" = --version ] && echo gatewayd 0.0.1 && exit\necho \"error: unknown option '--check'\"; exit 1",
                    0o755,
                )?,
                "it is too old to be asked",
            ),
        ];
        for (binary, said) in cases {
            let done = gateway.to(&binary).await?;
            ensure!(done.code == Some(1) && done.stderr.contains(said), "{said}: {done:?}");
            ensure!(done.stderr.contains("Nothing was changed."), "{done:?}");
        }
        // The new program is asked about this gateway's own configuration.
        gateway.home.write_config("{ gateway: { mode: 'local', bind: 'lan', reload: { mode: 'off' } } }")?;
        let done = gateway.to(&newer).await?;
        let said = "would not start here (exit code 78):\nRefusing to bind gateway to lan without auth.";
        ensure!(done.code == Some(1) && done.stderr.contains(said), "{done:?}");
        let nothing = gateway.upgrade(&["--rollback"]).await?;
        ensure!(nothing.code == Some(1) && nothing.stderr.contains("nothing to go back to"), "{nothing:?}");
        ensure!(fs::read(&gateway.program)? == old && !gateway.beside(".upgrade").exists(), "as before");
        ensure!(gateway.image().await?.0 == image.0, "the same process");
        Ok(())
    });
}

/// Every file below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        }
        found.push(path);
    }
    found.sort();
    Ok(found)
}

#[test]
fn the_check_says_what_a_start_would_say_and_leaves_nothing_behind() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let refused = Program::Gatewayd.run(&home, &["--check"]).await?;
        ensure!(refused.code == Some(78) && refused.stderr.starts_with("Missing config."), "{refused:?}");
        ensure!(files(home.path())?.is_empty(), "{:?}", files(home.path())?);
        let gateway = Installed::start().await?;
        let (before, port) = (files(gateway.home.path())?, gateway.port.to_string());
        let would = Program::Gatewayd.run(&gateway.home, &["--port", &port, "--check"]).await?;
        let said =
            format!("The gateway can start: config ~/.clawdbot/clawdbot.json, bind loopback, port {port}.\n");
        ensure!(would.code == Some(0) && would.stdout == said, "{would:?}");
        ensure!(files(gateway.home.path())? == before, "nothing is left behind");
        // A store of a newer version is told, although its owner has it open.
        let store = gateway.home.state().join("gateway.sqlite");
        let copy = Home::configured()?;
        let mut bytes = fs::read(&store)?;
        bytes.get_mut(60..64).context("a head")?.copy_from_slice(&99_u32.to_be_bytes());
        fs::write(copy.state().join("gateway.sqlite"), bytes)?;
        let newer = Program::Gatewayd.run(&copy, &["--check"]).await?;
        ensure!(newer.code == Some(1) && newer.stderr.contains("newer version (format 99"), "{newer:?}");
        Ok(())
    });
}

#[test]
fn a_version_that_does_not_serve_is_taken_back() {
    gateway_tests::run(async {
        for (does, said) in [
            ("exit 1", "the new version ended before it served"),
            ("kill -SEGV $$", "the new version ended before it served"),
            ("exec sleep 1000", "the new version does not serve after 3 s"),
        ] {
            let gateway = Installed::start().await?;
            let old = fs::read(&gateway.program)?;
            let liar = gateway.liar(does).await?;
            let load = Load::start(gateway.port);
            load.more().await?;
            let done = gateway.to(&liar).await?;
            load.more().await?;
            load.end().await.with_context(|| format!("{does}: the sockets stay open"))?;
            ensure!(done.code == Some(1) && done.stderr.contains(said), "{does}: {done:?}");
            ensure!(done.stderr.contains("was put back and serves."), "{does}: {done:?}");
            ensure!(fs::read(&gateway.program)? == old, "{does}: the old one is back");
            ensure!(!gateway.beside(".upgrade").exists(), "{does}: nothing is under way");
            gateway.serves().await?;
        }
        Ok(())
    });
}

#[test]
fn a_supervised_gateway_is_started_again_by_its_supervisor() {
    gateway_tests::run(async {
        let gateway = Installed::start_with(&["--supervise"]).await?;
        let load = Load::start(gateway.port);
        load.more().await?;
        let bad = gateway.to(&gateway.liar("exit 1").await?).await?;
        ensure!(bad.code == Some(1) && bad.stderr.contains("was put back and serves."), "{bad:?}");
        let newer = gateway.newer()?;
        let good = gateway.upgrade(&["--binary", &newer.display().to_string()]).await?;
        ensure!(good.code == Some(0) && fs::read(&gateway.program)? == fs::read(&newer)?, "{good:?}");
        load.more().await?;
        load.end().await.context("the sockets stay open")?;
        gateway.stop().await
    });
}

#[test]
fn a_restart_without_a_program_goes_on_with_the_one_that_runs() {
    gateway_tests::run(async {
        let gateway = Installed::start().await?;
        let before = gateway.image().await?;
        fs::remove_file(&gateway.program)?;
        let asked = Program::Gatewayctl.run(&gateway.home, &["shutdown", "--restart"]).await?;
        ensure!(asked.code == Some(0), "{asked:?}");
        let now = gateway.image().await?;
        ensure!(now.0 == before.0 && now.1 != before.1, "the same process, another image");
        let log = gateway.home.read(".clawdbot/logs/gateway.log")?;
        ensure!(log.contains("restarted with the program that ran before: "), "{log}");
        gateway.serves().await?;
        Ok(())
    });
}

#[test]
fn an_upgrade_that_is_killed_ends_all_the_same() {
    gateway_tests::run(async {
        let gateway = Installed::start().await?;
        let old = fs::read(&gateway.program)?;
        let liar = gateway.liar("exec sleep 1000").await?;
        let mut command = Program::Gatewayctl.command(&gateway.home).await?;
        command.args(["upgrade", "--wait", "3s", "--binary"]).arg(&liar);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut controller = command.spawn()?;
        until("the new version to be in place", || async {
            Ok((fs::read(&gateway.program)? != old).then_some(()))
        })
        .await?;
        controller.kill().await?;
        within("the old one to be back", async {
            until("the old one to be back", || async {
                let is_back = fs::read(&gateway.program)? == old && !gateway.beside(".upgrade").exists();
                Ok(is_back.then_some(()))
            })
            .await
        })
        .await??;
        gateway.serves().await?;
        Ok(())
    });
}

#[test]
fn an_upgrade_that_a_power_cut_ended_is_told_and_finished() {
    gateway_tests::run(async {
        let gateway = Installed::start().await?;
        let newer = gateway.newer()?;
        // The new program is in place, and nobody has restarted the gateway.
        fs::copy(&gateway.program, gateway.beside(".previous"))?;
        fs::copy(&newer, gateway.beside(".put"))?;
        fs::rename(gateway.beside(".put"), &gateway.program)?;
        fs::write(gateway.beside(".upgrade"), r#"{ "from": "gatewayd 1", "to": "gatewayd 2" }"#)?;
        let before = gateway.image().await?;
        let program = fs::canonicalize(&gateway.program)?;
        let told = gateway.doctor().await?.context("doctor says so")?;
        ensure!(
            told["finding"].as_str().is_some_and(|text| text.contains("gatewayd 1 to gatewayd 2")),
            "{told}"
        );
        let fix = told["fix"].as_str().unwrap_or_default();
        ensure!(fix.contains(&format!("upgrade --binary {}", program.display())), "{told}");
        let done = gateway.upgrade(&["--binary", &newer.display().to_string()]).await?;
        ensure!(done.code == Some(0), "{done:?}");
        ensure!(done.stderr.contains("An upgrade from gatewayd 1 to gatewayd 2 was cut off"), "{done:?}");
        ensure!(gateway.image().await? != before && !gateway.beside(".upgrade").exists(), "it is finished");
        ensure!(gateway.doctor().await?.is_none(), "nothing is left to say");
        Ok(())
    });
}
