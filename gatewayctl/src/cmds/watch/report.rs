//! What a look found and who was told of it, as text and as one document.

use gateway_base::clock::{UnixMs, iso_utc};
use serde::Serialize;

use super::record::{Channel, Event, Incident, Kind, Record, Verdict};
use crate::exit::Exit;
use crate::text::{Line, Style, Text};

/// One look, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether all is well.
    pub ok: bool,
    /// `well`, `off`, `unclear`, or what is wrong.
    pub state: String,
    /// In a sentence.
    pub summary: String,
    /// When the look was.
    pub at: String,
    /// How often the gateway was started again lately.
    pub restarts: u64,
    /// The incident that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<Open>,
    /// Who was told something.
    pub told: Vec<Told>,
    /// Who could not be told, and is tried again.
    pub failed: Vec<Failed>,
    /// How many notices were given up, ever.
    pub given_up: u64,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    #[serde(skip)]
    verdict: Option<Kind>,
}

/// An incident that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    id: String,
    kind: Kind,
    summary: String,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl From<&Incident> for Open {
    fn from(incident: &Incident) -> Self {
        Self {
            id: incident.id.clone(),
            kind: incident.kind,
            summary: incident.summary.clone(),
            since: iso_utc(incident.since),
            last_error: incident.last_error.clone(),
        }
    }
}

impl Open {
    /// In a line.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}, {} (since {})", self.kind.word(), self.summary, self.since)
    }
}

/// Somebody was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Who.
    pub channel: Channel,
    /// What.
    pub event: Event,
    /// About which incident.
    pub incident: String,
}

/// Somebody could not be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Who.
    pub channel: Channel,
    /// What.
    pub event: Event,
    /// Why not.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
}

impl Failed {
    /// In a line.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { channel, event, error, attempts } = self;
        let (who, what) = (channel.word(), event_word(*event));
        format!("  could not tell {who} of the {what} (attempt {attempts}): {error}")
    }
}

impl Report {
    /// The report on a look that the record has taken in.
    #[must_use]
    pub fn new(verdict: &Verdict, record: &Record, told: Vec<Told>, notes: Vec<String>, now: UnixMs) -> Self {
        let (state, summary) = record.found.clone().unwrap_or_default();
        let kind = match verdict {
            Verdict::Trouble(kind, _) => Some(*kind),
            _ => None,
        };
        Self {
            ok: matches!(verdict, Verdict::Well | Verdict::Off(_)),
            state,
            summary,
            at: iso_utc(now),
            restarts: record.recent_restarts(),
            incident: record.incident.as_ref().map(Open::from),
            told,
            failed: failed(record),
            given_up: record.given_up,
            notes,
            verdict: kind,
        }
    }

    /// How the command ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.verdict {
            Some(Kind::Dead | Kind::Looping) => Exit::NotRunning,
            Some(Kind::Wedged | Kind::Degraded) => Exit::Failed,
            None if !self.failed.is_empty() => Exit::Failed,
            None => Exit::Ok,
        }
    }

    /// Whether it says something that `before` did not.
    #[must_use]
    pub fn is_news(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| before.state != self.state || before.failed.len() != self.failed.len())
            || !self.told.is_empty()
            || !self.notes.is_empty()
    }

    /// For people.
    #[must_use]
    pub fn render(&self) -> Text {
        let mut text = Text::default();
        let (style, mark) = match self.state.as_str() {
            "well" => (Style::Good, "✓ "),
            "off" => (Style::Faint, "- "),
            "unclear" => (Style::Warn, "? "),
            _ => (Style::Bad, "✗ "),
        };
        let word = if self.verdict.is_some() { format!("{}: ", self.state) } else { String::new() };
        text.push(Line::default().with(style, mark).with(Style::Plain, format!("{word}{}", self.summary)));
        if let Some(open) = &self.incident {
            let more = if self.verdict.is_some() { "" } else { "; it is over after some more good looks" };
            text.say(format!("  incident {} since {}{more}", open.id, open.since));
            if let Some(error) = &open.last_error {
                text.say(format!("  last error: {error}"));
            }
        }
        for told in &self.told {
            text.say(format!("  told {}: {}", told.channel.word(), event_word(told.event)));
        }
        for failed in &self.failed {
            text.styled(Style::Warn, failed.line());
        }
        text
    }
}

/// Who could not be told so far.
pub fn failed(record: &Record) -> Vec<Failed> {
    let one = |(notice, owed): (&super::record::Notice, &super::record::Owed)| Failed {
        channel: owed.channel,
        event: notice.event,
        error: owed.error.clone().unwrap_or_default(),
        attempts: owed.attempts,
    };
    record.failing().map(one).collect()
}

const fn event_word(event: Event) -> &'static str {
    match event {
        Event::Alarm => "alarm",
        Event::Recovery => "recovery",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cmds::testing::assert_schema;
    use crate::cmds::watch::record::{Look, Policy};

    #[test]
    fn every_verdict_has_its_code_and_its_schema() {
        let policy = Policy {
            restarts: 3,
            window: Duration::from_secs(600),
            settle: 3,
            on_recovery: true,
            channels: vec![Channel::Webhook],
        };
        let text = || "why\u{1b}[2J".to_owned();
        for (verdict, exit, mark) in [
            (Verdict::Well, Exit::Ok, "✓ the gateway answers"),
            (Verdict::Off(text()), Exit::Ok, "- why"),
            (Verdict::Unclear(text()), Exit::Ok, "? why"),
            (Verdict::Trouble(Kind::Dead, text()), Exit::NotRunning, "✗ dead: why"),
            (Verdict::Trouble(Kind::Looping, text()), Exit::NotRunning, "✗ looping: why"),
            (Verdict::Trouble(Kind::Wedged, text()), Exit::Failed, "✗ wedged: why"),
            (Verdict::Trouble(Kind::Degraded, text()), Exit::Failed, "✗ degraded: why"),
        ] {
            let mut record = Record::default();
            let look = Look { verdict, restarts: None, pid: None, last_error: Some(text()) };
            let verdict = record.take(&look, &policy, 1_769_500_000_000);
            let due = record.due();
            for (channel, notice) in &due {
                record.tried(*channel, notice, Err("it is refused".to_owned()));
            }
            let told = due.iter().map(|(channel, notice)| Told {
                channel: *channel,
                event: notice.event,
                incident: notice.incident.id.clone(),
            });
            let report = Report::new(&verdict, &record, told.collect(), vec!["note".to_owned()], 1);
            assert_schema("watch", &report);
            let shown = report.render().plain();
            assert!(shown.starts_with(mark) && !shown.contains('\u{1b}'), "{shown}");
            assert_eq!(
                shown.contains("could not tell webhook of the alarm (attempt 1): it is refused"),
                !due.is_empty()
            );
            assert_eq!(report.exit(), exit, "{shown}");
            assert!(report.is_news(None));
        }
    }
}
