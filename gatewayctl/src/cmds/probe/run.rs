//! Decides what to probe, probes all of it in parallel, each with its own budget, and sums up.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::join_all;
use gateway_base::env::Env;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::discovery;
use super::kind::Kind;
use super::render::{details, verdict};
use super::report::{Connect, Network, Report, Server, TargetReport, Warning, config_facts, own_entry};
use super::ssh::{self, Place, Tunnel};
use super::targets::{is_address, targets};
use crate::app::App;
use crate::args::ProbeArgs;
use crate::exit::{Exit, Failure};
use crate::gateway;
use crate::settings::Settings;
use crate::target::{self, Target};
use crate::ws::{self, Connection, Mode, Options, Timing};

/// What a gateway is asked once it is connected to, all at once.
const QUESTIONS: [&str; 4] = ["health", "status", "system-presence", "config.get"];

/// Probes and prints.
pub async fn run(app: &App, args: &ProbeArgs) -> Result<Exit, Failure> {
    let began = Instant::now();
    let (settings, env) = app.settings();
    let local = Target::local(&settings, &env, &app.paths, None);
    let local = Target { url: loopback(&settings, &env), ..local };
    let local = gateway::where_it_listens(app, local.clone(), args.timeout).await.unwrap_or(local);
    let network = network(&local.url);
    let opening = open_tunnel(args, &settings, &env);
    let (tunnel, mut warnings) = match app.out.during("opening the ssh tunnel", opening).await {
        Ok(tunnel) => (tunnel, Vec::new()),
        Err(message) => (None, vec![Warning::about("ssh_tunnel_failed", message)]),
    };
    if let Some(url) = args.url.as_deref().filter(|url| !is_address(url)) {
        let message = format!("{url} is not probed: it must begin with ws:// or wss://");
        warnings.push(Warning::about("bad_url", message));
    }
    let targets = targets(args, &settings, &env, &local, tunnel.as_ref().map(|tunnel| tunnel.local_port));
    let (identity, tokens) = gateway::device(app)?;
    let probes = targets.iter().map(|(kind, target)| {
        let timeout = kind.budget().min(args.timeout);
        let options =
            Options { identity: &identity, tokens: &tokens, mode: Mode::Probe, timeout, clock: &app.clock };
        probe(*kind, target, options, settings.is_remote())
    });
    let mut probing = pin!(app.out.during("probing", join_all(probes)));
    let mut looking = pin!(discovery::look(&app.out, &env, args.timeout));
    let mut found = None;
    let mut reports = loop {
        tokio::select! {
            reports = &mut probing => break reports,
            looked = &mut looking, if found.is_none() => found = Some(looked),
        }
    };
    if let Some(tunnel) = tunnel {
        if let Some(report) = reports.iter_mut().find(|report| report.of == Kind::Ssh) {
            report.tunnel = serde_json::to_value(&tunnel).ok();
        }
        tunnel.close().await;
    }
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let mut report = sum_up(reports, network, app.clock.now(), millis(args.timeout));
    report.warnings.splice(0..0, warnings);
    if !app.out.is_json() {
        // Who listens for others waits longer than who answers, and this is what was asked.
        app.out.print(&verdict(&report))?;
    }
    report.discovery = match found {
        Some(found) => found,
        None => app.out.during("looking for other gateways", looking).await,
    };
    report.duration_ms = millis(began.elapsed());
    if app.out.is_json() {
        app.out.json(&report)?;
    } else {
        app.out.print(&details(&report))?;
    }
    Ok(exit(&report))
}

/// The tunnel that is asked for or configured, if one is. The error is a sentence for people; the direct probes go on.
async fn open_tunnel(args: &ProbeArgs, settings: &Settings, env: &Env) -> Result<Option<Tunnel>, String> {
    let failed = |why: Option<String>| match why {
        Some(why) => format!("SSH tunnel failed: {why}"),
        None => "SSH tunnel failed to start; falling back to direct probes.".to_owned(),
    };
    let mut choice = ssh::choose(args.ssh.as_deref(), settings, env).map_err(|why| failed(Some(why)))?;
    if choice.is_none() && args.ssh_auto {
        choice = Some(found(args.timeout).await.map_err(|why| failed(Some(why)))?);
    }
    let Some(place) = choice else { return Ok(None) };
    let identity = args.ssh_identity.as_deref().or_else(|| settings.text("gateway.remote.sshIdentity"));
    let opened = ssh::open(&place, identity, target::port(settings, env), env).await;
    opened.map(Some).map_err(failed)
}

/// The first gateway that the network tells of.
async fn found(timeout: Duration) -> Result<Place, String> {
    let beacons = crate::discovery::beacons(timeout.min(discovery::LONGEST));
    let beacons =
        Box::pin(beacons).await.map_err(|error| format!("--ssh-auto cannot look around: {error}"))?;
    let first = beacons.first().ok_or(
        "--ssh-auto takes the first gateway that was found, and none was found; name the host with --ssh",
    )?;
    Place::of_beacon(first)
}

fn exit(report: &Report) -> Exit {
    if report.ok {
        Exit::Ok
    } else if report.targets.iter().any(|target| target.refused) {
        Exit::Refused
    } else {
        Exit::Failed
    }
}

fn loopback(settings: &Settings, env: &Env) -> String {
    let scheme = if settings.flag("gateway.tls.enabled") { "wss" } else { "ws" };
    format!("{scheme}://127.0.0.1:{}", target::port(settings, env))
}

fn network(local: &str) -> Network {
    let tailnet = target::local_tailnet().map(|ip| ip.to_string());
    let (scheme, port) =
        (local.split("://").next().unwrap_or("ws"), local.rsplit(':').next().unwrap_or_default());
    Network {
        local_loopback_url: local.to_owned(),
        local_tailnet_url: tailnet.as_ref().map(|ip| format!("{scheme}://{ip}:{port}")),
        tailnet_ipv4: tailnet,
    }
}

async fn probe(kind: Kind, target: &Target, options: Options<'_>, remote_mode: bool) -> TargetReport {
    let active = match kind {
        Kind::Explicit | Kind::Ssh => true,
        Kind::Remote { active } => active,
        Kind::Local => !remote_mode,
    };
    let mut report = TargetReport::new(kind, target.url.clone(), active);
    report.budget_ms = u64::try_from(options.timeout.as_millis()).unwrap_or(u64::MAX);
    let mut timing = Timing::default();
    let opened = Connection::open_timed(target, options, &mut timing).await;
    for (step, took) in timing.steps() {
        report.took(step, took);
    }
    let mut connection = match opened {
        Ok(connection) => connection,
        Err(error) => {
            report.refused = error.is_refusal();
            report.connect = failed(&error);
            return report;
        }
    };
    let took = u64::try_from(connection.took().as_millis()).unwrap_or(u64::MAX);
    report.connect = Connect { ok: true, latency_ms: Some(took), error: None, close: None };
    let hello = connection.hello();
    let (version, host) = (hello.server.version.clone(), hello.server.host.clone());
    report.server = Some(Server { version, host, protocol: hello.protocol });
    report.state_dir.clone_from(&hello.snapshot.state_dir);
    let calls = QUESTIONS.map(|method| (method, json!({})));
    match connection.call_all(&calls).await {
        Ok(answers) => {
            for (method, (_, took)) in QUESTIONS.iter().zip(&answers) {
                report.took(method, *took);
            }
            match answers.into_iter().map(|(answer, _)| answer).collect() {
                Ok(answers) => fill(&mut report, answers),
                Err(error) => report.rpc_error = Some(ws::Error::to_string(&error)),
            }
        }
        Err(error) => report.rpc_error = Some(error.to_string()),
    }
    connection.close().await;
    report
}

fn fill(report: &mut TargetReport, answers: Vec<Value>) {
    let mut answers = answers.into_iter();
    report.health = answers.next();
    report.summary = answers.next();
    report.presence = answers.next();
    report.own = report.presence.as_ref().and_then(own_entry);
    report.config = answers.next().as_ref().map(config_facts);
}

fn failed(error: &ws::Error) -> Connect {
    let close = match error {
        ws::Error::Closed { code, reason } => Some(json!({"code": code, "reason": reason})),
        ws::Error::Refused { code, message, .. } => {
            Some(json!({"code": ws::refusal_code(code), "reason": message}))
        }
        _ => None,
    };
    let text = match error {
        ws::Error::Refused { message, .. } => message.clone(),
        ws::Error::Timeout(_) => "timeout".to_owned(),
        other => other.to_string(),
    };
    Connect { ok: false, latency_ms: None, error: Some(text), close }
}

fn sum_up(targets: Vec<TargetReport>, network: Network, ts: i64, timeout_ms: u64) -> Report {
    let reached = || targets.iter().filter(|target| target.is_reachable());
    let reachable: Vec<&'static str> = reached().map(|target| target.id).collect();
    let primary = reached().min_by_key(|target| target.of.rank()).map(|target| target.id);
    let mut warnings = Vec::new();
    let mut others = reached().skip(1);
    if reached().next().is_some_and(|first| others.any(|other| !first.is_same_gateway(other))) {
        warnings.push(Warning {
            code: "multiple_gateways",
            message: "Unconventional setup: multiple reachable gateways detected. One gateway per machine is the rule; give each further one its own port, config and state folder.".to_owned(),
            target_ids: reachable.clone(),
        });
    }
    Report {
        ok: !reachable.is_empty(),
        ts,
        duration_ms: 0,
        timeout_ms,
        primary_target_id: primary,
        warnings,
        network,
        discovery: None,
        targets,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;
    use crate::text::Text;

    fn report(targets: Vec<TargetReport>) -> Report {
        sum_up(targets, network("ws://127.0.0.1:18789"), 1, 3000)
    }

    fn render(report: &Report) -> Text {
        let mut text = verdict(report);
        text.append(details(report));
        text
    }

    fn target(kind: Kind, connect: Connect) -> TargetReport {
        TargetReport { connect, ..TargetReport::new(kind, "ws://127.0.0.1:18789".to_owned(), true) }
    }

    fn up() -> Connect {
        Connect { ok: true, latency_ms: Some(48), error: None, close: None }
    }

    fn answers() -> Vec<Value> {
        vec![
            json!({"ok": true}),
            json!({"sessions": {}}),
            json!([{"mode": "gateway", "reason": "self", "host": "studio", "ip": "192.168.1.100", "version": "unknown", "platform": "linux 6.8.0"}]),
            json!({"path": "/c", "exists": true, "valid": true, "issues": [], "config": {"gateway": {"port": 18789, "auth": {"token": "canary"}}}}),
        ]
    }

    #[test]
    fn a_reachable_and_an_unreachable_gateway_read_as_the_original_writes_them() {
        let mut good = target(Kind::Local, up());
        fill(&mut good, answers());
        let good = report(vec![good]);
        insta::assert_snapshot!(render(&good).plain(), @r"
        Gateway Status
        Reachable: yes
        Probe budget: 3000ms

        Targets
        Local loopback ws://127.0.0.1:18789
          Connect: ok (48ms) · RPC: ok
          Gateway: studio (192.168.1.100) · linux 6.8.0 · app unknown
          Wide-area discovery: unknown
        ");
        assert_eq!((exit(&good), good.primary_target_id), (Exit::Ok, Some("localLoopback")));
        let text = serde_json::to_string(&good).expect("is JSON");
        assert!(!text.contains("canary") && text.contains("\"authTokenConfigured\":true"), "{text}");
        assert_schema("probe", &good);

        let error = ws::Error::Connect {
            address: "127.0.0.1:18789".to_owned(),
            source: std::io::ErrorKind::ConnectionRefused.into(),
        };
        let bad = report(vec![target(Kind::Local, failed(&error))]);
        insta::assert_snapshot!(render(&bad).plain(), @r"
        Gateway Status
        Reachable: no
        Probe budget: 3000ms

        Targets
        Local loopback ws://127.0.0.1:18789
          Connect: failed - connect failed: connect ECONNREFUSED 127.0.0.1:18789
        ");
        assert_eq!((exit(&bad), bad.primary_target_id), (Exit::Failed, None));
        assert_schema("probe", &bad);
    }

    #[test]
    fn refused_is_not_unreachable() {
        let error = ws::Error::Refused {
            code: "INVALID_REQUEST".to_owned(),
            message: "unauthorized: gateway token missing (provide gateway auth token)".to_owned(),
            details: Value::Null,
        };
        let mut refused = target(Kind::Local, failed(&error));
        refused.refused = error.is_refusal();
        let report = report(vec![refused]);
        assert_eq!(exit(&report), Exit::Refused);
        let text = render(&report).plain();
        assert!(text.contains("Reachable: no (refused)\n"), "{text}");
        assert!(text.contains(
            "  Connect: failed - unauthorized: gateway token missing (provide gateway auth token)\n"
        ));
    }

    #[test]
    fn several_targets_are_compared_and_their_steps_told() {
        let refused = ws::Error::Refused {
            code: "INVALID_REQUEST".to_owned(),
            message: "unauthorized: gateway token missing (provide gateway auth token)".to_owned(),
            details: Value::Null,
        };
        let mut far = target(Kind::Remote { active: true }, failed(&refused));
        (far.url, far.refused) = ("wss://studio.tailnet.ts.net".to_owned(), true);
        let mut near = target(Kind::Local, up());
        let (version, host) = ("0.1.0".to_owned(), "laptop".to_owned());
        near.server = Some(Server { version, host, protocol: 3 });
        for (step, micros) in [("resolve", 20), ("tcp", 160), ("hello", 12_340), ("health", 2_000)] {
            near.took(step, Duration::from_micros(micros));
        }
        let report = report(vec![far, near]);
        insta::assert_snapshot!(render(&report).plain(), @r"
        Gateway Status
        Reachable: yes
        Probe budget: 3000ms

        Targets
        Target               Address                      Connect  RPC  Latency  Version  Host
        Remote (configured)  wss://studio.tailnet.ts.net  refused  -    -        -        -
        Local loopback       ws://127.0.0.1:18789         ok       ok   48ms     0.1.0    laptop

        Remote (configured) wss://studio.tailnet.ts.net
          Connect: failed - unauthorized: gateway token missing (provide gateway auth token)

        Local loopback ws://127.0.0.1:18789
          Connect: ok (48ms) · RPC: ok
          Timing: resolve 0.0ms · tcp 0.2ms · hello 12.3ms · health 2.0ms
        ");
        assert_schema("probe", &report);
    }

    #[test]
    fn two_reachable_gateways_are_a_warning() {
        let report = report(vec![target(Kind::Explicit, up()), target(Kind::Local, up())]);
        assert_eq!(report.warnings[0].target_ids, ["explicit", "localLoopback"]);
        assert!(
            render(&report)
                .plain()
                .contains("\nWarning:\n- Unconventional setup: multiple reachable gateways")
        );
        assert_schema("probe", &report);
    }

    #[test]
    fn one_gateway_by_two_addresses_is_no_warning() {
        let at = |kind, url: &str, folder: &str| {
            let mut target = TargetReport { connect: up(), ..TargetReport::new(kind, url.to_owned(), true) };
            let (version, host) = ("0.1.0".to_owned(), "studio".to_owned());
            target.server = Some(Server { version, host, protocol: 3 });
            target.state_dir = Some(folder.into());
            target
        };
        let local = || at(Kind::Local, "ws://127.0.0.1:18789", "/a");
        for (url, folder, warned) in [
            ("ws://localhost:18789", "/a", false),
            ("wss://studio.ts.net", "/a", false),
            ("ws://localhost:19001", "/a", true),
            ("ws://localhost:18789", "/b", true),
        ] {
            let report = report(vec![at(Kind::Explicit, url, folder), local()]);
            assert_eq!(!report.warnings.is_empty(), warned, "{url} {folder}");
        }
    }

    #[test]
    fn what_a_gateway_says_of_itself_does_not_stretch_the_table() {
        let mut long = target(Kind::Explicit, up());
        let (version, host) = ("9".repeat(3000), "h".repeat(3000));
        long.server = Some(Server { version, host, protocol: 3 });
        let text = render(&report(vec![long, target(Kind::Local, up())])).plain();
        assert!(text.lines().all(|line| line.chars().count() < 200), "{text}");
    }
}
