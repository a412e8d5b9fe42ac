//! The text of `status`: the tutorial's two boxes, then the original's details, then the verdict.

use super::config::ConfigView;
use super::daemon::Daemon;
use super::report::Report;
use super::rpc::Rpc;
use crate::app::App;
use crate::phrase::age;
use crate::ports::PortStatus;
use crate::service::launchd::error_log;
use crate::service::{Command, Manager, Runtime, RuntimeState, Scope, is_unavailable};
use crate::target::Target;
use crate::text::{Line, Style, Text};

/// The report for people.
pub fn render(report: &Report, target: &Target, app: &App) -> Text {
    let mut text = Text::default();
    let columns = app.out.columns();
    service_box(&mut text, report, columns);
    if let Some(rpc) = &report.rpc {
        text.gap();
        rpc_box(&mut text, rpc, columns);
        if !rpc.ok {
            failed_probe(&mut text, rpc, target);
        }
    }
    text.gap();
    service_details(&mut text, report, app);
    text.gap();
    place_details(&mut text, report, app);
    text.gap();
    runtime_details(&mut text, report, app);
    text.gap();
    verdict(&mut text, report);
    listening(&mut text, report);
    text
}

fn service_box(text: &mut Text, report: &Report, columns: Option<u16>) {
    let service = &report.service;
    text.styled(Style::Strong, "Gateway service status");
    let rows = vec![
        format!("Service: {} ({})", service.label, service.state_text).into(),
        format!("Runtime: {}", runtime_words(report)).into(),
        format!("Port: {}", report.gateway.port).into(),
        format!("Last gateway error: {}", report.last_error.as_deref().unwrap_or("none")).into(),
    ];
    text.boxed(rows, columns);
}

/// The runtime in the tutorial's words. A gateway that runs in the foreground runs, whatever the service manager
/// knows of it.
fn runtime_words(report: &Report) -> String {
    let runtime = &report.service.runtime;
    let pid = runtime.pid.or_else(|| report.daemon.as_ref().map(|daemon| daemon.pid));
    match (runtime.status, &report.daemon) {
        (RuntimeState::Running, _) | (_, Some(_)) => {
            pid.map_or_else(|| "running".to_owned(), |pid| format!("running (PID {pid})"))
        }
        (RuntimeState::Stopped, None) => match runtime.last_exit_status {
            Some(status) => format!("stopped (last exit {status})"),
            None => "stopped".to_owned(),
        },
        (RuntimeState::Unknown, None) => {
            let detail = runtime.detail.as_deref().map(|detail| format!(" ({detail})"));
            format!("unknown{}", detail.unwrap_or_default())
        }
    }
}

fn rpc_box(text: &mut Text, rpc: &Rpc, columns: Option<u16>) {
    text.styled(Style::Strong, "RPC probe");
    let mut rows = vec![Line::from(format!("Target: {}", rpc.url))];
    if rpc.ok {
        rows.push(Line::from("Status: ").with(Style::Good, "✓").with(Style::Plain, " connected"));
        rows.extend(rpc.latency_ms.map(|ms| Line::from(format!("Latency: {ms}ms"))));
    } else {
        rows.push(Line::from("Status: ").with(Style::Bad, "✗").with(Style::Plain, " failed"));
        rows.extend(rpc.error.as_deref().into_iter().flat_map(str::lines).map(Line::from));
    }
    text.boxed(rows, columns);
}

fn failed_probe(text: &mut Text, rpc: &Rpc, target: &Target) {
    text.styled(Style::Bad, "RPC probe: failed");
    text.push(format!("RPC target: {}", rpc.url).into());
    for line in rpc.error.as_deref().into_iter().flat_map(str::lines) {
        text.push(format!("  {line}").into());
    }
    for line in target.details().plain().lines() {
        text.push(format!("  {line}").into());
    }
}

fn service_details(text: &mut Text, report: &Report, app: &App) {
    let log = report.daemon.as_ref().map(|daemon| daemon.log_file.as_str()).filter(|log| !log.is_empty());
    let log = log.map_or_else(|| app.paths.log_file(), Into::into);
    text.push(format!("File logs: {}", app.paths.tilde(&log)).into());
    if let Some(command) = &report.service.command {
        text.push(format!("Command: {}", command.program_arguments.join(" ")).into());
        text.push(format!("Service file: {}", app.paths.tilde(&command.source_path)).into());
        if let Some(folder) = &command.working_directory {
            text.push(format!("Working dir: {folder}").into());
        }
        let env: Vec<String> =
            command.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !env.is_empty() {
            text.push(format!("Service env: {}", env.join(" ")).into());
        }
    }
    text.gap();
    for (who, view) in [("cli", &report.config.cli), ("service", &report.config.daemon)] {
        text.push(format!("Config ({who}): {}{}", app.paths.tilde(&view.path), flaws(view)).into());
    }
    if let Some(daemon) = report.daemon.as_ref().filter(|daemon| !daemon.config_degraded.is_empty()) {
        text.styled(Style::Warn, format!("Config in force: the last good copy ({})", daemon.config_degraded));
    }
}

fn flaws(view: &ConfigView) -> String {
    let missing = if view.exists { "" } else { " (missing)" };
    let invalid = if view.valid { "" } else { " (invalid)" };
    format!("{missing}{invalid}")
}

fn place_details(text: &mut Text, report: &Report, app: &App) {
    let gateway = &report.gateway;
    text.push(
        format!(
            "Gateway: bind={} ({}), port={} ({})",
            gateway.bind_mode, gateway.bind_host, gateway.port, gateway.port_source
        )
        .into(),
    );
    text.push(format!("Probe target: {}", gateway.probe_url).into());
    text.push(format!("Dashboard: {}", dashboard(report)).into());
    if let Some(note) = gateway.probe_note {
        text.say(format!("Probe note: {note}"));
    }
    if let Some(url) = &gateway.elsewhere {
        let ask = app.suggest(&format!("status --url {url}"));
        let note = "gateway.mode is remote, and this is about this machine. The other gateway";
        text.push(Line::default().with(Style::Warn, format!("Note: {note}: {ask}")));
    }
    if let Some(other) = &report.port_cli {
        text.say(format!("Note: CLI config resolves gateway port={} ({}).", other.port, other.status.word()));
    }
    if let Some(daemon) = &report.daemon {
        let Daemon { version, commit, build_date, .. } = daemon;
        text.push(format!("Version: {version} (commit {commit}, built {build_date})").into());
        let up = age(i64::try_from(daemon.uptime_ms).unwrap_or(i64::MAX));
        text.push(
            format!(
                "Up: {up} · {} connections · auth {} · model {}",
                daemon.connections, daemon.auth_mode, daemon.agent_model
            )
            .into(),
        );
        if let Some(reload) = &daemon.last_reload {
            let style = if reload.ok { Style::Plain } else { Style::Warn };
            let at = reload.at.as_deref().unwrap_or("?");
            text.push(Line::default().with(style, format!("Last reload: {at} {}", reload.summary)));
        }
        for part in daemon.parts.iter().filter(|part| !matches!(part.state, "serving" | "disabled")) {
            text.push(part.line());
        }
    } else if report.rpc.is_none() {
        text.say(format!("The control plane was not asked; {} asks it.", app.suggest("status")));
    }
}

fn dashboard(report: &Report) -> String {
    let ui = &report.config.daemon.control_ui;
    if !ui.enabled {
        return "disabled".to_owned();
    }
    let base = ui.base_path.as_deref().unwrap_or_default().trim_matches('/');
    let base = if base.is_empty() { "/".to_owned() } else { format!("/{base}/") };
    let url = &report.gateway.probe_url;
    let http = url.strip_prefix("ws").map_or_else(|| url.clone(), |rest| format!("http{rest}"));
    format!("{}{base}", http.trim_end_matches('/'))
}

fn runtime_details(text: &mut Text, report: &Report, app: &App) {
    let runtime = &report.service.runtime;
    let is_beside = report.daemon.is_some() && runtime.status != RuntimeState::Running;
    // The box tells that a gateway runs; this line is about the service alone then.
    let whose = if is_beside { "Service runtime" } else { "Runtime" };
    text.push(format!("{whose}: {}", full_runtime(runtime)).into());
    let installed = report.service.command.is_some();
    if is_unavailable(runtime) && is_beside {
        text.say("systemd user services are unavailable.");
    } else if is_unavailable(runtime) {
        text.say("systemd user services are unavailable; install/enable systemd or run the gateway under your supervisor.");
        text.say(format!(
            "If you're in a container, run the gateway in the foreground: {}",
            app.suggest_start()
        ));
    } else if runtime.status != RuntimeState::Running && !installed {
        text.say("Service not installed.");
    } else if runtime.missing_unit {
        text.say(format!("Service is installed but not loaded. Start it: {}", app.suggest("start")));
    } else if runtime.status == RuntimeState::Stopped {
        // One that was stopped on purpose ended well.
        let guess = if runtime.last_exit_status.unwrap_or_default() == 0 {
            ""
        } else {
            " (likely exited immediately)"
        };
        text.say(format!("Service is loaded but not running{guess}."));
    }
    let silent = runtime.status == RuntimeState::Running && report.port.status == PortStatus::Free;
    if silent {
        text.say(format!("Gateway port {} is not listening (service appears running).", report.port.port));
        if let Some(error) = &report.last_error {
            text.push(format!("Last gateway error: {error}").into());
        }
    }
    if (silent || runtime.status == RuntimeState::Stopped)
        && let Some(command) = &report.service.command
    {
        text.push(format!("Logs: {}", logs(report, command, app)).into());
    }
    if report.rpc.as_ref().is_some_and(|rpc| rpc.ok) {
        text.say("RPC probe: ok");
    }
    let proved = report.rpc.as_ref().is_some_and(|rpc| rpc.ok) || report.daemon.is_some();
    if report.port.status == PortStatus::Busy && !proved {
        text.gap();
        text.append(report.port.render());
    }
}

/// Where is what the gateway said before it had a log.
fn logs(report: &Report, command: &Command, app: &App) -> String {
    let is = |manager: Manager| report.service.label == manager.words().0;
    if is(Manager::Launchd) {
        return app.paths.tilde(&error_log(&app.paths.log_file()));
    }
    if is(Manager::Schtasks) {
        return app.paths.tilde(&app.paths.log_file());
    }
    let whose = if report.service.scope == Scope::User { "--user " } else { "" };
    let unit = command.source_path.file_name().unwrap_or_default().to_string_lossy();
    format!("journalctl {whose}-u {unit} -n 200 --no-pager")
}

/// `running (pid 12345, sub running, last exit 0, reason 0)`.
fn full_runtime(runtime: &Runtime) -> String {
    let word = runtime.status.word();
    let mut known = Vec::new();
    known.extend(runtime.pid.map(|pid| format!("pid {pid}")));
    known.extend(
        runtime.state.as_deref().filter(|state| *state != word).map(|state| format!("state {state}")),
    );
    known.extend(runtime.sub_state.as_deref().map(|sub| format!("sub {sub}")));
    known.extend(runtime.last_exit_status.map(|status| format!("last exit {status}")));
    known.extend(runtime.last_exit_reason.as_deref().map(|reason| format!("reason {reason}")));
    known.extend(runtime.detail.clone());
    if known.is_empty() { word.to_owned() } else { format!("{word} ({})", known.join(", ")) }
}

fn verdict(text: &mut Text, report: &Report) {
    let verdict = &report.verdict;
    text.styled(Style::Strong, format!("Verdict: {} - {}", verdict.state.word(), verdict.summary));
    for (name, value) in verdict.lines() {
        text.push(format!("  {:<15} {value}", format!("{name}:")).into());
    }
    if let Some(fix) = &verdict.fix {
        text.push(format!("Fix: {fix}").into());
    }
}

fn listening(text: &mut Text, report: &Report) {
    let addresses: Vec<&str> =
        report.port.listeners.iter().map(|listener| listener.address.as_str()).collect();
    if !addresses.is_empty() {
        text.gap();
        text.push(format!("Listening: {}", addresses.join(", ")).into());
    }
}

/// What is wrong around the gateway; it goes to standard error.
pub fn notes(report: &Report, app: &App) -> Text {
    let mut text = Text::default();
    for (name, view) in [("Config", &report.config.cli), ("Service config", &report.config.daemon)] {
        if name == "Config" || report.config.mismatch {
            for issue in view.issues.iter().take(5) {
                text.styled(Style::Warn, format!("{name} issue: {issue}"));
            }
        }
    }
    if report.config.mismatch {
        text.say("Root cause: CLI and service are using different config paths (likely a profile/state-dir mismatch).");
        let command = report.service.command.as_ref().filter(|command| command.user.is_some());
        text.say(match command {
            Some(command) => format!("Fix: ask as its user: {}", command.as_its_user(&app.suggest("status"))),
            None => format!(
                "Fix: call {} with the same --profile / CLAWDBOT_STATE_DIR as the service.",
                app.words.control
            ),
        });
    }
    let audit = &report.service.config_audit;
    if !audit.ok {
        text.say("Service config looks out of date or non-standard.");
        for finding in &audit.issues {
            let detail = finding.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            text.push(format!("Service config issue: {}{detail}", finding.message).into());
        }
    }
    if !report.legacy_services.is_empty() {
        text.say("Legacy gateway services detected:");
        for old in &report.legacy_services {
            text.push(format!("- {} ({}, {})", old.label, old.scope.word(), old.detail).into());
        }
        text.say(format!("Cleanup: {}", app.suggest("install --force --replace-old")));
    }
    if !report.extra_services.is_empty() {
        text.say("Other gateway-like services detected (best effort):");
        for extra in &report.extra_services {
            text.push(format!("- {} ({}, {})", extra.label, extra.scope.word(), extra.detail).into());
        }
        text.say("One gateway per machine is the rule; give each further one its own port, config and state folder.");
    }
    text
}

#[cfg(test)]
mod tests;
