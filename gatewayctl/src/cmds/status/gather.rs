//! Finds out everything `status` reports. Nothing here changes anything.

use std::path::Path;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use serde_json::json;
use tokio::time::Instant;

use super::config::{ConfigReport, ConfigView, ControlUi};
use super::daemon::{Asked, Daemon, ask};
use super::facts::Facts;
use super::journal::last_words;
use super::lock;
use super::report::{GatewayReport, Report, ServiceReport};
use super::rpc::{Rpc, RpcFailure};
use super::verdict::judge;
use crate::app::App;
use crate::args::StatusArgs;
use crate::exit::Failure;
use crate::gateway;
use crate::logfile;
use crate::ports::{self, PortReport, PortStatus};
use crate::service::{self, Control, Installed, Names, RuntimeState, Service, System};
use crate::settings::Settings;
use crate::target::{self, Target};
use crate::ws::{self, Connection, Mode, Options, Timing};

const LOOPBACK_NOTE: &str = "Loopback-only gateway; only local clients can connect.";
const LAN_NOTE: &str = "Local probe uses loopback (127.0.0.1). bind=lan listens on 0.0.0.0 (all interfaces); use a LAN IP for remote clients.";

/// The variables of a service that may be shown.
const SHOWN: [&str; 5] = [
    "CLAWDBOT_PROFILE",
    "CLAWDBOT_STATE_DIR",
    "CLAWDBOT_CONFIG_PATH",
    "CLAWDBOT_GATEWAY_PORT",
    "CLAWDBOT_NIX_MODE",
];

/// The report, and the target that was probed, for the block below a failure.
pub async fn gather(app: &App, args: &StatusArgs) -> Result<(Report, Target), Failure> {
    let names = Names::new(&app.env, &app.paths);
    let service = Control::native(names.scope(), &app.env).query(&names, &System).await;
    let (cli, cli_env) = app.settings();
    let (daemon_env, daemon_paths) = match &service.command {
        Some(command) => command.place(&app.env, &app.paths),
        None => (app.env.clone(), app.paths.clone()),
    };
    let daemon_settings = Settings::load(&daemon_paths, &daemon_env);
    let remote = args.client.url.is_some();
    let asked = if remote { Asked::Elsewhere } else { ask(app, args.client.timeout).await };
    let daemon = match &asked {
        Asked::Answered(daemon) => Some(daemon.as_ref()),
        _ => None,
    };
    let place = place(&service, &daemon_settings, &daemon_env, daemon);
    let target = probe_target(app, args, &cli, &cli_env, &place, daemon);
    let rpc = if args.no_probe { None } else { Some(probe(app, &target, args.client.timeout).await) };
    let stop = app.suggest("shutdown");
    let port = ports::inspect(place.port, &app.env, &stop);
    let cli_port = target::port(&cli, &cli_env);
    let port_cli = (cli_port != place.port).then(|| ports::inspect(cli_port, &app.env, &stop));
    let last_error = last_error(app, &service, &port, &daemon_settings).await;
    let config = config_report(&app.paths, &cli, &daemon_paths, &daemon_settings);
    let lock = lock::holder(&daemon_env, &daemon_paths, app.clock.now());
    let owners = lock::others(&daemon_env, &daemon_paths);
    let facts = Facts {
        service: &service,
        has_program: has_program(&service),
        asked: &asked,
        port: &port,
        other_port: port_cli.as_ref(),
        rpc: rpc.as_ref(),
        lock: lock.as_ref(),
        owners: &owners,
        config: &config,
        is_ours: rpc.as_ref().and_then(|rpc| rpc.state_dir.as_ref()).map(|dir| *dir == daemon_paths.state),
        last_error: last_error.as_deref(),
    };
    let verdict = judge(&facts, app);
    let legacy = service::old::find(service.manager, &names, service.scope, app.paths.profile.as_ref());
    let legacy_services = legacy.iter().map(service::old::Old::extra).collect();
    let report = Report {
        config,
        gateway: GatewayReport {
            probe_url: target.url.clone(),
            elsewhere: cli
                .text("gateway.remote.url")
                .filter(|_| cli.is_remote() && !remote)
                .map(str::to_owned),
            ..gateway_report(&place, &daemon_settings, remote)
        },
        service: service_report(service),
        port,
        port_cli,
        last_error,
        rpc,
        legacy_services,
        extra_services: service::find_foreign(&names, args.deep),
        daemon: match asked {
            Asked::Answered(daemon) => Some(*daemon),
            _ => None,
        },
        verdict,
    };
    Ok((report, target))
}

/// Where the gateway is or would be.
struct Place {
    bind: String,
    host: String,
    port: u16,
    source: &'static str,
}

fn place(service: &Service, settings: &Settings, env: &Env, daemon: Option<&Daemon>) -> Place {
    let running = daemon.and_then(|daemon| daemon.listeners.first()).and_then(|url| port_of(url));
    let in_service = service.command.as_ref().and_then(service::Command::port);
    let (port, source) = match (running, in_service) {
        (Some(port), _) => (port, "running gateway"),
        (None, Some(port)) => (port, "service args"),
        (None, None) => (target::port(settings, env), "env/config"),
    };
    let bind = daemon.map(|daemon| daemon.bind_mode.clone()).filter(|bind| !bind.is_empty());
    let bind = bind.unwrap_or_else(|| settings.text("gateway.bind").unwrap_or("loopback").to_owned());
    let host = target::probe_host(&bind, settings.text("gateway.customBindHost"), target::local_tailnet());
    Place { bind, host, port, source }
}

/// The port in a gateway's address.
fn port_of(url: &str) -> Option<u16> {
    url.rsplit_once(':').and_then(|(_, port)| port.trim_end_matches('/').parse().ok())
}

/// What to probe: the address given, else this machine's gateway where it is.
fn probe_target(
    app: &App,
    args: &StatusArgs,
    settings: &Settings,
    env: &Env,
    place: &Place,
    daemon: Option<&Daemon>,
) -> Target {
    let local = || {
        let mut target = Target::local(settings, env, &app.paths, target::local_tailnet());
        let scheme = if settings.flag("gateway.tls.enabled") { "wss" } else { "ws" };
        target.url = format!("{scheme}://{}:{}", place.host, place.port);
        daemon.map_or(target.clone(), |daemon| target.at(&daemon.endpoints))
    };
    if args.client.url.is_none() {
        let mut target = local();
        if args.client.is_explicit() {
            let (token, password) = (args.client.token.clone(), args.client.password.clone());
            target.secrets = target::Secrets { token, password, explicit: true };
        }
        return target;
    }
    Target::resolve(&args.client, settings, env, &app.paths).unwrap_or_else(|_| local())
}

/// Connects and asks for `status`, as the original does.
async fn probe(app: &App, target: &Target, timeout: Duration) -> Rpc {
    let url = target.url.clone();
    let secret = target.secrets.word();
    let (identity, tokens) = match gateway::device(app) {
        Ok(device) => device,
        Err(failure) => {
            let (error, failure) = (Some(failure.to_string()), Some(RpcFailure::OwnKey));
            return Rpc { error, failure, url, secret, ..Rpc::default() };
        }
    };
    let options =
        Options { identity: &identity, tokens: &tokens, mode: Mode::Probe, timeout, clock: &app.clock };
    let began = Instant::now();
    let mut timing = Timing::default();
    let mut state_dir = None;
    let ask = async {
        let mut connection = Connection::open_timed(target, options, &mut timing).await?;
        state_dir.clone_from(&connection.hello().snapshot.state_dir);
        let answer = connection.call("status", json!({}), false).await;
        let took = began.elapsed();
        connection.close().await;
        answer.map(|_| took)
    };
    let answer = app.out.during("probing the control plane", ask).await;
    let took = answer.as_ref().ok().map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    let failure = answer.as_ref().err().map(|error| RpcFailure::of(error, &timing));
    let pairing = answer.as_ref().err().and_then(ws::Error::pairing_request);
    Rpc {
        ok: answer.is_ok(),
        error: answer.err().map(|error| error.to_string()),
        url,
        latency_ms: took,
        failure,
        secret,
        state_dir,
        pairing,
    }
}

/// Whether the program that the service's file names is there.
fn has_program(service: &Service) -> bool {
    let program = service.command.as_ref().and_then(|command| command.program_arguments.first());
    program.is_none_or(|program| Path::new(program).exists())
}

/// Why the gateway is not there: only when something should be running and the port is silent, because an old line
/// in a log says nothing about a gateway that was stopped on purpose.
async fn last_error(app: &App, service: &Service, port: &PortReport, settings: &Settings) -> Option<String> {
    let runtime = &service.runtime;
    let failed =
        runtime.status == RuntimeState::Stopped && runtime.last_exit_status.is_some_and(|status| status != 0);
    let expected = service.installed != Installed::No && (runtime.status == RuntimeState::Running || failed);
    if port.status == PortStatus::Busy || !expected {
        return None;
    }
    if failed && let Some(line) = last_words(service, &System).await {
        return Some(line);
    }
    let folder = app.paths.state.join("logs");
    let log = settings.log_file(&app.paths);
    let errors = folder.join("gateway.err.log");
    logfile::last_error(&[errors.as_path(), log.as_path()])
}

fn config_report(cli_paths: &Paths, cli: &Settings, daemon_paths: &Paths, daemon: &Settings) -> ConfigReport {
    ConfigReport {
        cli: view(&cli_paths.config, cli),
        daemon: view(&daemon_paths.config, daemon),
        mismatch: cli_paths.config != daemon_paths.config,
        on_trial: gateway_config::write::trial(daemon_paths).ok().flatten().is_some(),
    }
}

fn view(path: &Path, settings: &Settings) -> ConfigView {
    ConfigView {
        path: path.to_path_buf(),
        exists: settings.exists,
        valid: settings.valid,
        issues: settings.issues.clone(),
        control_ui: ControlUi {
            enabled: !settings.denied("gateway.controlUi.enabled"),
            base_path: settings.text("gateway.controlUi.basePath").map(str::to_owned),
        },
    }
}

fn gateway_report(place: &Place, settings: &Settings, remote: bool) -> GatewayReport {
    let note = match place.bind.as_str() {
        _ if remote => None,
        "loopback" => Some(LOOPBACK_NOTE),
        "lan" => Some(LAN_NOTE),
        _ => None,
    };
    GatewayReport {
        bind_mode: place.bind.clone(),
        bind_host: if place.bind == "lan" { "0.0.0.0".to_owned() } else { place.host.clone() },
        custom_bind_host: settings.text("gateway.customBindHost").map(str::to_owned),
        port: place.port,
        port_source: place.source,
        probe_url: String::new(),
        probe_note: note,
        elsewhere: None,
    }
}

fn service_report(service: Service) -> ServiceReport {
    let (label, loaded_text, not_loaded_text) = service.manager.words();
    let text = service.command.as_ref().and_then(|command| service::read_file(&command.source_path));
    let text = text.unwrap_or_default();
    let audit = service::audit(service.manager, service.command.as_ref(), &text, Path::exists);
    let state_text = service.installed_word();
    let command = service.command.map(|mut command| {
        command.environment.retain(|name, _| SHOWN.contains(&name.as_str()));
        command.program_arguments = ports::without_secrets(&command.program_arguments);
        command
    });
    ServiceReport {
        label,
        scope: service.scope,
        loaded: service.installed == Installed::Yes,
        loaded_text,
        not_loaded_text,
        state_text,
        command,
        runtime: service.runtime,
        config_audit: audit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_addresses() {
        assert_eq!(port_of("wss://[::1]:18789"), Some(18789));
        assert_eq!(port_of("nonsense"), None);
    }

    #[test]
    fn secrets_of_a_unit_are_not_reported() {
        let mut command = service::Command {
            program_arguments: vec!["gatewayd".into(), "--token".into(), "canary".into()],
            ..service::Command::default()
        };
        command.environment.insert("CLAWDBOT_GATEWAY_TOKEN".into(), "canary".into());
        command.environment.insert("CLAWDBOT_GATEWAY_PORT".into(), "18789".into());
        let report = service_report(Service {
            manager: service::Manager::Systemd,
            scope: service::Scope::User,
            installed: Installed::Yes,
            command: Some(command),
            runtime: service::Runtime::default(),
        });
        let json = serde_json::to_string(&report).expect("is JSON");
        assert!(!json.contains("canary") && json.contains("CLAWDBOT_GATEWAY_PORT"), "{json}");
    }
}
