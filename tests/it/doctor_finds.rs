//! What `gatewayctl doctor` finds in real situations: a port that is really taken, a daemon that really hangs on to its
//! lock, files that are really damaged. The judgement itself is tested beside the checks.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::{Daemon, free_port};
use gateway_tests::device::Device;
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::program::Program;
use gateway_tests::wait::until;
use gateway_tests::ws_client::Socket;
use rustix::fs::inotify;
use serde_json::{Value, json};

/// The report on `home`, and the exit code.
async fn doctor(home: &Home, env: &[(&str, &str)]) -> Result<(Value, Option<i32>)> {
    let seen = Program::Gatewayctl.run_with(home, &["doctor", "--json"], env).await?;
    let report = serde_json::from_str(&seen.stdout).with_context(|| format!("one document: {seen:?}"))?;
    Ok((report, seen.code))
}

/// The report must hold this finding, with this level.
fn expect(report: &Value, id: &str, level: &str, words: &str) -> Result<()> {
    let checks = report["checks"].as_array().into_iter().flatten();
    let found: Vec<&Value> = checks.filter(|check| check["id"] == id).collect();
    let findings = found.iter().flat_map(|check| check["findings"].as_array().into_iter().flatten());
    let is_it = |one: &&Value| one["finding"].as_str().is_some_and(|text| text.contains(words));
    let one = findings.clone().find(is_it).with_context(|| format!("{id}: {words}: {found:#?}"))?;
    ensure!(one["level"] == level, "{one:#}");
    Ok(())
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

fn with_port(port: u16) -> String {
    format!("{{ gateway: {{ mode: 'local', port: {port}, auth: {{ token: '{TOKEN}' }} }} }}\n")
}

#[test]
fn a_taken_port_is_named_with_its_holder() {
    gateway_tests::run(async {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let home = Home::new()?;
        let port = listener.local_addr()?.port();
        home.write_config(&with_port(port))?;
        let (report, code) = doctor(&home, &[]).await?;
        let holder = format!("port {port} is taken by pid {}", std::process::id());
        expect(&report, "port", "error", &holder)?;
        ensure!(code == Some(1), "{report:#}");
        Ok(())
    });
}

#[test]
fn a_daemon_that_cannot_be_asked_is_found_by_its_lock_and_its_port() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let pid = daemon.pid()?.as_raw_nonzero();
        fs::remove_file(daemon.home.state().join("run").join("admin.sock"))?;
        let port = daemon.port.to_string();
        let (report, code) = doctor(&daemon.home, &[("CLAWDBOT_GATEWAY_PORT", &port)]).await?;
        expect(&report, "lock", "error", &format!("another gateway, pid {pid} on port {port}"))?;
        expect(&report, "port", "error", &format!("port {port} is taken by pid {pid}"))?;
        ensure!(code == Some(1), "{report:#}");
        Ok(())
    });
}

#[test]
fn damaged_files_are_found_while_nothing_runs() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        home.write(".clawdbot/gateway.sqlite", "nonsense")?;
        home.write(".clawdbot/identity/device.json", "{}")?;
        home.write(".clawdbot/logs/gateway.err.log", "")?;
        File::options().write(true).open(home.state().join("logs/gateway.err.log"))?.set_len(2 << 30)?;
        let (report, code) = doctor(&home, &[]).await?;
        expect(&report, "store", "error", "it is not a database")?;
        expect(&report, "devices", "error", "device key is of no use")?;
        expect(&report, "log", "error", "gateway.err.log has 2048 MiB")?;
        expect(&report, "permissions", "error", "gateway.sqlite is open to others")?;
        ensure!(code == Some(1) && home.read(".clawdbot/gateway.sqlite")? == "nonsense", "only looked at");
        Ok(())
    });
}

#[test]
fn a_stopped_store_is_never_called_sound() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        daemon.stop().await?;
        let (report, _) = doctor(&daemon.home, &[]).await?;
        let skipped = report["skipped"].as_array().into_iter().flatten();
        let store = skipped.clone().find(|one| one["id"] == "store").context("it is not judged")?;
        ensure!(store["reason"].as_str().is_some_and(|why| why.contains("only a start can tell")), "{store}");
        let seen = daemon.ctl(&["doctor"]).await?;
        ensure!(seen.stdout.contains("Not checked: integrity of the store"), "{seen:?}");
        Ok(())
    });
}

#[test]
fn a_service_file_that_differs_is_told_with_every_difference() {
    gateway_tests::run(async {
        let home = Home::new()?;
        home.write_config(&with_port(18999))?;
        home.write(
            ".config/systemd/user/clawdbot-gateway.service",
            "[Service]\nExecStart=/no/such/gatewayd --port 18790\nEnvironment=CLAWDBOT_GATEWAY_TOKEN=canary\n\
             Environment=CLAWDBOT_STATE_DIR=/elsewhere\n",
        )?;
        home.write(".config/systemd/user/other.service", "[Service]\nExecStart=/usr/bin/clawdbot gateway\n")?;
        let (report, code) = doctor(&home, &[]).await?;
        expect(&report, "service", "error", "Service program does not exist. (/no/such/gatewayd)")?;
        expect(&report, "service", "warning", "the service runs /no/such/gatewayd, not ")?;
        expect(&report, "service", "warning", "names port 18790, the configuration 18999")?;
        expect(&report, "service", "warning", "the service's state folder is /elsewhere")?;
        expect(&report, "service", "warning", "holds a secret (CLAWDBOT_GATEWAY_TOKEN)")?;
        expect(&report, "service", "warning", "another service looks like a gateway: other.service")?;
        expect(&report, "service", "warning", "is not the one that would be installed: - ")?;
        ensure!(!report.to_string().contains("canary"), "no secret is told");
        ensure!(code == Some(1), "{report:#}");
        Ok(())
    });
}

#[test]
fn the_service_file_that_install_writes_has_no_differences() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        let planned = Program::Gatewayctl.run(&home, &["install", "--dry-run", "--json"]).await?;
        let planned: Value = serde_json::from_str(&planned.stdout)?;
        let file = &planned["plan"]["files"][0];
        let (path, text) = (file["path"].as_str(), file["content"].as_str());
        let path = Path::new(path.context("a path")?).strip_prefix(home.path())?.display().to_string();
        home.write(&path, text.context("a content")?)?;
        let (report, _) = doctor(&home, &[]).await?;
        let checks = report["checks"].as_array().into_iter().flatten();
        let service = checks.clone().find(|check| check["id"] == "service").context("it is judged")?;
        for finding in service["findings"].as_array().into_iter().flatten() {
            // No service manager runs here, and the file was put there by hand.
            let text = finding["finding"].as_str().unwrap_or_default();
            ensure!(text.contains("cannot be asked") || text.contains("not enabled"), "{service:#}");
        }
        Ok(())
    });
}

#[test]
fn pairings_and_the_file_are_judged_with_a_running_daemon() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let proxied = [("x-forwarded-for".to_owned(), "203.0.113.7".to_owned())];
        let mut socket = Socket::open(daemon.port, "/", &proxied).await?;
        let nonce = socket.challenge().await?;
        let afar = Connect::cli().device(Device::seeded(7)).scopes(&["operator.read"]);
        socket.send_request("c", "connect", afar.params(&nonce)).await?;
        let asked = socket.frame().await?;
        let request = asked["error"]["details"]["requestId"].as_str().context("a request")?.to_owned();
        let mut near = daemon.connect(Connect::cli().device(Device::seeded(8))).await?;
        let paired = near.request("device.pair.list", json!({})).await?;
        let id = paired["paired"][0]["deviceId"].as_str().context("one is paired")?.to_owned();
        near.request("device.token.revoke", json!({ "deviceId": id, "role": "operator" })).await?;
        daemon.home.write_config("{ gateway: {")?;

        let (report, code) = doctor(&daemon.home, &[]).await?;
        expect(&report, "devices", "warning", "asks to be let in, and nobody has answered")?;
        expect(&report, "devices", "warning", "all its tokens are revoked")?;
        expect(&report, "config", "error", "JSON5 parse failed")?;
        let text = report.to_string();
        ensure!(text.contains(&format!("devices approve {request}")), "{text}");
        ensure!(text.contains("keeps running on the last good configuration"), "{text}");
        ensure!(code == Some(1), "{report:#}");
        Ok(())
    });
}

#[test]
fn an_open_listener_of_another_port_is_told() {
    gateway_tests::run(async {
        let daemon = Daemon::builder().args(["--bind", "lan"]).start().await?;
        let (report, _) = doctor(&daemon.home, &[("CLAWDBOT_GATEWAY_TOKEN", "another")]).await?;
        expect(&report, "exposure", "warning", "is not encrypted")?;
        expect(&report, "port", "warning", &format!("listens on port {}", daemon.port))?;
        expect(&report, "token", "warning", "CLAWDBOT_GATEWAY_TOKEN is set and is not gateway.auth.token")?;
        Ok(())
    });
}

#[test]
fn the_remedy_for_a_port_that_was_given_as_a_word_helps() {
    gateway_tests::run(async {
        // A start with a port of its own, and one that finds another in the configuration.
        let daemon = Daemon::start().await?;
        let (report, _) = doctor(&daemon.home, &[]).await?;
        let fix = fix(&report, "port")?;
        ensure!(fix == "Start it without --port: gatewayctl shutdown, then start it again", "{fix}");

        let home = Arc::new(Home::new()?);
        let mut command = Program::Gatewayd.command(&home).await?;
        let port = free_port()?.to_string();
        // As `gatewayd --dev` does where nothing else has the tutorial's port.
        command
            .args(["--dev"])
            .env("CLAWDBOT_GATEWAY_PORT", &port)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let _daemon = command.spawn()?;
        let asks = ["--dev", "doctor", "--json"];
        let report = until("the daemon to answer", || async {
            let seen = Program::Gatewayctl.run(&home, &asks).await?;
            let report: Value = serde_json::from_str(&seen.stdout)?;
            Ok(report.to_string().contains("the dev profile says 19001").then_some(report))
        })
        .await?;
        let fix = self::fix(&report, "port")?;
        ensure!(fix == "gatewayctl --profile dev shutdown && gatewayd --dev gateway", "{fix}");
        Ok(())
    });
}

/// What the first finding of a check says to run.
fn fix(report: &Value, id: &str) -> Result<String> {
    let checks = report["checks"].as_array().context("checks")?;
    let check = checks.iter().find(|check| check["id"] == id).context("the check")?;
    Ok(check["findings"][0]["fix"].as_str().context("a fix")?.to_owned())
}

#[test]
fn the_store_of_a_running_daemon_is_not_opened() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
        let store = daemon.home.state().join("gateway.sqlite");
        inotify::add_watch(&watch, &store, inotify::WatchFlags::OPEN)?;
        let seen = daemon.ctl(&["doctor", "--fix"]).await?;
        ensure!(seen.stdout.contains(" checks"), "{seen:?}");
        let mut buffer = [std::mem::MaybeUninit::uninit(); 1024];
        let mut events = inotify::Reader::new(&watch, &mut buffer);
        ensure!(matches!(events.next(), Err(rustix::io::Errno::AGAIN)), "it was opened");
        drop(File::open(&store)?);
        ensure!(events.next().is_ok(), "an open is seen");
        Ok(())
    });
}

#[test]
fn a_link_is_kept_and_its_target_repaired_and_restored() {
    gateway_tests::run(async {
        let home = Arc::new(Home::new()?);
        let text = "{ gateway: { mode: 'local', prot: 1 } }\n";
        home.write("dotfiles/clawdbot.json", text)?;
        home.write(".clawdbot/x", "")?;
        let real = home.path().join("dotfiles/clawdbot.json");
        std::os::unix::fs::symlink(&real, home.config())?;
        set_mode(&real, 0o640)?;
        let fixed = Program::Gatewayctl.run(&home, &["doctor", "--fix"]).await?;
        ensure!(fixed.stdout.contains("✓ Remove the unknown key gateway.prot."), "{fixed:?}");
        ensure!(fs::symlink_metadata(home.config())?.is_symlink(), "still a link");
        ensure!(!fs::read_to_string(&real)?.contains("prot"), "repaired");
        let undone = Program::Gatewayctl.run(&home, &["doctor", "--undo"]).await?;
        ensure!(undone.code == Some(0) && fs::read_to_string(&real)? == text, "{undone:?}");
        let mode = fs::metadata(&real)?.permissions().mode() & 0o777;
        ensure!(mode == 0o640 && fs::symlink_metadata(home.config())?.is_symlink(), "{mode:o}");
        Ok(())
    });
}
