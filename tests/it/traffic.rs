//! The lines about WebSocket traffic, in each of the three styles, on the console and in the log file; and that no
//! secret a client sends ends up in one.

use std::fs;

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::home::TOKEN;
use gateway_tests::wait::until;
use gateway_tests::ws_client::{Client, refusal};
use serde_json::{Value, json};

/// Things that look like secrets and things that do not.
const SECRETS: [&str; 4] = ["sk-ant-0123456789-abcdef-secret", "hunter2-in-params", "hunter2-in-name", TOKEN];

/// Puts secrets wherever a request has room for them.
async fn tell_secrets(client: &mut Client) -> Result<()> {
    let [key, plain, named, token] = SECRETS;
    client.refused(key, json!({ "token": plain })).await?;
    client.refused(&format!("token={named}"), json!({})).await?;
    client
        .refused("device.token.rotate", json!({ "deviceId": "x", "role": "operator", "token": token }))
        .await?;
    client
        .refused("config.set", json!({ "raw": format!("{{ gateway: {{ auth: {{ token: '{plain}'") }))
        .await?;
    client.socket().send_request(&format!("id {key}"), "voicewake.get", json!({ "x": plain })).await?;
    client.answer(&format!("id {key}")).await?;
    client.socket().send_request(&format!("id2 {key}"), "nope", json!({ "x": plain })).await?;
    client.answer(&format!("id2 {key}")).await.err().context("it is refused").map(drop)
}

/// The lines of the console and of the file that are about the traffic.
struct Told {
    console: Vec<String>,
    file: Vec<String>,
}

impl Told {
    fn by(daemon: &Daemon) -> Result<Self> {
        let text = daemon.stdout()? + &daemon.stderr()?;
        let console =
            text.lines().filter_map(|line| line.split_once(" [ws] ")).map(|(_, rest)| rest.to_owned());
        let log = fs::read_to_string(daemon.log_file())?;
        for secret in SECRETS {
            ensure!(!text.contains(secret) && !log.contains(secret), "{secret} is in a line:\n{text}\n{log}");
        }
        ensure!(!text.contains("has no effect"), "{text}");
        let records = log.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
        let ours = records.iter().filter(|r| r["_meta"]["name"] == "{\"subsystem\":\"gateway/ws\"}");
        let file = ours.filter_map(|r| r["1"].as_str()).map(str::to_owned).collect();
        Ok(Self { console: console.collect(), file })
    }

    /// What both have, once both have a line that begins with `last`.
    async fn until(daemon: &Daemon, last: &str) -> Result<Self> {
        until(last, || async {
            let told = Self::by(daemon)?;
            let has = |lines: &[String]| lines.iter().any(|line| line.starts_with(last));
            Ok((has(&told.console) && has(&told.file)).then_some(told))
        })
        .await
    }
}

fn with<'a>(lines: &'a [String], start: &str) -> Vec<&'a String> {
    lines.iter().filter(|line| line.starts_with(start)).collect()
}

/// Runs a client that is served, refused, told events and not understood; returns its connection, shortened.
async fn traffic(daemon: &Daemon) -> Result<String> {
    let mut client = daemon.connect(Connect::cli()).await?;
    let conn = client.hello["server"]["connId"].as_str().context("a connection id")?.to_owned();
    client.request("health", json!({})).await?;
    client.request("talk.mode", json!({ "enabled": true })).await?;
    client.event("talk.mode").await?;
    client.request("voicewake.get", json!({})).await?;
    tell_secrets(&mut client).await?;
    refusal(daemon.connect(Connect::cli().token(SECRETS[1])).await)?;
    client.socket().send("{ not JSON").await?;
    client.request("health", json!({})).await?;
    client.refused("last.of.all", json!({})).await?;
    Ok(format!("{}…{}", &conn[..8], &conn[conn.len() - 4..]))
}

#[test]
fn without_verbose_only_what_failed_is_told() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().args(["--ws-log", "full"]).start().await?;
        let conn = traffic(&daemon).await?;
        let told = Told::until(&daemon, "⇄ res ✗ last.of.all").await?;
        let failed =
            format!("errorCode=INVALID_REQUEST errorMessage=unknown method: last.of.all conn={conn} id=r");
        for lines in [&told.console, &told.file] {
            let [last] = with(lines, "⇄ res ✗ last.of.all ")[..] else { anyhow::bail!("{lines:#?}") };
            ensure!(last.contains(&failed), "{last}");
            ensure!(with(lines, "⇄ res ✗ connect ").len() == 1, "{lines:#?}");
            let broken = with(lines, "✗ parse-error ");
            ensure!(broken == [&format!("✗ parse-error error=not_json conn={conn}")], "{lines:#?}");
            ensure!(with(lines, "→").is_empty() && with(lines, "←").is_empty(), "{lines:#?}");
        }
        ensure!(daemon.stderr()?.contains("[ws] ✗ parse-error"), "a warning");
        Ok(())
    });
}

/// A flush of the disk that takes as long as an answer may without a line.
#[cfg(target_os = "linux")]
#[test]
fn without_verbose_what_was_slow_is_told() {
    use gateway_tests::{faults::Faults, home::Home};

    gateway_tests::run(async {
        let home = std::sync::Arc::new(Home::configured()?);
        let faults = Faults::of(&home).await?;
        let daemon = Daemon::builder().home(home).faults(&faults).start().await?;
        let mut client = daemon.connect(Connect::cli()).await?;
        faults.slow_flush(60)?;
        client.request("voicewake.set", json!({ "triggers": ["slow"] })).await?;
        let told = Told::until(&daemon, "⇄ res ✓ voicewake.set ").await?;
        for lines in [&told.console, &told.file] {
            let [line] = with(lines, "⇄ res ✓ voicewake.set ")[..] else { anyhow::bail!("{lines:#?}") };
            let took = line.split(' ').find_map(|word| word.strip_suffix("ms")?.parse::<u64>().ok());
            ensure!(took.is_some_and(|ms| ms >= 60), "{line}");
        }
        Ok(())
    });
}

/// What the file has of the traffic does not depend on `--verbose`, which is about the console.
fn file_has_only_what_matters(told: &Told) -> Result<()> {
    let notable = |line: &String| line.contains(" res ✗ ") || line.contains("ms conn=");
    let odd: Vec<_> =
        told.file.iter().filter(|line| !notable(line) && !line.starts_with("✗ parse-error")).collect();
    ensure!(odd.iter().all(|line| *line == "unauthorized"), "{odd:#?}");
    Ok(())
}

#[test]
fn verbose_pairs_requests_with_their_answers() {
    gateway_tests::run(async {
        for args in [&["--verbose"][..], &["--verbose", "--ws-log", "full", "--compact"]] {
            let daemon = Daemon::builder().args(args.iter().copied()).start().await?;
            let conn = traffic(&daemon).await?;
            let told = Told::until(&daemon, "⇄ res ✗ last.of.all").await?;
            file_has_only_what_matters(&told)?;
            let lines = &told.console;
            ensure!(with(lines, "←").is_empty() && with(lines, "→ res").is_empty(), "{lines:#?}");
            let [connected] = with(lines, "⇄ res ✓ connect ")[..] else { anyhow::bail!("{lines:#?}") };
            ensure!(connected.ends_with(&format!("ms conn={conn} id=connect")), "{connected}");
            let answered = with(lines, "⇄ res ✓ health ");
            ensure!(answered.len() == 2, "{lines:#?}");
            ensure!(answered[0].ends_with("ms id=r1"), "the connection is the same: {}", answered[0]);
            let event = with(lines, "→ event talk.mode seq=");
            ensure!(event.len() == 1 && event[0].contains(" clients=1 "), "{lines:#?}");
            ensure!(with(lines, "✗ parse-error error=not_json conn=").len() == 1, "{lines:#?}");
        }
        Ok(())
    });
}

#[test]
fn full_tells_every_frame() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().args(["--verbose", "--ws-log", "full"]).start().await?;
        let conn = traffic(&daemon).await?;
        let told = Told::until(&daemon, "→ res ✗ last.of.all").await?;
        file_has_only_what_matters(&told)?;
        let lines = &told.console;
        ensure!(with(lines, "⇄").is_empty(), "{lines:#?}");
        let own = lines.iter().filter(|line| line.contains(&conn) || line.starts_with("→ event talk"));
        let begun: Vec<_> = own.map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect();
        let first = [
            "→ event connect.challenge",
            "← req connect",
            "→ res ✓",
            "← req health",
            "→ res ✓",
            "← req talk.mode",
            "→ event talk.mode",
            "→ res ✓",
            "← req voicewake.get",
        ];
        let mut begun = begun.into_iter();
        for expected in first {
            // The event and the answer to the request that caused it go different ways.
            let line = begun.next().context("more lines")?;
            let swapped = ["→ event talk.mode", "→ res ✓"];
            ensure!(
                line == expected || swapped.contains(&line.as_str()) && swapped.contains(&expected),
                "{lines:#?}"
            );
        }
        ensure!(lines.iter().any(|line| *line == format!("← req health conn={conn} id=r1")), "{lines:#?}");
        Ok(())
    });
}
