//! Why a gateway did not come up, in words for somebody who wants to sleep, with the last lines of its log.

use std::path::Path;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::limits::EXIT_REFUSED;
use gateway_base::paths::Paths;
use tokio::time::{Instant, sleep};

use super::health::Health;
use super::site::Site;
use crate::exit::Failure;
use crate::logfile::{self, Record};
use crate::service::cause::{self, FILE_MISSING, PATH_MISSING};
use crate::service::{Call, Control, Manager, Runner, Scope, Service, cut, launchd};
use crate::settings::Settings;

/// How many lines of the log are shown.
const LINES: usize = 10;
/// How much of each.
const MAX_LINE: usize = 1_000;
/// How long the journal may take to have them.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is asked.
const AGAIN: Duration = Duration::from_millis(100);

/// The gateway ended instead of serving.
pub async fn ended<R: Runner, H: Health>(site: &Site<'_, R, H>, service: &Service) -> Failure {
    let runtime = &service.runtime;
    let again = runtime.sub_state.as_deref() == Some("auto-restart")
        || (!matches!(site.control, Control::Systemd(_)) && runtime.last_exit_status != Some(0));
    let again = if again { " The service manager keeps trying." } else { "" };
    let why = missing_program(service).unwrap_or_else(|| format!("{}.{again}", cause::of(runtime)));
    tell(site, service, &why).await
}

/// A unit whose program is not there is passed over without an error.
fn missing_program(service: &Service) -> Option<String> {
    let program = service.command.as_ref()?.program_arguments.first()?;
    let is_missing = service.manager == Manager::Systemd && !Path::new(program).exists();
    is_missing.then(|| format!("the program of the service, {program}, is not there."))
}

/// The gateway takes too long.
pub async fn late<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    service: &Service,
    limit: Duration,
) -> Failure {
    let state = service.runtime.detail.as_deref().or(service.runtime.state.as_deref()).unwrap_or("unknown");
    let why = format!("the gateway does not serve after {} s (service: {state}).", limit.as_secs());
    tell(site, service, &why).await
}

async fn tell<R: Runner, H: Health>(site: &Site<'_, R, H>, service: &Service, why: &str) -> Failure {
    let mut text = why.to_owned();
    let lines = last_lines(site, service).await;
    let hint = match missing_program(service) {
        Some(_) => format!("Install gatewayd again, or: {}", site.app.suggest("install --force")),
        None => next(site, service, &lines),
    };
    if !lines.is_empty() {
        text.push_str("\nLast lines of its log:");
        for line in lines {
            text.push_str("\n  ");
            text.push_str(&line);
        }
    }
    site.failed(&text).hint(hint)
}

fn next<R: Runner, H: Health>(site: &Site<'_, R, H>, service: &Service, lines: &[String]) -> String {
    let suggest = |command: &str| site.app.suggest(command);
    // The configuration of a service of the machine may be that of another user than who asks.
    let is_own = site.paths(service).config == site.app.paths.config;
    let of_service = |command: &str| match &service.command {
        Some(about) if !is_own => about.as_its_user(&suggest(command)),
        _ => suggest(command),
    };
    if lines.iter().any(|line| line.contains("set gateway.mode=local")) {
        let flag = site.scope_flag();
        let (set, start) = (of_service("config set gateway.mode local"), suggest(&format!("start{flag}")));
        return format!("Run: {set} && {start}");
    }
    let command = match service.runtime.last_exit_status {
        Some(code) if code == i32::from(EXIT_REFUSED) => of_service("config validate"),
        Some(203 | FILE_MISSING | PATH_MISSING) => suggest("install --force"),
        _ => suggest("status"),
    };
    format!("Check: {command}")
}

/// From where the manager keeps what was printed before there was a log; else from the log file.
async fn last_lines<R: Runner, H: Health>(site: &Site<'_, R, H>, service: &Service) -> Vec<String> {
    if let Some(pid) = service.runtime.last_pid.filter(|_| matches!(site.control, Control::Systemd(_))) {
        let (process, count) = (format!("_PID={pid}"), LINES.to_string());
        let whose = ["--user"].into_iter().filter(|_| site.scope() == Scope::User);
        let what = ["--boot", &process, "--lines", &count, "--output", "cat", "--no-pager", "--quiet"];
        let call = Call::new("journalctl", whose.chain(what)).within(PATIENCE);
        let end = Instant::now() + PATIENCE;
        // The journal takes a moment to write down what a process said as its last words.
        while let Ok(ran) = site.runner.run(&call).await
            && ran.success
        {
            let lines = ran.stdout.lines().filter(|line| !line.trim().is_empty());
            let lines: Vec<String> = lines.map(|line| cut(line, MAX_LINE).into_owned()).collect();
            if !lines.is_empty() {
                return lines[lines.len().saturating_sub(LINES)..].to_vec();
            }
            if Instant::now() >= end {
                break;
            }
            sleep(AGAIN).await;
        }
    }
    log_lines(&site.paths(service), &site.app.env)
}

/// The last lines of the log that the configuration names, or of what was printed beside it.
pub fn log_lines(paths: &Paths, env: &Env) -> Vec<String> {
    let log = Settings::load(paths, env).log_file(paths);
    let errors = launchd::error_log(&log);
    // The one that was written last tells about the last start.
    let written = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let newest = if written(&errors) > written(&log) { &errors } else { &log };
    let tail = logfile::tail(newest, 64 * 1024).unwrap_or_default();
    let lines = &tail.lines[tail.lines.len().saturating_sub(LINES)..];
    lines
        .iter()
        .map(|line| Record::parse(line).map_or_else(|| line.clone(), |record| record.message))
        .map(|line| cut(&line, MAX_LINE).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_the_one_that_the_configuration_names() {
        let home = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([("HOME", home.path().to_string_lossy().into_owned())]);
        let paths = Paths::resolve(&env, None).expect("paths");
        assert!(log_lines(&paths, &env).is_empty());
        std::fs::create_dir_all(&paths.state).expect("folder");
        std::fs::write(&paths.config, "{logging: {file: '~/other.log'}}").expect("file");
        std::fs::write(home.path().join("other.log"), "why it ended\n").expect("file");
        assert_eq!(log_lines(&paths, &env), ["why it ended"]);
    }
}
