//! Where the daemon listens, and that it never listens beyond this machine without a secret (rule R23).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use anyhow::{Context, Result, ensure};
use gateway_tests::daemon::{Daemon, free_port};
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::program::Program;
use gateway_tests::workspace;
use regex_lite::Regex;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::start::begin;

/// The address by which other machines know this one; nothing is sent to find it out.
fn outside() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    socket.connect(("192.0.2.1", 9)).ok()?;
    socket
        .local_addr()
        .ok()
        .map(|address| address.ip())
        .filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

async fn accepts(address: IpAddr, port: u16) -> bool {
    TcpStream::connect(SocketAddr::new(address, port)).await.is_ok()
}

fn config(bind: &str, host: Option<&str>, token: Option<&str>) -> String {
    serde_json::json!({ "gateway": {
        "mode": "local", "bind": bind, "customBindHost": host.unwrap_or("127.0.0.1"),
        "auth": token.map_or_else(|| serde_json::json!({}), |token| serde_json::json!({ "token": token })),
    } })
    .to_string()
}

#[test]
fn without_a_secret_nobody_beyond_this_machine_is_let_in() {
    gateway_tests::run(async {
        let mut served = Vec::new();
        let words = [
            ("loopback", None),
            ("lan", None),
            ("tailnet", None),
            ("auto", None),
            ("custom", Some("127.0.0.1")),
            ("custom", Some("0.0.0.0")),
            ("0.0.0.0", None),
            ("127.0.0.1", None),
        ];
        for (word, host) in words {
            for token in [None, Some(""), Some("  ")] {
                let (home, port) = (Home::new()?, free_port()?);
                home.write_config(&config(if word.contains('.') { "loopback" } else { word }, host, token))?;
                let port_word = port.to_string();
                let begun = begin(&home, &["--port", &port_word, "--bind", word]).await?;
                let case =
                    format!("{word} {host:?} {token:?}: {:?} {:?} {}", begun.code, begun.lines, begun.stderr);
                if begun.child.is_none() {
                    ensure!(begun.code == Some(78) || begun.code == Some(1), "{case}");
                    continue;
                }
                let listening: Vec<_> =
                    begun.lines.iter().filter(|line| line.contains("listening on")).collect();
                ensure!(
                    !listening.is_empty() && listening.iter().all(|l| l.contains("ws://127.0.0.1:")),
                    "{case}"
                );
                if let Some(address) = outside() {
                    ensure!(!accepts(address, port).await, "reachable at {address}: {case}");
                }
                served.push(word);
            }
        }
        ensure!(
            served.contains(&"loopback") && served.contains(&"auto"),
            "the harmless ones start: {served:?}"
        );
        ensure!(!served.contains(&"lan") && !served.contains(&"0.0.0.0"), "the others do not: {served:?}");
        Ok(())
    });
}

async fn serves(words: &[&str], expected: &str, reachable: &[IpAddr]) -> Result<()> {
    let (home, port) = (Home::configured()?, free_port()?);
    let port_word = port.to_string();
    let begun = begin(&home, &[&["--port", &port_word], words].concat()).await?;
    ensure!(begun.child.is_some(), "{words:?}: {}", begun.stderr);
    ensure!(
        begun.lines.iter().any(|line| line.contains(&format!("{expected}:{port} "))),
        "{words:?}: {:?}",
        begun.lines
    );
    for address in reachable {
        ensure!(accepts(*address, port).await, "{words:?}: not reachable at {address}");
    }
    Ok(())
}

#[test]
fn an_address_can_be_named() {
    gateway_tests::run(async {
        serves(&["--bind", "127.0.0.1"], "listening on ws://127.0.0.1", &["127.0.0.1".parse()?]).await?;
        if std::net::TcpListener::bind(("::1", 0)).is_ok() {
            serves(&["--bind", "::1"], "listening on ws://[::1]", &["::1".parse()?]).await?;
        }
        Ok(())
    });
}

#[test]
fn the_network_is_served_with_a_secret() {
    gateway_tests::run(async {
        let outside = outside();
        let expected = outside
            .filter(IpAddr::is_ipv4)
            .map_or("listening on ws://".to_owned(), |ip| format!("listening on ws://{ip}"));
        let mut reachable: Vec<IpAddr> = vec!["127.0.0.1".parse()?];
        reachable.extend(outside);
        let (home, port) = (Home::configured()?, free_port()?);
        let begun = begin(&home, &["--port", &port.to_string(), "--bind", "lan"]).await?;
        ensure!(begun.child.is_some(), "{}", begun.stderr);
        ensure!(begun.lines.iter().any(|line| line.contains(&expected)), "{:?}", begun.lines);
        for address in reachable {
            ensure!(accepts(address, port).await, "not reachable at {address}");
        }
        Ok(())
    });
}

#[test]
fn a_host_that_is_not_here_is_refused() {
    gateway_tests::run(async {
        let secret = format!("auth: {{ token: '{TOKEN}' }}");
        for (host, expected) in [
            (
                "",
                "gateway.bind is \"custom\", but gateway.customBindHost is not set; set it to an address of this machine",
            ),
            (
                ", customBindHost: '203.0.113.9'",
                "gateway.customBindHost 203.0.113.9 is not available on this machine",
            ),
        ] {
            let home = Home::new()?;
            home.write_config(&format!(
                "{{ gateway: {{ mode: 'local', bind: 'custom', {secret}{host} }} }}"
            ))?;
            let begun = begin(&home, &["--port", &free_port()?.to_string()]).await?;
            let line = begun.stderr.lines().next().context("a reason")?;
            ensure!(begun.child.is_none() && begun.code != Some(0), "{host}");
            ensure!(line == format!("Gateway failed to start: Error: {expected}"), "{}", begun.stderr);
        }
        Ok(())
    });
}

#[test]
fn auto_stays_on_this_machine_without_a_secret_and_says_so() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().config("{ gateway: { mode: 'local', bind: 'auto' } }").start().await?;
        let said = daemon.stdout()? + &daemon.stderr()?;
        ensure!(said.contains("auto bind: no gateway auth configured; staying on loopback"), "{said}");
        Ok(())
    });
}

/// The words of a row as the program gets them.
#[derive(Default)]
struct Given<'a> {
    args: Vec<&'a str>,
    env: Vec<(&'a str, &'a str)>,
    config: Value,
}

fn given(words: &str) -> Result<Given<'_>> {
    let mut given = Given { config: json!({ "gateway": { "mode": "local" } }), ..Given::default() };
    let gateway = &mut given.config["gateway"];
    let mut words = words.split_whitespace();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            _ if word.starts_with("--") => given.args.extend([word, words.next().context("a value")?]),
            Some((name, value)) if name.starts_with("CLAWDBOT_") => given.env.push((name, value)),
            Some((path, value)) => {
                let value = value.parse::<bool>().map_or_else(|_| json!(value), Value::from);
                match path.split_once('.') {
                    Some((section, name)) => gateway[section][name] = value,
                    None => gateway[path] = value,
                }
            }
            None => anyhow::bail!("{word}"),
        }
    }
    Ok(given)
}

#[test]
fn every_kind_of_refusal_of_the_table_is_the_programs_own() {
    gateway_tests::run(async {
        let table = std::fs::read_to_string(workspace::root().join("gatewayd/golden/bind-auth.snap"))?;
        let mut rows = BTreeMap::new();
        for line in table.lines().filter(|line| line.contains(" | ")) {
            let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
            for (cell, reach) in cells.iter().skip(2).zip(["off", "serve", "funnel"]) {
                if cell.starts_with('R') {
                    let words = format!("{} {} --tailscale {reach}", cells[0], cells[1]);
                    rows.entry(*cell).or_insert(words);
                }
            }
        }
        ensure!(rows.len() >= 12, "{rows:?}");
        let bind = Regex::new("gateway to [^ ]+ without")?;
        for (number, words) in rows {
            let Given { args, env, config } = given(&words)?;
            let home = Home::new()?;
            home.write_config(&config.to_string())?;
            let port = free_port()?.to_string();
            let seen =
                Program::Gatewayd.run_with(&home, &[&["--port", &port], &args[..]].concat(), &env).await?;
            let said = seen.stderr.trim_end().replace('\n', "\n  ");
            let said = bind.replace_all(&said, "gateway to <bind> without");
            let row = format!("{number}: exit {}\n  {said}\n", seen.code.context("a code")?);
            ensure!(format!("{table}\n").contains(&row), "{words}\n{row}");
            ensure!(seen.stdout.is_empty(), "{words}: {}", seen.stdout);
            ensure!(!home.state().join("gateway.sqlite").exists(), "{words}: nothing is made");
        }
        Ok(())
    });
}
