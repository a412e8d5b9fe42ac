//! The listening sockets outlive the process: clients that connect while the gateway restarts wait and are served, and
//! those that are connected are back at once.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use gateway_admin::v1;
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::wait::{until, within};
use gateway_tests::ws_client::{Incoming, Socket};
use serde_json::json;

/// How many restarts the load goes through.
const RESTARTS: usize = 5;
/// How many clients connect all the time.
const CLIENTS: usize = 8;

/// Asks for a restart in place over the admin socket and waits for the end of the old image.
async fn restart(daemon: &Daemon) -> Result<()> {
    let request = v1::ShutdownRequest { mode: v1::ShutdownMode::Restart.into(), ..Default::default() };
    let mut steps = daemon.admin().await?.client.shutdown(request).await?.into_inner();
    while let Ok(Some(_)) = within("the next step", steps.message()).await? {}
    Ok(())
}

/// Which image of the program answers: the time it started at.
async fn image(daemon: &Daemon) -> Result<(i64, i32)> {
    let process = daemon.admin().await?.status().await?.process.context("a process")?;
    let at = process.started_at.context("its start")?;
    Ok((at.seconds, at.nanos))
}

async fn another(daemon: &Daemon, old: (i64, i32)) -> Result<()> {
    until("the next image of the program", || async {
        Ok(image(daemon).await.ok().filter(|now| *now != old).map(drop))
    })
    .await
}

/// What became of one client that connected.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Served,
    SentAway,
}

/// Connects once. Being served and being sent away in words are fine; everything else is an error.
async fn once(port: u16) -> Result<Outcome> {
    let mut socket = Socket::open(port, "/", &[]).await?;
    let mut frames = 0;
    loop {
        match socket.next().await? {
            Incoming::Frame(frame) if frames == 0 => {
                frames += 1;
                let nonce = frame["payload"]["nonce"].as_str().context("a challenge")?;
                // A socket that is being closed takes no more; the close frame says why.
                let _ = socket.send_request("1", "connect", Connect::cli().params(nonce)).await;
            }
            Incoming::Frame(frame) if frame["ok"] == true => {
                socket.close().await?;
                return Ok(Outcome::Served);
            }
            Incoming::Frame(frame) if frame["event"] == "shutdown" => {}
            Incoming::Frame(frame) => bail!("refused: {frame}"),
            Incoming::Closed(Some((1012, _))) => return Ok(Outcome::SentAway),
            Incoming::Closed(how) => bail!("closed: {how:?}"),
        }
    }
}

/// Clients that connect all the time.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<Result<()>>>,
}

impl Load {
    pub(crate) fn start(port: u16) -> Self {
        let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let clients = (0..CLIENTS).map(|_| {
            let (stop, served) = (stop.clone(), served.clone());
            #[allow(clippy::disallowed_methods, reason = "a test has no supervised spawner")]
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    if once(port).await? == Outcome::Served {
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Ok(())
            })
        });
        let clients = clients.collect();
        Self { stop, served, clients }
    }

    fn served(&self) -> usize {
        self.served.load(Ordering::Relaxed)
    }

    /// Waits until some more have been served.
    pub(crate) async fn more(&self) -> Result<()> {
        let goal = self.served() + 2 * CLIENTS;
        until("more clients to be served", || async {
            ensure!(!self.clients.iter().any(tokio::task::JoinHandle::is_finished), "a client failed");
            Ok((self.served() >= goal).then_some(()))
        })
        .await
    }

    pub(crate) async fn end(self) -> Result<usize> {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            within("a client to end", client).await???;
        }
        Ok(self.served.load(Ordering::Relaxed))
    }
}

#[test]
fn a_restart_in_place_loses_no_connect() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let pid = daemon.pid()?;
        let load = Load::start(daemon.port);
        let mut client = daemon.connect(Connect::cli()).await?;
        for n in 0..RESTARTS {
            load.more().await?;
            let old = image(&daemon).await?;
            restart(&daemon).await?;
            // It is gone then, as a client is that answers the close.
            client.sees_a_restart().await?;
            drop(client);
            let began = Instant::now();
            client = daemon.connect(Connect::cli()).await?;
            let _ = writeln!(std::io::stdout(), "restart {n}: back after {:?}", began.elapsed());
            ensure!(image(&daemon).await? != old, "whoever comes after the end is served by the next image");
            client.request("health", json!({})).await?;
        }
        load.more().await?;
        let served = load.end().await?;
        ensure!(served > RESTARTS * CLIENTS && daemon.pid()? == pid, "{served}");
        Ok(())
    });
}

#[test]
fn whoever_connects_after_the_news_is_served_by_the_next_image() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let old = image(&daemon).await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        let (restarted, back) = tokio::join!(restart(&daemon), async {
            client.event("shutdown").await?;
            drop(client);
            let began = Instant::now();
            let back = daemon.connect(Connect::cli()).await?;
            anyhow::Ok((back, began.elapsed()))
        });
        restarted?;
        let (mut back, took) = back?;
        let _ = writeln!(std::io::stdout(), "back after {took:?}");
        ensure!(image(&daemon).await? != old, "the new one answers");
        back.request("health", json!({})).await.map(drop)
    });
}

#[test]
fn a_socket_that_says_nothing_does_not_hold_a_restart_up() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let old = image(&daemon).await?;
        let silent = tokio::net::TcpStream::connect(("127.0.0.1", daemon.port)).await?;
        let mut undecided = daemon.socket().await?;
        undecided.challenge().await?;
        let idle = tokio::net::TcpStream::connect(("127.0.0.1", daemon.port)).await?;
        restart(&daemon).await?;
        ensure!(undecided.closed().await? == Some((1012, "service restart".to_owned())), "it is told");
        another(&daemon, old).await?;
        drop((silent, idle));
        daemon.connect(Connect::cli()).await.map(drop)
    });
}

#[test]
fn nothing_is_left_open_over_many_restarts() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let open = || async {
            let process = daemon.admin().await?.status().await?.process.context("a process")?;
            anyhow::Ok(process.open_files)
        };
        let mut first = 0;
        for n in 0..6 {
            let old = image(&daemon).await?;
            restart(&daemon).await?;
            another(&daemon, old).await?;
            if n == 0 {
                first = open().await?;
            }
        }
        // Whoever asks is counted too, and whoever asked before may still be.
        until("as few descriptors as before", || async { Ok((open().await? <= first + 2).then_some(())) })
            .await?;
        Ok(())
    });
}
