//! Many sockets at once: five thousand clients that are all served, and ten thousand strangers that keep nobody out.
//! Only Linux answers on every address of 127.0.0.0/8, so that the strangers can come from many.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::{join_all, try_join_all};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::wait::until;
use gateway_tests::ws_client::Client;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Mutex;

const CLIENTS: usize = 5_000;
const STRANGERS: usize = 10_000;

/// Handshakes under way at once: a crowd arrives quickly, not in one instant.
const AT_ONCE: usize = 100;

/// What one connected client may cost the daemon, with everything it was sent; a third of it is used.
const BYTES_PER_CLIENT: u64 = 24 * 1024;

/// Undecided sockets that the daemon holds at most.
const BUDGET: u64 = 2_048;

/// Both tests need most of the descriptors and of the processors.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Lets this process have `count` sockets.
fn allow_sockets(count: usize) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(count)? + 1_000;
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised)
            .with_context(|| format!("this test needs {wanted} descriptors"))?;
    }
    Ok(())
}

async fn crowd(daemon: &Daemon) -> Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(CLIENTS);
    while clients.len() < CLIENTS {
        clients.extend(try_join_all((0..AT_ONCE).map(|_| daemon.connect(Connect::cli()))).await?);
    }
    Ok(clients)
}

#[test]
fn five_thousand_clients_are_served() {
    gateway_tests::run(async {
        let _alone = ALONE.lock().await;
        allow_sockets(CLIENTS)?;
        let mut daemon = Daemon::start().await?;
        let mut admin = daemon.admin().await?;
        let mut sender = daemon.connect(Connect::cli()).await?;
        let before = admin.status().await?.process.context("the process")?.resident_bytes;
        let mut clients = crowd(&daemon).await?;

        sender.request("talk.mode", json!({ "enabled": true, "phase": "for everybody" })).await?;
        for payload in try_join_all(clients.iter_mut().map(|client| client.event("talk.mode"))).await? {
            ensure!(payload["phase"] == "for everybody", "{payload}");
        }
        try_join_all(clients.iter_mut().map(Client::ping)).await?;
        let now = admin.status().await?;
        let connections = now.connections.context("the connections")?;
        ensure!(connections.operators as usize == CLIENTS + 1, "{connections:?}");
        let each = now.process.context("the process")?.resident_bytes.saturating_sub(before) / CLIENTS as u64;
        ensure!(each < BYTES_PER_CLIENT, "a client costs {each} bytes");
        let counters = now.counters.context("the counters")?;
        ensure!(counters.events_dropped == 0 && counters.slow_consumers == 0, "{counters:?}");

        let (ends, stopped) =
            tokio::join!(join_all(clients.iter_mut().map(|client| client.socket().closed())), daemon.stop(),);
        ensure!(stopped?.success(), "{}", daemon.stderr()?);
        for end in ends {
            let end = end?;
            ensure!(end == Some((1012, "service restart".to_owned())), "{end:?}");
        }
        Ok(())
    });
}

/// A stranger from one of many addresses: every other one upgrades, none says who it is.
async fn stranger(port: u16, number: usize) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let from = Ipv4Addr::new(127, 0, 1, u8::try_from(number % 40)? + 1);
    socket.bind(SocketAddrV4::new(from, 0).into())?;
    let mut stream = socket.connect(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into()).await?;
    if number.is_multiple_of(2) {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
    }
    Ok(stream)
}

async fn open_files(daemon: &Daemon) -> Result<u64> {
    Ok(daemon.admin().await?.status().await?.process.context("the process")?.open_files)
}

#[test]
fn ten_thousand_strangers_keep_nobody_out() {
    gateway_tests::run(async {
        let _alone = ALONE.lock().await;
        allow_sockets(STRANGERS)?;
        let daemon = Daemon::start().await?;
        let mut guest = daemon.connect(Connect::cli()).await?;
        let before = open_files(&daemon).await?;
        let mut strangers = Vec::with_capacity(STRANGERS);
        while strangers.len() < STRANGERS {
            let next = strangers.len()..strangers.len() + AT_ONCE;
            strangers.extend(try_join_all(next.map(|number| stranger(daemon.port, number))).await?);
            if strangers.len().is_multiple_of(STRANGERS / 10) {
                let began = Instant::now();
                let mut honest = daemon.connect(Connect::cli()).await?;
                honest.request("health", json!({})).await?;
                guest.request("health", json!({})).await?;
                let took = began.elapsed();
                ensure!(took < Duration::from_secs(2), "an honest client waited {took:?}");
            }
        }
        let undecided =
            daemon.admin().await?.status().await?.connections.context("the connections")?.unauthenticated;
        ensure!((1_000..=BUDGET).contains(&undecided.into()), "the budget holds: {undecided} are undecided");
        until("the evicted to be let go while they hold on", || async {
            let open = open_files(&daemon).await?;
            Ok((open <= before + BUDGET + 10).then_some(()))
        })
        .await?;
        drop(strangers);
        until("the descriptors to come back", || async {
            let open = open_files(&daemon).await?;
            Ok((open <= before + 2).then_some(()))
        })
        .await?;
        guest.request("health", json!({})).await.map(drop)
    });
}
