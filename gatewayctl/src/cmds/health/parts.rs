//! The daemon's own view of its parts, and the three questions of a supervisor: alive, started, ready.

use gateway_admin::time;
use gateway_admin::v1::{HealthResponse, PartHealth, PartState, Phase};
use gateway_base::clock::iso_utc;
use serde::Serialize;

use crate::text::{Line, Style, Text};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Does the process answer?
    Live,
    /// Is the start over?
    Startup,
    /// Are clients served?
    Ready,
    /// Does this part work?
    Part(String),
}

/// The answer to one question.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Yes or no.
    pub ok: bool,
    /// The question.
    pub probe: String,
    /// How what was asked for is: the part, or else the whole.
    pub state: &'static str,
    /// Where the daemon is in its life.
    pub phase: &'static str,
    /// The parts that were looked at.
    pub parts: Vec<Part>,
}

/// One part.
#[derive(Debug, Serialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

impl Question {
    /// Answers the question. `None` when there is no such part.
    pub fn answer(&self, health: &HealthResponse) -> Option<Document> {
        let whole = health.state();
        let (probe, ok, state, parts) = match self {
            Self::Live => ("live".to_owned(), true, whole, Vec::new()),
            Self::Startup => {
                let started = !matches!(health.phase(), Phase::Starting | Phase::Unspecified);
                ("startup".to_owned(), started, whole, Vec::new())
            }
            Self::Ready => {
                let ready = health.phase() == Phase::Serving && works(whole);
                ("ready".to_owned(), ready, whole, health.parts.iter().map(part).collect())
            }
            Self::Part(name) => {
                let found = health.parts.iter().find(|part| part.name == *name)?;
                let state = in_phase(found.state(), health.phase());
                (format!("part {name}"), works(state), state, vec![part(found)])
            }
        };
        Some(Document { ok, probe, state: state_word(state), phase: phase_word(health.phase()), parts })
    }
}

impl Document {
    /// The answer for people.
    pub fn render(&self) -> Text {
        let mut text = Text::default();
        let (style, mark) = if self.ok { (Style::Good, "✓") } else { (Style::Bad, "✗") };
        text.push(Line::default().with(style, mark).with(
            Style::Plain,
            format!(" {}: {} ({})", self.probe, if self.ok { "yes" } else { "no" }, self.state),
        ));
        for part in self.parts.iter().filter(|part| part.is_troubled()) {
            text.push(part.line());
        }
        text
    }
}

impl Part {
    /// One line for people.
    pub fn line(&self) -> Line {
        let (style, mark) = match self.state {
            "serving" => (Style::Good, "✓"),
            "failed" => (Style::Bad, "✗"),
            _ => (Style::Warn, "!"),
        };
        let reason = if self.reason.is_empty() { String::new() } else { format!(" - {}", self.reason) };
        Line::default()
            .with(style, mark)
            .with(Style::Plain, format!(" {}: {}{reason}", self.name, self.state))
    }

    /// Whether there is something to say about it.
    pub fn is_troubled(&self) -> bool {
        !matches!(self.state, "serving" | "disabled")
    }
}

/// A part as it is shown.
pub fn part(of: &PartHealth) -> Part {
    Part {
        name: of.name.clone(),
        state: state_word(of.state()),
        reason: of.reason.clone(),
        since: of.since.as_ref().map(|since| iso_utc(time::unix_ms(since))),
    }
}

/// What `state` of a part comes to in `phase`: no part serves before the start is over or after a stop has begun.
const fn in_phase(state: PartState, phase: Phase) -> PartState {
    match phase {
        Phase::Serving => state,
        Phase::Starting | Phase::Unspecified => PartState::Starting,
        Phase::Draining | Phase::Stopping => PartState::Stopping,
    }
}

const fn works(state: PartState) -> bool {
    matches!(state, PartState::Serving | PartState::Degraded)
}

/// The word for the state of a part, or of the whole.
pub const fn state_word(state: PartState) -> &'static str {
    match state {
        PartState::Starting => "starting",
        PartState::Serving => "serving",
        PartState::Degraded => "degraded",
        PartState::Failed => "failed",
        PartState::Stopping => "stopping",
        PartState::Disabled => "disabled",
        PartState::Unspecified => "unknown",
    }
}

/// The word for a phase.
pub const fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Serving => "serving",
        Phase::Draining => "draining",
        Phase::Stopping => "stopping",
        Phase::Unspecified => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    fn health(phase: Phase, whole: PartState, store: PartState) -> HealthResponse {
        let store = PartHealth {
            name: "store".to_owned(),
            state: store.into(),
            reason: "disk full".to_owned(),
            since: Some(time::timestamp(0)),
        };
        HealthResponse { state: whole.into(), phase: phase.into(), parts: vec![store] }
    }

    #[test]
    fn the_three_probes_differ_where_they_should() {
        let ok = |question: &Question, health: &HealthResponse| question.answer(health).map(|a| a.ok);
        let starting = health(Phase::Starting, PartState::Starting, PartState::Starting);
        let serving = health(Phase::Serving, PartState::Serving, PartState::Serving);
        let draining = health(Phase::Draining, PartState::Stopping, PartState::Serving);
        let broken = health(Phase::Serving, PartState::Failed, PartState::Failed);
        let part = Question::Part("store".to_owned());
        for (health, live, startup, ready, store) in [
            (&starting, true, false, false, false),
            (&serving, true, true, true, true),
            (&draining, true, true, false, false),
            (&broken, true, true, false, false),
        ] {
            let answers =
                [Question::Live, Question::Startup, Question::Ready, part.clone()].map(|q| ok(&q, health));
            assert_eq!(answers, [live, startup, ready, store].map(Some), "{health:?}");
        }
        assert!(Question::Part("x".to_owned()).answer(&serving).is_none());
    }

    #[test]
    fn a_part_is_in_one_state() {
        let part = Question::Part("store".to_owned());
        for (phase, whole, store, text) in [
            (
                Phase::Serving,
                PartState::Serving,
                PartState::Degraded,
                "✓ part store: yes (degraded)\n! store: degraded - disk full\n",
            ),
            (Phase::Serving, PartState::Degraded, PartState::Serving, "✓ part store: yes (serving)\n"),
            (Phase::Draining, PartState::Stopping, PartState::Serving, "✗ part store: no (stopping)\n"),
            (Phase::Starting, PartState::Starting, PartState::Serving, "✗ part store: no (starting)\n"),
        ] {
            let answer = part.answer(&health(phase, whole, store)).expect("an answer");
            assert_eq!(answer.render().plain(), text);
        }
    }

    #[test]
    fn answers_have_their_text_and_schema() {
        let broken = health(Phase::Serving, PartState::Failed, PartState::Failed);
        let answer = Question::Ready.answer(&broken).expect("an answer");
        assert_eq!(answer.render().plain(), "✗ ready: no (failed)\n✗ store: failed - disk full\n");
        assert_schema("health-probe", &answer);
    }
}
