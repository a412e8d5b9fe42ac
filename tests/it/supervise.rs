//! `gatewayd --supervise`, which starts the daemon again where no service manager does. The daemon is the real one,
//! except where its children matter: then a script is run in its place, by the name the supervisor was called by.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_tests::daemon::free_port;
use gateway_tests::home::Home;
use gateway_tests::http;
use gateway_tests::program::Program;
use gateway_tests::wait::{until, within};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use tokio::process::Child;

fn pid(number: Option<u64>) -> Result<Pid> {
    number.and_then(|n| i32::try_from(n).ok()).and_then(Pid::from_raw).context("a process id")
}

fn of(child: &Child) -> Result<Pid> {
    pid(child.id().map(u64::from))
}

/// The daemon that answers on the private socket.
async fn daemon(home: &Home) -> Result<Option<Pid>> {
    let status = Program::Gatewayctl.run(home, &["status", "--json", "--no-probe"]).await?;
    let document: Value = serde_json::from_str(&status.stdout).unwrap_or_default();
    document["daemon"]["pid"].as_u64().map(|n| pid(Some(n))).transpose()
}

async fn ready(port: u16) -> Result<Option<()>> {
    Ok(http::get(port, "/readyz").await.is_ok_and(|answer| answer.status == 200).then_some(()))
}

#[test]
fn a_daemon_that_is_killed_comes_back_and_a_stop_is_passed_on() {
    gateway_tests::run(async {
        let home = Arc::new(Home::configured()?);
        let port = free_port()?.to_string();
        let mut command = Program::Gatewayd.command(&home).await?;
        command.args(["--supervise", "--port", &port]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut supervisor = command.spawn()?;
        until("the daemon", || ready(port.parse().unwrap_or_default())).await?;
        let first = daemon(&home).await?.context("it answers")?;
        ensure!(first != of(&supervisor)?, "the daemon is another process");
        kill_process(first, Signal::KILL)?;
        let second =
            until("another daemon", || async { Ok(daemon(&home).await?.filter(|pid| *pid != first)) })
                .await?;
        kill_process(of(&supervisor)?, Signal::TERM)?;
        let ended = within("the supervisor to end", supervisor.wait()).await??;
        ensure!(ended.code() == Some(0), "{ended}");
        ensure!(test_kill_process(second).is_err(), "the daemon is gone too");
        let mut said = String::new();
        let mut stderr = supervisor.stderr.take().context("its words")?;
        tokio::io::AsyncReadExt::read_to_string(&mut stderr, &mut said).await?;
        ensure!(said.contains("The gateway was ended by signal 9. It is started again in 1 s."), "{said}");
        Ok(())
    });
}

#[test]
fn a_daemon_that_freezes_is_ended_and_started_again() {
    gateway_tests::run(async {
        let home = Arc::new(Home::configured()?);
        std::fs::create_dir(home.path().join("tmp"))?;
        let port = free_port()?.to_string();
        let mut command = Program::Gatewayd.command(&home).await?;
        // The usual limit is 30 s.
        command.env("WATCHDOG_USEC", "8000000").env("TMPDIR", home.path().join("tmp"));
        command.args(["--supervise", "--port", &port]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut supervisor = command.spawn()?;
        until("the daemon", || ready(port.parse().unwrap_or_default())).await?;
        let first = daemon(&home).await?.context("it answers")?;
        kill_process(first, Signal::STOP)?;
        until("the frozen daemon to be gone", || async {
            Ok(test_kill_process(first).is_err().then_some(()))
        })
        .await?;
        until("another daemon", || async { Ok(daemon(&home).await?.filter(|pid| *pid != first)) }).await?;
        kill_process(of(&supervisor)?, Signal::TERM)?;
        let ended = within("the supervisor to end", supervisor.wait()).await??;
        ensure!(ended.code() == Some(0), "{ended}");
        let mut said = String::new();
        let mut stderr = supervisor.stderr.take().context("its words")?;
        tokio::io::AsyncReadExt::read_to_string(&mut stderr, &mut said).await?;
        let words = "The gateway gave no sign of life for 8 s and was ended. It is started again in 1 s.";
        ensure!(said.contains(words), "{said}");
        let left = std::fs::read_dir(home.path().join("tmp"))?.flatten().map(|entry| entry.file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("gatewayd-")).collect();
        ensure!(left.is_empty(), "{left:?}");
        Ok(())
    });
}

#[test]
fn a_daemon_that_is_killed_refuses_nobody() {
    gateway_tests::run(async {
        let home = Arc::new(Home::configured()?);
        let port = free_port()?;
        let mut command = Program::Gatewayd.command(&home).await?;
        command.args(["--supervise", "--port", &port.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut supervisor = command.spawn()?;
        until("the daemon", || ready(port)).await?;
        let mut last = daemon(&home).await?.context("it answers")?;
        for _ in 0..2 {
            kill_process(last, Signal::KILL)?;
            let number = u32::try_from(last.as_raw_nonzero().get())?;
            until("it to be gone", || async { Ok((!gateway_base::process::runs(number)).then_some(())) })
                .await?;
            // Nobody accepts it before there is another daemon.
            let waiting = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.context("refused")?;
            let beside = tokio::net::TcpStream::connect(("::1", port)).await;
            ensure!(beside.is_ok() || std::net::TcpListener::bind(("::1", 0)).is_err(), "{beside:?}");
            last = until("another daemon", || async { Ok(daemon(&home).await?.filter(|pid| *pid != last)) })
                .await?;
            until("the daemon", || ready(port)).await?;
            drop(waiting);
        }
        kill_process(of(&supervisor)?, Signal::TERM)?;
        let ended = within("the supervisor to end", supervisor.wait()).await??;
        ensure!(ended.code() == Some(0), "{ended}");
        let after = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
        ensure!(after.is_err(), "the port is closed");
        Ok(())
    });
}

#[test]
fn what_cannot_work_is_not_tried_again() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let refused = Program::Gatewayd.run(&home, &["--supervise"]).await?;
        ensure!(refused.code == Some(78), "{refused:?}");
        ensure!(!refused.stderr.contains("started again"), "{refused:?}");
        let wrong = Program::Gatewayd.run(&home, &["--supervise", "--bogus"]).await?;
        ensure!(wrong.code == Some(1) && wrong.stderr.contains("unknown option"), "{wrong:?}");
        Ok(())
    });
}

#[test]
fn what_a_daemon_leaves_behind_is_ended_and_reaped() {
    gateway_tests::run(async {
        let home = Home::new()?;
        // The first daemon leaves a process and dies; the second leaves one that ends by itself, and stays.
        let script = "#!/bin/sh\nif [ ! -e first ]; then\n  sleep 1000 &\n  echo $! > first\n  kill -KILL $$\nfi\n\
                      (sh -c 'echo $$ > orphan; exit 0' &)\necho $$ > second\nexec sleep 1000\n";
        home.write("stand-in", script)?;
        let stand_in = home.path().join("stand-in");
        std::fs::set_permissions(&stand_in, std::fs::Permissions::from_mode(0o755))?;
        let mut command = Program::Gatewayd.command(&home).await?;
        command.arg0(&stand_in).arg("--supervise").stdout(Stdio::null()).stderr(Stdio::null());
        let mut supervisor = command.spawn()?;
        let number = |name: &'static str| {
            let home = &home;
            until(name, move || async move {
                let text = home.read(name).unwrap_or_default();
                Ok(text.ends_with('\n').then(|| text.trim().parse::<u64>().ok()).flatten())
            })
        };
        let second = number("second").await?;
        let left = pid(Some(number("first").await?))?;
        ensure!(
            test_kill_process(left).is_err(),
            "what the first one left is gone before the second is there"
        );
        let orphan = number("orphan").await?;
        until("the orphan to be reaped", || async {
            Ok((!Path::new(&format!("/proc/{orphan}")).exists()).then_some(()))
        })
        .await?;
        kill_process(of(&supervisor)?, Signal::TERM)?;
        let ended = within("the supervisor to end", supervisor.wait()).await??;
        ensure!(ended.code() == Some(1), "a daemon that a signal ended did not end in order: {ended}");
        ensure!(test_kill_process(pid(Some(second))?).is_err(), "the stand-in is gone");
        Ok(())
    });
}
