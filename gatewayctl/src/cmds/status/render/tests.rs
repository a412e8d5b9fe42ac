use std::collections::BTreeMap;
use std::path::PathBuf;

use gateway_base::clock::Clock;
use gateway_base::paths::Paths;
use gateway_config::Issue;

use super::*;
use crate::cmds::status::config::{ConfigReport, ControlUi};
use crate::cmds::status::daemon::{Asked, Daemon};
use crate::cmds::status::facts::Facts;
use crate::cmds::status::report::{GatewayReport, ServiceReport};
use crate::cmds::status::rpc::RpcFailure;
use crate::cmds::status::verdict::judge;
use crate::cmds::testing::{as_on_unix, assert_golden, assert_schema, env_at, place};
use crate::output::Output;
use crate::ports::{PortListener, PortReport};
use crate::service::{Audit, Command, Installed, Service};
use crate::settings::Settings;
use crate::spelling::Words;

fn app() -> App {
    let env = env_at("/home/you", &[]);
    let paths = Paths::resolve(&env, None).expect("HOME is set");
    let out = Output::new(&env, true, false);
    App { env, paths, out, words: Words::for_name(None), clock: Clock::manual(0), own: None }
}

fn target(app: &App) -> Target {
    Target::local(&Settings::from_value(serde_json::json!({})), &app.env, &app.paths, None)
}

fn view(valid: bool) -> ConfigView {
    ConfigView {
        path: PathBuf::from(place("/home/you/.clawdbot/clawdbot.json")),
        exists: true,
        valid,
        issues: if valid { Vec::new() } else { vec![Issue::new("gateway.port", "must be <= 65535")] },
        control_ui: ControlUi { enabled: true, base_path: None },
    }
}

fn command() -> Command {
    Command {
        program_arguments: ["/usr/bin/gatewayd", "gateway", "--port", "18789"].map(str::to_owned).to_vec(),
        working_directory: None,
        environment: BTreeMap::from([("CLAWDBOT_GATEWAY_PORT".to_owned(), "18789".to_owned())]),
        source_path: PathBuf::from(place("/home/you/.config/systemd/user/clawdbot-gateway.service")),
        user: None,
    }
}

fn daemon() -> Daemon {
    Daemon {
        pid: 12345,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: "1a2b3c4d5e6f".to_owned(),
        build_date: "2026-01-29".to_owned(),
        phase: "serving",
        health: "serving",
        uptime_ms: 7_200_000,
        bind_mode: "loopback".to_owned(),
        auth_mode: "token".to_owned(),
        agent_model: "anthropic/claude-opus-4-5".to_owned(),
        log_file: place("/home/you/.clawdbot/logs/gateway.log"),
        connections: 2,
        ..Daemon::default()
    }
}

fn good_rpc() -> Rpc {
    let url = "ws://127.0.0.1:18789".to_owned();
    Rpc { ok: true, url, latency_ms: Some(12), secret: "token", ..Rpc::default() }
}

fn report(service: Option<Command>, runtime: Runtime, daemon: Option<Daemon>, rpc: Option<Rpc>) -> Report {
    let busy = daemon.is_some();
    let state_text = if service.is_some() { "enabled" } else { "disabled" };
    let listener = PortListener {
        pid: 12345,
        command: "gatewayd".to_owned(),
        address: "127.0.0.1:18789".to_owned(),
        ..PortListener::default()
    };
    let port = PortReport {
        port: 18789,
        status: if busy { PortStatus::Busy } else { PortStatus::Free },
        listeners: if busy { vec![listener] } else { Vec::new() },
        hints: Vec::new(),
    };
    let asked = daemon.map_or(Asked::NotRunning, |daemon| Asked::Answered(Box::new(daemon)));
    let config = ConfigReport { cli: view(true), daemon: view(true), mismatch: false, on_trial: false };
    let installed = if service.is_some() { Installed::Yes } else { Installed::No };
    let known = Service {
        manager: Manager::Systemd,
        scope: Scope::User,
        installed,
        command: service.clone(),
        runtime: runtime.clone(),
    };
    let facts = Facts {
        service: &known,
        has_program: true,
        asked: &asked,
        port: &port,
        other_port: None,
        rpc: rpc.as_ref(),
        lock: None,
        owners: &[],
        config: &config,
        is_ours: None,
        last_error: None,
    };
    let verdict = judge(&facts, &app());
    Report {
        service: ServiceReport {
            label: "systemd",
            scope: crate::service::Scope::User,
            loaded: service.is_some(),
            loaded_text: "enabled",
            not_loaded_text: "disabled",
            state_text,
            command: service,
            runtime,
            config_audit: Audit { ok: true, issues: Vec::new() },
        },
        config,
        gateway: GatewayReport {
            bind_mode: "loopback".to_owned(),
            bind_host: "127.0.0.1".to_owned(),
            custom_bind_host: None,
            port: 18789,
            port_source: "service args",
            probe_url: "ws://127.0.0.1:18789".to_owned(),
            probe_note: Some("Loopback-only gateway; only local clients can connect."),
            elsewhere: None,
        },
        port,
        port_cli: None,
        last_error: None,
        rpc,
        legacy_services: Vec::new(),
        extra_services: Vec::new(),
        daemon: match asked {
            Asked::Answered(daemon) => Some(*daemon),
            _ => None,
        },
        verdict,
    }
}

fn running() -> Runtime {
    Runtime {
        status: RuntimeState::Running,
        state: Some("active".to_owned()),
        sub_state: Some("running".to_owned()),
        pid: Some(12345),
        last_exit_status: Some(0),
        last_exit_reason: Some("0".to_owned()),
        ..Runtime::default()
    }
}

fn golden_text(name: &str, text: &str) {
    assert_golden(name, &as_on_unix(text).replace(env!("CARGO_PKG_VERSION"), "<version>"));
}

fn golden(name: &str, text: &Text) {
    golden_text(name, &text.plain());
}

#[test]
fn a_service_that_runs() {
    let app = app();
    let report = report(Some(command()), running(), Some(daemon()), Some(good_rpc()));
    golden("status-running", &render(&report, &target(&app), &app));
    assert!(notes(&report, &app).is_empty());
    golden_text("status-json", &serde_json::to_string_pretty(&report).expect("is JSON"));
    assert_schema("status", &report);
}

#[test]
fn the_service_runs_and_the_port_is_silent() {
    let app = app();
    let rpc = Rpc {
        ok: false,
        error: Some("connect failed: connect ECONNREFUSED 127.0.0.1:18789".to_owned()),
        latency_ms: None,
        failure: Some(RpcFailure::NobodyThere),
        ..good_rpc()
    };
    let mut report = report(Some(command()), running(), None, Some(rpc));
    report.last_error =
        Some("2026-01-29T10:00:00.000Z Refusing to bind gateway to lan without auth.".to_owned());
    golden("status-silent-port", &render(&report, &target(&app), &app));
    assert_schema("status", &report);
}

#[test]
fn a_foreground_gateway_without_a_service_manager() {
    let app = app();
    let runtime = Runtime::unknown("systemctl --user unavailable: Failed to connect to bus: No medium found");
    let report = report(None, runtime, Some(daemon()), None);
    golden("status-container-no-probe", &render(&report, &target(&app), &app));
    assert_schema("status", &report);
}

#[test]
fn the_box_is_the_same_for_every_manager() {
    let app = app();
    for (manager, line) in [
        (Manager::Systemd, "Service: systemd (enabled)"),
        (Manager::Launchd, "Service: LaunchAgent (loaded)"),
        (Manager::Schtasks, "Service: Scheduled Task (registered)"),
    ] {
        let mut report = report(Some(command()), running(), Some(daemon()), Some(good_rpc()));
        let (label, loaded, not_loaded) = manager.words();
        (report.service.label, report.service.state_text) = (label, loaded);
        (report.service.loaded_text, report.service.not_loaded_text) = (loaded, not_loaded);
        let text = render(&report, &target(&app), &app).plain();
        let rows: Vec<&str> = text.lines().take(7).map(|row| row.trim_matches(['│', ' '])).collect();
        assert_eq!((rows[0], rows[2]), ("Gateway service status", line));
        assert_eq!(rows[3..6], ["Runtime: running (PID 12345)", "Port: 18789", "Last gateway error: none"]);
        assert_schema("status", &report);
    }
}

#[test]
fn the_log_to_look_at_is_that_of_the_manager() {
    let app = app();
    for (manager, log) in [
        (Manager::Systemd, "Logs: journalctl --user -u "),
        (Manager::Launchd, "Logs: ~/.clawdbot/logs/gateway.err.log"),
        (Manager::Schtasks, "Logs: ~/.clawdbot/logs/gateway.log"),
    ] {
        let stopped = Runtime { status: RuntimeState::Stopped, missing_unit: true, ..Runtime::default() };
        let mut report = report(Some(command()), stopped, None, None);
        report.service.label = manager.words().0;
        let text = as_on_unix(&render(&report, &target(&app), &app).plain());
        assert!(text.contains(log) && text.contains("not loaded. Start it: gatewayctl start"), "{text}");
    }
}

#[test]
fn a_service_that_stopped() {
    let app = app();
    let runtime = Runtime {
        status: RuntimeState::Stopped,
        state: Some("failed".to_owned()),
        sub_state: Some("failed".to_owned()),
        last_exit_status: Some(78),
        last_exit_reason: Some("1".to_owned()),
        ..Runtime::default()
    };
    let report = report(Some(command()), runtime, None, None);
    golden("status-stopped", &render(&report, &target(&app), &app));
    assert_schema("status", &report);

    let runtime = Runtime {
        state: Some("inactive".to_owned()),
        sub_state: Some("dead".to_owned()),
        last_exit_status: Some(0),
        ..report.service.runtime
    };
    let text = render(&self::report(Some(command()), runtime, None, None), &target(&app), &app).plain();
    assert!(text.contains("\nService is loaded but not running.\n"), "it was stopped on purpose: {text}");
}

#[test]
fn a_refusal_is_told_apart_and_a_broken_file_is_named() {
    let app = app();
    let rpc = Rpc {
        ok: false,
        error: Some("gateway closed (1008): unauthorized: gateway token mismatch (provide gateway auth token)\u{1b}[2J".to_owned()),
        latency_ms: None,
        failure: Some(RpcFailure::Refused),
        ..good_rpc()
    };
    let degraded =
        Daemon { config_degraded: "invalid config: <root>: JSON5 parse failed".to_owned(), ..daemon() };
    let mut report = report(None, Runtime::unknown("systemctl not available"), Some(degraded), Some(rpc));
    report.config.cli = view(false);
    report.config.daemon = view(false);
    golden("status-refused-degraded", &render(&report, &target(&app), &app));
    golden("status-refused-degraded-notes", &notes(&report, &app));
    assert_schema("status", &report);
}

#[test]
fn whoever_uses_a_gateway_elsewhere_is_told_that_this_is_about_here() {
    let app = app();
    let mut report = report(None, Runtime::default(), None, None);
    report.gateway.elsewhere = Some("wss://studio:18789".to_owned());
    let text = render(&report, &target(&app), &app).plain();
    let note = "gateway.mode is remote, and this is about this machine. The other gateway: \
        gatewayctl status --url wss://studio:18789\n";
    assert!(text.contains(note), "{text}");
}
