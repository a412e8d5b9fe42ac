//! The gateway behind Tailscale: what it publishes and says, who is let in by name, and that it runs on whatever
//! Tailscale's program does. The program is a stand-in, the proxy in front is real.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_admin::v1::{PartHealth, PartState};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::{Builder, Daemon};
use gateway_tests::device::Device;
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::program::Program;
use gateway_tests::tailnet::{ADA, HOST, LOGIN, Proxy, Sender, Tailscale};
use gateway_tests::wait::until;
use gateway_tests::ws_client::{Client, Refused, refusal};
use serde_json::json;

const OPEN: &str = "{ gateway: { mode: 'local' } }";
const SECRET: &str = "{ gateway: { mode: 'local', auth: { mode: 'token', token: 'token-of-the-tests' } } }";
const PASSWORD: &str = "{ gateway: { mode: 'local', auth: { mode: 'password', password: 'word' } } }";

/// A home with the stand-in, and a daemon in it that is not started yet.
fn with_tailscale(config: &str, args: &[&str]) -> Result<(Tailscale, Builder)> {
    let home = Arc::new(Home::new()?);
    let tailscale = Tailscale::install(&home)?;
    let builder =
        Daemon::builder().home(home).config(config).args(args.iter().copied()).env("PATH", tailscale.path());
    Ok((tailscale, builder))
}

async fn part(daemon: &Daemon) -> Result<PartHealth> {
    let health = daemon.admin().await?.health().await?;
    let part = health.parts.into_iter().find(|part| part.name == "tailscale");
    part.context("health tells of tailscale")
}

async fn part_is(daemon: &Daemon, state: PartState) -> Result<PartHealth> {
    until("tailscale's health", || async {
        let part = part(daemon).await?;
        Ok((part.state() == state).then_some(part))
    })
    .await
}

/// What it printed, once it has said everything that a start says.
async fn started(daemon: &Daemon) -> Result<Vec<String>> {
    until("the lines of the start", || async {
        let text = daemon.stdout()?;
        Ok(text.contains("✓ log file: ").then(|| text.lines().map(str::to_owned).collect()))
    })
    .await
}

async fn refused(port: u16, how: Connect) -> Result<Refused> {
    refusal(Client::connect(port, how).await)
}

#[test]
fn serve_is_told_as_the_tutorial_shows_it_and_taken_back_at_the_end() {
    gateway_tests::run(async {
        let (tailscale, builder) =
            with_tailscale(OPEN, &["--tailscale", "serve", "--tailscale-reset-on-exit"])?;
        let mut daemon = builder.start().await?;
        let lines = started(&daemon).await?;
        let expected = [
            "✓ Tailscale identity detected".to_owned(),
            "✓ advertising gateway via Tailscale Serve".to_owned(),
            format!("✓ MagicDNS: https://{HOST}"),
            "✓ agent model: anthropic/claude-opus-4-5".to_owned(),
            format!("✓ listening on ws://127.0.0.1:{} (PID {})", daemon.port, daemon.pid()?.as_raw_nonzero()),
        ];
        ensure!(lines.starts_with(&expected), "{lines:#?}");
        part_is(&daemon, PartState::Serving).await?;
        let published = format!("serve --bg --yes {}", daemon.port);
        ensure!(tailscale.published() == Some(published.clone()), "{:?}", tailscale.calls());
        ensure!(daemon.stop().await?.success(), "{}", daemon.stderr()?);
        ensure!(tailscale.published().is_none(), "it was taken back");
        ensure!(
            tailscale.calls() == ["status --json", &published, "serve --https=443 off"],
            "{:?}",
            tailscale.calls()
        );
        Ok(())
    });
}

#[test]
fn funnel_is_told_with_the_address_that_answers_and_stays_unless_asked() {
    gateway_tests::run(async {
        let (tailscale, builder) =
            with_tailscale(PASSWORD, &["--tailscale", "funnel", "--auth", "password"])?;
        let mut daemon = builder.start().await?;
        let lines = started(&daemon).await?;
        let expected = ["✓ Tailscale Funnel enabled".to_owned(), format!("✓ Funnel URL: https://{HOST}")];
        ensure!(lines.starts_with(&expected), "{lines:#?}");
        ensure!(daemon.stop().await?.success(), "{}", daemon.stderr()?);
        ensure!(tailscale.published() == Some(format!("funnel --bg --yes {}", daemon.port)), "it stays");
        Ok(())
    });
}

#[test]
fn every_failure_is_named_with_its_remedy_and_the_daemon_serves_on() {
    let cases = [
        ("serve", "status", "echo '{\"BackendState\":\"NeedsLogin\"}'; exit 1", "run: sudo tailscale up"),
        (
            "serve",
            "status",
            "echo 'failed to connect to local tailscaled; is it running?' >&2; exit 1",
            "run: sudo systemctl start tailscaled",
        ),
        (
            "serve",
            "serve",
            "echo 'access denied: serve config denied' >&2; exit 1",
            "run: sudo tailscale set --operator=$USER",
        ),
        (
            "serve",
            "serve",
            "echo 'Serve is not enabled on your tailnet.'; echo 'https://login.tailscale.com/f/serve?node=n1'; exit 1",
            "enable it: https://login.tailscale.com/f/serve?node=n1",
        ),
        (
            "funnel",
            "funnel",
            "echo 'Funnel not available; HTTPS must be enabled. See https://tailscale.com/s/https.' >&2; exit 1",
            "enable it: https://login.tailscale.com/admin/dns",
        ),
        (
            "funnel",
            "funnel",
            "echo 'Funnel not available; \"funnel\" node attribute not set.' >&2; exit 1",
            "https://tailscale.com/s/no-funnel",
        ),
        ("serve", "status", "yes nonsense", "never stops talking"),
        ("serve", "status", "head -c 100000 /dev/urandom; exit 0", "cannot be read"),
        ("serve", "status", "exec sleep 300", "did not end within 5 s"),
    ];
    gateway_tests::run(async move {
        for (mode, word, script, remedy) in cases {
            let (tailscale, builder) = with_tailscale(PASSWORD, &["--tailscale", mode])?;
            tailscale.script(word, script)?;
            fails_with(builder, mode, remedy).await.with_context(|| script.to_owned())?;
        }
        let (_tailscale, builder) = with_tailscale(PASSWORD, &["--tailscale", "serve"])?;
        fails_with(builder.env("PATH", "/no/such/folder"), "serve", "https://tailscale.com/download").await
    });
}

async fn fails_with(builder: Builder, mode: &str, remedy: &str) -> Result<()> {
    let mut daemon = builder.start().await?;
    let failed = part_is(&daemon, PartState::Failed).await?;
    ensure!(failed.reason.contains(remedy), "{failed:?}");
    let line = format!("✗ tailscale {mode} failed: {}\n", failed.reason);
    until("the line about the failure", || async { Ok(daemon.stderr()?.contains(&line).then_some(())) })
        .await?;
    let lines = started(&daemon).await?;
    ensure!(!lines.iter().any(|line| line.contains("ailscale") || line.contains("https:")), "{lines:?}");
    let health = daemon.admin().await?.health().await?;
    ensure!(health.state() == PartState::Degraded, "{health:?}");
    // The controller says the same: a supervisor that asks it must not end a gateway that serves.
    let seen = daemon.ctl(&["health"]).await?;
    let told =
        seen.stdout.starts_with("✓ Gateway is healthy\n") && seen.stdout.contains("\n✗ tailscale: failed - ");
    ensure!(seen.code == Some(0) && told, "{seen:?}");
    let seen = daemon.ctl(&["status"]).await?;
    let verdict = "\nVerdict: degraded - the gateway runs, but its tailscale does not work: ";
    ensure!(seen.code == Some(0) && seen.stdout.contains(verdict), "{seen:?}");
    daemon.connect(Connect::probe().device(Device::seeded(1)).password("word")).await?;
    ensure!(daemon.stop().await?.success(), "{}", daemon.stderr()?);
    Ok(())
}

#[test]
fn a_tailscale_that_is_connected_later_is_used_without_a_restart() {
    gateway_tests::run(async {
        let (tailscale, builder) = with_tailscale(SECRET, &["--tailscale", "serve"])?;
        tailscale.script("status", "echo '{\"BackendState\":\"Starting\"}'; exit 1")?;
        let daemon = builder.start().await?;
        part_is(&daemon, PartState::Failed).await?;
        ensure!(!started(&daemon).await?.iter().any(|line| line.contains(HOST)), "nothing is claimed yet");
        tailscale.script("status", "")?;
        part_is(&daemon, PartState::Serving).await?;
        let line = format!("✓ MagicDNS: https://{HOST}\n");
        until("the line about it", || async { Ok(daemon.stdout()?.ends_with(&line).then_some(())) }).await?;
        let health = daemon.admin().await?.health().await?;
        ensure!(health.state() == PartState::Serving, "{health:?}");
        Ok(())
    });
}

#[test]
fn a_program_that_hangs_delays_neither_serving_nor_the_end() {
    gateway_tests::run(async {
        let (tailscale, builder) =
            with_tailscale(SECRET, &["--tailscale", "serve", "--tailscale-reset-on-exit"])?;
        let hangs = "case \"$*\" in *off) ;; *) echo $$ > \"$here/pid\"; exec sleep 300 ;; esac";
        tailscale.script("serve", hangs)?;
        let mut daemon = builder.start().await?;
        daemon.connect(Connect::cli()).await?;
        ensure!(part(&daemon).await?.state() == PartState::Starting, "not known yet");
        let lines = started(&daemon).await?;
        ensure!(lines.first().is_some_and(|line| line.starts_with("✓ agent model")), "{lines:?}");
        ensure!(daemon.stop().await?.success(), "{}", daemon.stderr()?);
        ensure!(tailscale.calls().last().is_some_and(|call| call.ends_with("off")), "it may have worked");
        let pid: u32 = daemon.home.read("tools/pid")?.trim().parse()?;
        until("the program to be gone", || async {
            Ok(gateway_base::process::command_line(pid).is_none().then_some(()))
        })
        .await?;
        Ok(())
    });
}

#[test]
fn without_tailscale_nothing_is_said_or_asked() {
    gateway_tests::run(async {
        let (tailscale, builder) = with_tailscale(SECRET, &[])?;
        let daemon = builder.start().await?;
        let health = daemon.admin().await?.health().await?;
        ensure!(!health.parts.iter().any(|part| part.name == "tailscale"), "{health:?}");
        ensure!(tailscale.calls().is_empty(), "{:?}", tailscale.calls());
        Ok(())
    });
}

#[test]
fn what_would_not_be_safe_is_refused() {
    gateway_tests::run(async {
        let error = "Gateway failed to start: Error: ";
        let loopback = format!("{error}tailscale serve/funnel requires gateway bind=loopback (127.0.0.1)\n");
        let password = format!(
            "{error}tailscale funnel requires gateway auth mode=password (set gateway.auth.password or CLAWDBOT_GATEWAY_PASSWORD)\n"
        );
        let word = "Invalid --tailscale (use \"off\", \"serve\", or \"funnel\")\n".to_owned();
        for (args, text) in [
            (["--tailscale", "on", "--verbose"], word),
            (["--tailscale", "funnel", "--verbose"], password),
            (["--tailscale", "serve", "--bind=lan"], loopback),
        ] {
            let home = Home::configured()?;
            let seen = Program::Gatewayd.run(&home, &args).await?;
            ensure!(seen.code == Some(78) && seen.stderr == text && seen.stdout.is_empty(), "{seen:?}");
        }
        Ok(())
    });
}

#[test]
fn a_name_that_whois_confirms_replaces_the_secret() {
    gateway_tests::run(async {
        let (tailscale, builder) = with_tailscale(SECRET, &["--tailscale", "serve"])?;
        let daemon = builder.start().await?;
        let ada = Proxy::start(daemon.port, Sender::new(ADA, "Ada@Example.com")).await?;
        let wrong = || Connect::cli().token("wrong");
        Client::connect(ada.port, wrong()).await?;
        Client::connect(ada.port, wrong()).await?;
        let asked = tailscale.calls().iter().filter(|call| call.starts_with("whois")).count();
        ensure!(asked == 1, "the second time it is known: {:?}", tailscale.calls());

        let mismatch =
            "unauthorized: gateway token mismatch (set gateway.remote.token to match gateway.auth.token)";
        for sender in [
            Sender::new(ADA, "eve@example.com"),
            Sender::new("100.64.0.99", LOGIN),
            Sender::new("100.64.0.99, 100.64.0.7", LOGIN),
            Sender { login: None, ..Sender::new(ADA, "") },
            Sender { funnel: true, ..Sender::new(ADA, LOGIN) },
        ] {
            let proxy = Proxy::start(daemon.port, sender.clone()).await?;
            let forged = wrong().header("Tailscale-User-Login", LOGIN);
            let seen = refused(proxy.port, forged).await?;
            ensure!(seen.message == mismatch, "{sender:?}: {seen:?}");
            Client::connect(proxy.port, Connect::cli().token(TOKEN)).await?;
        }
        let seen = refused(daemon.port, wrong().header("Tailscale-User-Login", LOGIN)).await?;
        ensure!(seen.message == mismatch, "a header alone: {seen:?}");
        Ok(())
    });
}

#[test]
fn without_a_secret_a_name_is_needed_from_outside_and_the_device_still_asks() {
    gateway_tests::run(async {
        let (tailscale, builder) = with_tailscale(OPEN, &["--tailscale", "serve"])?;
        let daemon = builder.start().await?;
        let mut local = daemon.connect(Connect::cli()).await?;
        let page = || Connect::ui(Device::seeded(1)).anonymous().header("Origin", &format!("https://{HOST}"));
        let told = [
            (Sender { login: None, ..Sender::new(ADA, "") }, "tailscale identity missing"),
            (Sender::new(ADA, "eve@example.com"), "tailscale identity mismatch"),
        ];
        for (sender, text) in told {
            let proxy = Proxy::start(daemon.port, sender).await?;
            let expected =
                format!("unauthorized: {text} (use Tailscale Serve auth or gateway token/password)");
            let seen = refused(proxy.port, page()).await?;
            ensure!(seen.message == expected, "{seen:?}");
        }
        let half = Connect::cli().header("Tailscale-User-Login", LOGIN).header("X-Forwarded-For", ADA);
        let seen = refused(daemon.port, half).await?;
        ensure!(seen.message.contains("tailscale proxy headers missing"), "{seen:?}");

        let ada = Proxy::start(daemon.port, Sender::new(ADA, LOGIN)).await?;
        let seen = refused(ada.port, page()).await?;
        ensure!(seen.message == "pairing required", "a name pairs no device: {seen:?}");
        let request = &seen.error["details"]["requestId"];
        local.request("device.pair.approve", json!({ "requestId": request })).await?;
        Client::connect(ada.port, page()).await?;

        tailscale.script("whois", "kill -9 $$")?;
        let lost = Proxy::start(daemon.port, Sender::new("100.64.0.8", LOGIN)).await?;
        let seen = refused(lost.port, page()).await?;
        ensure!(seen.message.contains("tailscale identity check failed"), "{seen:?}");
        Ok(())
    });
}

#[test]
fn names_count_only_while_the_configuration_says_so() {
    gateway_tests::run(async {
        let names = |allowed: bool| {
            format!(
                "{{ gateway: {{ mode: 'local', auth: {{ mode: 'token', token: '{TOKEN}', allowTailscale: {allowed} }} }} }}"
            )
        };
        let (_tailscale, builder) = with_tailscale(&names(true), &[])?;
        let daemon = builder.start().await?;
        let ada = Proxy::start(daemon.port, Sender::new(ADA, LOGIN)).await?;
        let mut by_name = Client::connect(ada.port, Connect::cli().token("wrong")).await?;
        let mut by_secret = daemon.connect(Connect::cli()).await?;
        daemon.home.write_config(&names(false))?;
        let closed = by_name.socket().closed().await?.context("with a close frame")?;
        ensure!(closed == (1008, "gateway auth changed; connect again".to_owned()), "{closed:?}");
        let seen = refused(ada.port, Connect::cli().token("wrong")).await?;
        ensure!(seen.message.contains("token mismatch"), "{seen:?}");
        by_secret.request("health", json!({})).await?;
        Ok(())
    });
}
