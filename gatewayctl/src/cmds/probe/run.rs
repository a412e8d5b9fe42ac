//! Decides what to probe, probes all of it in parallel, each with its own budget, and sums up.

use std::time::Duration;

use futures_util::future::join_all;
use gateway_base::env::Env;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::discovery;
use super::kind::Kind;
use super::render::render;
use super::report::{Connect, Network, Report, TargetReport, Warning, config_facts, own_entry};
use crate::app::App;
use crate::args::ProbeArgs;
use crate::exit::{Exit, Failure};
use crate::gateway;
use crate::settings::Settings;
use crate::target::{self, Secrets, Target};
use crate::ws::{self, Connection, Mode, Options};

/// Probes and prints.
pub async fn run(app: &App, args: &ProbeArgs) -> Result<Exit, Failure> {
    let began = Instant::now();
    let (settings, env) = app.settings();
    let local = Target::local(&settings, &env, &app.paths, None);
    let local = gateway::where_it_listens(app, Target { url: loopback(&settings, &env), ..local }).await;
    let network = network(&local.url);
    let targets = targets(args, &settings, &env, &local);
    let (identity, tokens) = gateway::device(app)?;
    let probes = targets.iter().map(|(kind, target)| {
        let timeout = kind.budget().min(args.timeout);
        let options =
            Options { identity: &identity, tokens: &tokens, mode: Mode::Probe, timeout, clock: &app.clock };
        probe(*kind, target, options, settings.is_remote())
    });
    let looking = discovery::look(&app.out, &env, args.timeout);
    let work = async { tokio::join!(join_all(probes), looking) };
    let (reports, found) = app.out.during("probing", work).await;
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let mut report = sum_up(reports, network, app.clock.now(), millis(began.elapsed()), millis(args.timeout));
    report.discovery = found;
    if app.out.is_json() {
        app.out.json(&report)?;
    } else {
        app.out.print(&render(&report))?;
    }
    Ok(exit(&report))
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

/// The targets in order, each address once.
fn targets(args: &ProbeArgs, settings: &Settings, env: &Env, local: &Target) -> Vec<(Kind, Target)> {
    let given = (args.token.is_some() || args.password.is_some()).then(|| Secrets {
        token: args.token.clone(),
        password: args.password.clone(),
        explicit: true,
    });
    let secrets =
        |remote| given.clone().unwrap_or_else(|| target::remote_or_local_secrets(settings, env, remote));
    let far = |url: &str, source: &str, secrets, pin: Option<String>| Target {
        url: url.to_owned(),
        source: source.to_owned(),
        bind: None,
        local: false,
        config: local.config.clone(),
        secrets,
        pin,
    };
    let remote = settings.text("gateway.remote.url");
    let pin = settings.text("gateway.remote.tlsFingerprint").map(ws::normalise_fingerprint);
    let mut out: Vec<(Kind, Target)> = Vec::new();
    if let Some(url) = args.url.as_deref().filter(|url| url.starts_with("ws://") || url.starts_with("wss://"))
    {
        let pin = pin.clone().filter(|_| remote == Some(url));
        out.push((Kind::Explicit, far(url, "cli --url", secrets(remote == Some(url)), pin)));
    }
    if let Some(url) = remote {
        let kind = Kind::Remote { active: settings.is_remote() };
        out.push((kind, far(url, "config gateway.remote.url", secrets(true), pin)));
    }
    out.push((Kind::Local, Target { secrets: secrets(false), ..local.clone() }));
    let mut seen = Vec::new();
    out.retain(|(_, target)| {
        let new = !seen.contains(&target.url);
        seen.push(target.url.clone());
        new
    });
    out
}

async fn probe(kind: Kind, target: &Target, options: Options<'_>, remote_mode: bool) -> TargetReport {
    let mut report = TargetReport {
        id: kind.id(),
        kind: kind.id(),
        url: target.url.clone(),
        active: match kind {
            Kind::Explicit => true,
            Kind::Remote { active } => active,
            Kind::Local => !remote_mode,
        },
        tunnel: None,
        connect: Connect::default(),
        own: None,
        config: None,
        health: None,
        summary: None,
        presence: None,
        rpc_error: None,
        refused: false,
        of: kind,
    };
    let mut connection = match Connection::open(target, options).await {
        Ok(connection) => connection,
        Err(error) => {
            report.refused = error.is_refusal();
            report.connect = failed(&error);
            return report;
        }
    };
    let took = u64::try_from(connection.took().as_millis()).unwrap_or(u64::MAX);
    report.connect = Connect { ok: true, latency_ms: Some(took), error: None, close: None };
    let none = || json!({});
    let calls = [("health", none()), ("status", none()), ("system-presence", none()), ("config.get", none())];
    match connection
        .call_all(&calls)
        .await
        .and_then(|answers| answers.into_iter().collect::<Result<Vec<_>, _>>())
    {
        Ok(answers) => fill(&mut report, answers),
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

fn sum_up(
    targets: Vec<TargetReport>,
    network: Network,
    ts: i64,
    duration_ms: u64,
    timeout_ms: u64,
) -> Report {
    let reachable: Vec<&'static str> =
        targets.iter().filter(|target| target.is_reachable()).map(|target| target.id).collect();
    let mut warnings = Vec::new();
    if reachable.len() > 1 {
        warnings.push(Warning {
            code: "multiple_gateways",
            message: "Unconventional setup: multiple reachable gateways detected. One gateway per machine is the rule; give each further one its own port, config and state folder.".to_owned(),
            target_ids: reachable.clone(),
        });
    }
    Report {
        ok: !reachable.is_empty(),
        ts,
        duration_ms,
        timeout_ms,
        primary_target_id: reachable.first().copied(),
        warnings,
        network,
        discovery: None,
        targets,
    }
}

#[cfg(test)]
mod tests {
    use gateway_base::paths::Paths;

    use super::*;
    use crate::cmds::testing::assert_schema;

    fn report(targets: Vec<TargetReport>) -> Report {
        sum_up(targets, network("ws://127.0.0.1:18789"), 1, 48, 3000)
    }

    fn target(kind: Kind, connect: Connect) -> TargetReport {
        TargetReport {
            id: kind.id(),
            kind: kind.id(),
            url: "ws://127.0.0.1:18789".to_owned(),
            active: true,
            tunnel: None,
            connect,
            own: None,
            config: None,
            health: None,
            summary: None,
            presence: None,
            rpc_error: None,
            refused: false,
            of: kind,
        }
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
    fn targets_come_in_order_and_once() {
        let env = Env::from_pairs([("HOME", "/home/you"), ("CLAWDBOT_GATEWAY_TOKEN", "env")]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        let settings =
            Settings::from_value(json!({"gateway": {"remote": {"url": "ws://studio:1", "token": "far"}}}));
        let local = Target::local(&settings, &env, &paths, None);
        let args = |url: &str| ProbeArgs {
            url: Some(url.to_owned()),
            token: None,
            password: None,
            timeout: Duration::from_secs(3),
            json: false,
        };
        let found = targets(&args("wss://other:2"), &settings, &env, &local);
        let ids: Vec<_> = found.iter().map(|(kind, target)| (kind.id(), target.url.as_str())).collect();
        assert_eq!(
            ids,
            [
                ("explicit", "wss://other:2"),
                ("configRemote", "ws://studio:1"),
                ("localLoopback", "ws://127.0.0.1:18789")
            ]
        );
        let token = |index: usize| found[index].1.secrets.token.as_ref().map(|t| t.expose().to_owned());
        assert_eq!((token(1).as_deref(), token(2).as_deref()), (Some("far"), Some("env")));
        assert_eq!(targets(&args("ws://127.0.0.1:18789"), &settings, &env, &local).len(), 2);
        assert_eq!(targets(&args("http://x"), &settings, &env, &local).len(), 2);
    }
}
