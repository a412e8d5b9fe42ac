//! What is said about an incident: one document, the same for a program, a web service and the desktop.

use gateway_base::clock::iso_utc;
use gateway_base::env::Env;
use gateway_base::redact::Redactor;
use serde::Serialize;

use super::record::{Event, Kind, Notice};
use crate::app::App;
use crate::text::clean;

/// How much of a log line is repeated.
const MAX_ERROR: usize = 500;

/// A notice in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// `alarm` or `recovery`.
    pub event: Event,
    /// The incident; the same in its alarm and its recovery.
    pub incident: String,
    /// What was or is wrong.
    pub kind: Kind,
    /// In a line.
    pub title: String,
    /// In a sentence.
    pub summary: String,
    /// Since when.
    pub since: String,
    /// When this was written.
    pub at: String,
    /// The last error in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The command to type next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The machine.
    pub host: String,
    /// The profile of the gateway.
    pub profile: String,
    /// How often the gateway was started again shortly before.
    pub restarts: u64,
    /// Everything for people.
    pub text: String,
    /// The same under the name that some chat services want.
    pub content: String,
}

impl Message {
    /// The words for a notice.
    #[must_use]
    pub fn new(app: &App, host: &str, notice: &Notice) -> Self {
        let incident = &notice.incident;
        let profile = app.paths.profile.as_ref().map_or("default", |profile| profile.name()).to_owned();
        let over = notice.event == Event::Recovery;
        let whose = if profile == "default" { String::new() } else { format!(" (profile {profile})") };
        let title = if over {
            format!("Gateway on {host}{whose} is back")
        } else {
            format!("Gateway on {host}{whose} is {}", incident.kind.word())
        };
        let last_error = incident.last_error.as_deref().filter(|_| !over).map(shown);
        let next = (!over).then(|| app.suggest(next(incident.kind)));
        let (since, at) = (iso_utc(incident.since), iso_utc(notice.at));
        let summary = shown(&incident.summary);
        let mut text = if over {
            format!("{title}.\nIt was {} since {since}, and answers again since {at}.", incident.kind.word())
        } else {
            format!("{title}: {summary}.\nSince: {since}")
        };
        if let Some(error) = &last_error {
            text.push_str(&format!("\nLast error: {error}"));
        }
        if let Some(next) = &next {
            text.push_str(&format!("\nNext: {next}"));
        }
        Self {
            event: notice.event,
            incident: incident.id.clone(),
            kind: incident.kind,
            title,
            summary,
            since,
            at,
            last_error,
            next,
            host: host.to_owned(),
            profile,
            restarts: incident.restarts,
            content: text.clone(),
            text,
        }
    }

    /// The same as variables of a program.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, &str); 10] {
        let event = if self.event == Event::Alarm { "alarm" } else { "recovery" };
        [
            ("GATEWAY_WATCH_EVENT", event),
            ("GATEWAY_WATCH_INCIDENT", &self.incident),
            ("GATEWAY_WATCH_KIND", self.kind.word()),
            ("GATEWAY_WATCH_SUMMARY", &self.summary),
            ("GATEWAY_WATCH_SINCE", &self.since),
            ("GATEWAY_WATCH_LAST_ERROR", self.last_error.as_deref().unwrap_or_default()),
            ("GATEWAY_WATCH_NEXT", self.next.as_deref().unwrap_or_default()),
            ("GATEWAY_WATCH_HOST", &self.host),
            ("GATEWAY_WATCH_PROFILE", &self.profile),
            ("GATEWAY_WATCH_TEXT", &self.text),
        ]
    }
}

/// The name of this machine.
#[must_use]
pub fn host(env: &Env) -> String {
    #[cfg(unix)]
    let own = Some(rustix::system::uname().nodename().to_string_lossy().into_owned());
    #[cfg(not(unix))]
    let own: Option<String> = None;
    let named = || ["COMPUTERNAME", "HOSTNAME"].iter().find_map(|name| env.get(name)).map(str::to_owned);
    let own = own.filter(|name| !name.is_empty()).or_else(named);
    own.map_or_else(|| "this machine".to_owned(), |name| clean(&name).into_owned())
}

const fn next(kind: Kind) -> &'static str {
    match kind {
        Kind::Dead | Kind::Looping => "doctor",
        Kind::Wedged => "restart",
        Kind::Degraded => "health",
    }
}

/// One line without secrets and control characters, cut when it is long.
fn shown(text: &str) -> String {
    let text = Redactor::shared().apply(text);
    let cut: String = text.chars().take(MAX_ERROR).collect();
    clean(&cut).into_owned()
}
