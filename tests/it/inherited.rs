//! Sockets that somebody else opened: what fits is used, what does not is named and left alone, and nothing of it ends
//! the start by accident.

use std::fs::File;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use gateway_admin::v1;
use gateway_tests::admin_client::Admin;
use gateway_tests::binaries;
use gateway_tests::connect::Connect;
use gateway_tests::daemon::free_port;
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::http;
use gateway_tests::program::Program;
use gateway_tests::wait::{until, within};
use gateway_tests::ws_client::Client;
use tokio::process::Child;

const STDERR: &str = "stderr";

fn config(bind: &str, port: u16, auth: &str) -> String {
    format!("{{ gateway: {{ mode: 'local', bind: '{bind}', port: {port}, auth: {{ {auth} }} }} }}")
}

fn with_token(port: u16) -> String {
    config("loopback", port, &format!("token: '{TOKEN}'"))
}

/// Starts the daemon with `socket` as descriptor 3, announced by these variables.
async fn begin(home: &Home, variables: &str, socket: Option<OwnedFd>) -> Result<Child> {
    let mut command = Program::Gatewayd.command(home).await?;
    let environment: Vec<_> = command
        .as_std()
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let daemon = binaries::folder().await?.join("gatewayd");
    command = tokio::process::Command::new("sh");
    let stderr = File::options().create(true).append(true).open(home.path().join(STDERR))?;
    command
        .env_clear()
        .envs(environment)
        .args(["-c", &format!("{variables} exec \"$0\" 3<&0 0</dev/null")])
        .arg(daemon)
        .current_dir(home.path())
        .stdin(socket.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::null())
        .stderr(OwnedFd::from(stderr))
        .kill_on_drop(true);
    command.spawn().context("starting sh")
}

const ONE: &str = "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=some.socket";

async fn serves(home: &Home, port: u16) -> Result<()> {
    until("it to serve", || async {
        Ok(http::get(port, "/readyz").await.is_ok_and(|answer| answer.status == 200).then_some(()))
    })
    .await
    .with_context(|| home.read(STDERR).unwrap_or_default())
}

#[test]
fn a_socket_that_fits_is_used_with_whoever_waits_in_it() {
    gateway_tests::run(async {
        let (home, port) = (Home::new()?, free_port()?);
        home.write_config(&with_token(port))?;
        let socket = TcpListener::bind(("127.0.0.1", port))?;
        // It waits before there is a gateway at all.
        let early = Client::connect(port, Connect::cli());
        let (child, early) = tokio::join!(begin(&home, ONE, Some(socket.into())), early);
        let (mut child, mut early) = (child?, early?);
        early.request("health", serde_json::json!({})).await?;
        let said = home.read(STDERR)?;
        ensure!(!said.contains("not used"), "{said}");
        // A restart in place hands it over again, under the name it came with.
        restart(&home).await?;
        serves(&home, port).await?;
        child.kill().await.context("ending it")
    });
}

async fn restart(home: &Home) -> Result<()> {
    let mut admin = Admin::connect(&home.state()).await?;
    let old = admin.status().await?.process.and_then(|process| process.started_at);
    let request = v1::ShutdownRequest { mode: v1::ShutdownMode::Restart.into(), ..Default::default() };
    let mut steps = admin.client.shutdown(request).await?.into_inner();
    while let Ok(Some(_)) = within("the next step", steps.message()).await? {}
    until("the next image", || async {
        let Ok(mut admin) = Admin::connect(&home.state()).await else { return Ok(None) };
        let now = admin.status().await.ok().and_then(|status| status.process?.started_at);
        Ok(now.filter(|now| Some(now) != old.as_ref()).map(drop))
    })
    .await
}

#[test]
fn what_is_no_listener_is_named_and_left_out() {
    gateway_tests::run(async {
        let udp = || anyhow::Ok(Some(UdpSocket::bind("127.0.0.1:0")?.into()));
        let silent = || {
            let socket = std::net::TcpStream::connect(TcpListener::bind("127.0.0.1:0")?.local_addr()?);
            anyhow::Ok(Some(socket?.into()))
        };
        let cases: [(&str, Option<OwnedFd>, &str); 7] = [
            (ONE, udp()?, "the inherited descriptor 3 (\"some.socket\") is not used: it is a UDP socket"),
            (ONE, silent()?, "it is a TCP socket that does not listen"),
            (ONE, None, "it is no socket"),
            (
                "LISTEN_PID=$$ LISTEN_FDS=99999999999",
                None,
                "LISTEN_FDS is \"99999999999\", not a number up to 61",
            ),
            ("LISTEN_PID=$$ LISTEN_FDS=-1", None, "LISTEN_FDS is \"-1\""),
            ("LISTEN_PID=me LISTEN_FDS=1", None, "LISTEN_PID is \"me\", not the number of a process"),
            ("LISTEN_PID=$$ LISTEN_FDS=61 LISTEN_FDNAMES=::::", None, "descriptor 63 (\"\") is not used"),
        ];
        for (variables, socket, said) in cases {
            let (home, port) = (Home::new()?, free_port()?);
            home.write_config(&with_token(port))?;
            let mut child = begin(&home, variables, socket).await?;
            serves(&home, port).await.context(said)?;
            let all = home.read(STDERR)?;
            ensure!(all.contains(said), "{said}: {all}");
            child.kill().await?;
        }
        Ok(())
    });
}

#[test]
fn an_inherited_socket_never_lets_anybody_in_without_a_secret() {
    gateway_tests::run(async {
        for (bind, expected) in [
            ("loopback", "passed a socket that listens on 0.0.0.0:"),
            ("auto", "passed a socket that listens on 0.0.0.0:"),
            ("lan", "Refusing to bind gateway to lan without auth."),
        ] {
            let (home, port) = (Home::new()?, free_port()?);
            home.write_config(&config(bind, port, ""))?;
            let socket = TcpListener::bind(("0.0.0.0", port))?;
            let mut child = begin(&home, ONE, Some(socket.into())).await?;
            let ended = within("it to refuse", child.wait()).await??;
            let said = home.read(STDERR)?;
            ensure!(ended.code() == Some(78) && said.contains(expected), "{bind}: {ended} {said}");
        }
        Ok(())
    });
}

#[test]
fn a_changed_port_closes_the_old_one() {
    gateway_tests::run(async {
        let (home, old, new) = (Home::new()?, free_port()?, free_port()?);
        home.write_config(&with_token(old))?;
        let mut child = begin(&home, "", None).await?;
        serves(&home, old).await?;
        let pid = child.id();
        home.write_config(&with_token(new))?;
        // The gateway sees the change too, and may restart by itself.
        serves(&home, new).await?;
        ensure!(child.id() == pid, "in place");
        ensure!(http::get(old, "/readyz").await.is_err(), "nobody listens on the old port");
        // The other address on the same port is in the way of nobody.
        home.write_config(&config("0.0.0.0", new, &format!("token: '{TOKEN}'")))?;
        until("it to listen everywhere", || async {
            let status = Admin::connect(&home.state()).await?.status().await;
            Ok(status.is_ok_and(|status| status.bind_mode == "0.0.0.0").then_some(()))
        })
        .await
        .with_context(|| home.read(STDERR).unwrap_or_default())?;
        serves(&home, new).await?;
        child.kill().await.context("ending it")
    });
}
