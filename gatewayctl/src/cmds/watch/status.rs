//! `watch status`: whether somebody looks, what the last look found, and who could not be told.

use std::path::Path;

use gateway_base::clock::iso_utc;
use serde::Serialize;

use super::place::Place;
use super::report::{Failed, Open, failed};
use super::settings::Settings;
use crate::app::App;
use crate::exit::{Exit, Failure};
use crate::http;
use crate::phrase::age;
use crate::service::timer::{self, Timer};
use crate::service::{Control, Names, Scope, Service, System};
use crate::text::{Style, Text};

/// The state of the watch.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    ok: bool,
    installed: bool,
    running: bool,
    /// Its looks do not come, or they fail.
    overdue: bool,
    scope: Scope,
    timer: String,
    file: String,
    settings: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tells: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    looked: Option<Looked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Open>,
    failed: Vec<Failed>,
    given_up: u64,
}

/// The last look.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Looked {
    at: String,
    age_ms: i64,
    state: String,
    summary: String,
}

/// Shows it.
pub async fn status(app: &App) -> Result<Exit, Failure> {
    let names = Names::new(&app.env, &app.paths);
    let timer = Timer::new(&Control::native(timer::scope(&names), &app.env), &names);
    let service = timer.query(&System).await;
    let status = gather(app, &timer, &service);
    if app.out.is_json() {
        app.out.json(&status)?;
    } else {
        app.out.print(&render(app, &status))?;
    }
    Ok(match (status.installed, status.ok) {
        (false, _) => Exit::NotRunning,
        (true, true) => Exit::Ok,
        (true, false) => Exit::Failed,
    })
}

fn gather(app: &App, timer: &Timer, service: &Service) -> Status {
    let command = timer.service_file().as_deref().and_then(timer::runs);
    let paths = command.map(|command| command.place(&app.env, &app.paths).1);
    let place = Place::new(paths.as_ref().unwrap_or(&app.paths));
    let file = timer.machine_settings().unwrap_or_else(|| place.settings());
    let settings = Settings::load(&file, "").ok();
    let record = place.peek().unwrap_or_default();
    let (installed, running) = (timer.is_there(service), Timer::is_set(service));
    let failed = failed(&record);
    let now = app.clock.now();
    // Before its first look the watch counts from when it was installed.
    let since = record.looked_at.max(modified(&file).unwrap_or_default());
    let overdue =
        running && settings.as_ref().is_some_and(|settings| now.saturating_sub(since) > patience(settings));
    let looked = record.found.clone().map(|(state, summary)| Looked {
        at: iso_utc(record.looked_at),
        age_ms: now.saturating_sub(record.looked_at).max(0),
        state,
        summary,
    });
    Status {
        ok: installed && running && !overdue && failed.is_empty(),
        installed,
        running,
        overdue,
        scope: service.scope,
        timer: timer.name(),
        file: timer.file().display().to_string(),
        settings: file.display().to_string(),
        tells: settings.as_ref().map(tells),
        looked,
        incident: record.incident.as_ref().map(Open::from),
        failed,
        given_up: record.given_up,
    }
}

/// How old the last look may be: two pauses, the silence that a look waits for, and some minutes for deliveries.
fn patience(settings: &Settings) -> i64 {
    let ms = settings.every_ms.unwrap_or_default().saturating_mul(2).saturating_add(settings.after_ms);
    i64::try_from(ms.saturating_add(300_000)).unwrap_or(i64::MAX)
}

fn modified(file: &Path) -> Option<i64> {
    let at = std::fs::metadata(file).and_then(|meta| meta.modified()).ok()?;
    i64::try_from(at.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis()).ok()
}

/// Who is told, without anything that may be secret.
fn tells(settings: &Settings) -> Vec<String> {
    let exec = settings.exec.first().map(|program| format!("exec {program}"));
    let host = settings.webhook.as_ref().and_then(|url| http::host_of(url.expose()).ok());
    let webhook = host.map(|host| format!("webhook at {host}"));
    exec.into_iter().chain(webhook).chain(settings.notify.then(|| "the desktop".to_owned())).collect()
}

fn render(app: &App, status: &Status) -> Text {
    let mut text = Text::default();
    let Status { timer, file, .. } = status;
    match (status.installed, status.running) {
        (true, true) if status.overdue => {
            text.styled(Style::Bad, format!("✗ the watch should look and does not ({timer}, {file})"));
            let try_it = format!("watch --settings '{}'", status.settings);
            text.say(format!("  See why: {}", app.suggest(&try_it)));
        }
        (true, true) => text.styled(Style::Good, format!("✓ the watch looks ({timer}, {file})")),
        (true, false) => {
            text.styled(Style::Bad, format!("✗ the watch is installed and does not look ({timer}, {file})"));
            text.say(format!("  Install it again: {}", app.suggest("watch install")));
        }
        (false, _) => {
            text.styled(Style::Warn, "! nobody watches this gateway");
            text.say(format!("  Install it: {}", app.suggest("watch install --notify")));
        }
    }
    if let Some(tells) = &status.tells {
        text.say(format!("  tells: {}", tells.join(", ")));
    }
    if let Some(Looked { at, age_ms, state, summary }) = &status.looked {
        text.say(format!("  last look: {state}, {summary} ({} ago, {at})", age(*age_ms)));
    }
    if let Some(open) = &status.incident {
        text.styled(Style::Bad, format!("  open incident: {}", open.line()));
    }
    for failed in &status.failed {
        text.styled(Style::Warn, failed.line());
    }
    if status.given_up > 0 {
        text.styled(Style::Warn, format!("  given up: {} notices", status.given_up));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    #[test]
    fn no_secret_is_shown() {
        let text = r#"{"exec": ["/bin/page", "canary"], "webhook": "https://hooks.example.com:444/canary?k=canary",
            "headers": [{"name": "X", "value": "canary"}], "notify": true, "onRecovery": true, "degraded": false,
            "afterMs": 1, "restarts": 3, "withinMs": 1, "settle": 1}"#;
        let settings: Settings = serde_json::from_str(text).expect("settings");
        assert_eq!(tells(&settings), ["exec /bin/page", "webhook at hooks.example.com:444", "the desktop"]);
        let looked =
            Looked { at: "t".to_owned(), age_ms: 1, state: "well".to_owned(), summary: "x".to_owned() };
        let status = Status {
            ok: false,
            installed: true,
            running: false,
            overdue: false,
            scope: Scope::User,
            timer: "clawdbot-gateway.watch.timer".to_owned(),
            file: "/x".to_owned(),
            settings: "/y".to_owned(),
            tells: Some(tells(&settings)),
            looked: Some(looked),
            incident: None,
            failed: Vec::new(),
            given_up: 2,
        };
        assert_schema("watch-status", &status);
    }
}
