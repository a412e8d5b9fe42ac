//! What the watch remembers between two looks, and the rules by which looks become incidents and incidents become
//! notices. Pure: a look, the policy and the time go in, and what is owed to whom is read off.
//!
//! The wall clock may jump, so nothing is decided by it alone. An outage is confirmed inside one look, on the steady
//! clock; the end of an incident is counted in looks; and the time in which restarts are counted grows by the gaps
//! between looks, of which one that runs backwards counts as nothing and one that is too long as the whole window.

use std::collections::VecDeque;
use std::time::Duration;

use gateway_base::clock::UnixMs;
use serde::{Deserialize, Serialize};

/// How often a notice is offered to somebody who does not take it.
pub const MAX_ATTEMPTS: u32 = 30;
/// How many notices wait at most.
const MAX_NOTICES: usize = 16;
/// How many points of the count of restarts are kept.
const MAX_MARKS: usize = 256;

/// What is wrong with a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It should run and does not.
    Dead,
    /// Its process is there and does not answer.
    Wedged,
    /// It ends and is started again and again.
    Looping,
    /// It works, with something missing.
    Degraded,
}

impl Kind {
    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Wedged => "wedged",
            Self::Looping => "looping",
            Self::Degraded => "degraded",
        }
    }

    /// Whether it deserves an alarm of its own although there was one for `other`.
    const fn is_worse_than(self, other: Self) -> bool {
        matches!(other, Self::Degraded) && !matches!(self, Self::Degraded)
    }
}

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It serves.
    Well,
    /// It does not run, and is not meant to.
    Off(String),
    /// Nothing can be said, such as during a planned stop.
    Unclear(String),
    /// Something is wrong.
    Trouble(Kind, String),
}

/// One look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What it found.
    pub verdict: Verdict,
    /// How often the service manager has started it again, by its own count.
    pub restarts: Option<u64>,
    /// The process, where it is kept running and nobody counts its restarts.
    pub pid: Option<u32>,
    /// The last error in its log.
    pub last_error: Option<String>,
}

/// Who is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A program.
    Exec,
    /// A web service.
    Webhook,
    /// The desktop.
    Notify,
}

impl Channel {
    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Webhook => "webhook",
            Self::Notify => "notify",
        }
    }
}

/// What counts as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// More restarts than this are a loop.
    pub restarts: u64,
    /// The time in which they are counted.
    pub window: Duration,
    /// How many good looks in a row end an incident.
    pub settle: u32,
    /// Whether the end of an incident is told.
    pub on_recovery: bool,
    /// Who is told.
    pub channels: Vec<Channel>,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// An incident began.
    Alarm,
    /// It is over.
    Recovery,
}

/// A time of trouble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    /// Its name, different from every other one's.
    pub id: String,
    /// What is wrong.
    pub kind: Kind,
    /// In a sentence.
    pub summary: String,
    /// When it was seen first.
    pub since: UnixMs,
    /// The last error in the log when it began.
    #[serde(default)]
    pub last_error: Option<String>,
    /// How often the gateway was started again in the window before.
    #[serde(default)]
    pub restarts: u64,
    /// How many good looks there were in a row.
    #[serde(default)]
    calm: u32,
}

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// The incident as it was then.
    pub incident: Incident,
    /// When.
    pub at: UnixMs,
    /// Who was not told yet.
    owed: Vec<Owed>,
}

/// One who was not told yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Who.
    pub channel: Channel,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed the last time.
    pub error: Option<String>,
}

/// The memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Record {
    /// When the last look was.
    pub looked_at: UnixMs,
    /// What it found, in a word and a sentence.
    pub found: Option<(String, String)>,
    /// Whether the gateway was seen running and has not been seen stopped on purpose since.
    pub seen: bool,
    /// The incident that is open.
    pub incident: Option<Incident>,
    /// What is still to be told, oldest first.
    pub notices: VecDeque<Notice>,
    /// How many notices were given up.
    pub given_up: u64,
    /// How many incidents there have been.
    incidents: u64,
    starts: Starts,
}

/// The count of restarts over the time that was watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Starts {
    watched: u64,
    total: u64,
    counter: Option<u64>,
    pid: Option<u32>,
    marks: VecDeque<(u64, u64)>,
}

impl Starts {
    fn count(&mut self, look: &Look, gap: u64, window: u64) {
        self.watched = self.watched.saturating_add(gap.min(window));
        let new = match (look.restarts, self.counter) {
            (Some(now), Some(before)) if now >= before => now - before,
            // The manager began to count anew.
            (Some(now), Some(_)) => now,
            (Some(_), None) => 0,
            (None, _) => {
                u64::from(matches!((look.pid, self.pid), (Some(now), Some(before)) if now != before))
            }
        };
        self.total = self.total.saturating_add(new);
        self.counter = look.restarts;
        self.pid = look.pid.or(self.pid);
        self.marks.push_back((self.watched, self.total));
        // The last one before the window is what the count is compared with.
        while self.marks.len() > MAX_MARKS
            || self.marks.get(1).is_some_and(|(at, _)| at.saturating_add(window) <= self.watched)
        {
            self.marks.pop_front();
        }
    }

    fn recent(&self) -> u64 {
        self.total.saturating_sub(self.marks.front().map_or(self.total, |(_, total)| *total))
    }
}

impl Record {
    /// Takes a look into account, and says what it means with all that is known.
    pub fn take(&mut self, look: &Look, policy: &Policy, now: UnixMs) -> Verdict {
        let gap = if self.looked_at == 0 { 0 } else { now.saturating_sub(self.looked_at).max(0) };
        self.looked_at = now;
        let window = u64::try_from(policy.window.as_millis()).unwrap_or(u64::MAX);
        self.starts.count(look, gap.unsigned_abs(), window);
        let verdict = self.with_restarts(&look.verdict, policy);
        self.found = Some(words(&verdict));
        match &verdict {
            Verdict::Unclear(_) => {}
            Verdict::Off(_) => {
                self.seen = false;
                // Somebody took the matter in hand, so there is nothing left to report.
                self.incident = None;
            }
            Verdict::Well => {
                self.seen = true;
                self.calm_down(policy, now);
            }
            Verdict::Trouble(kind, summary) => self.trouble(*kind, summary.clone(), look, policy, now),
        }
        verdict
    }

    /// How often the gateway was started again in the window.
    #[must_use]
    pub fn recent_restarts(&self) -> u64 {
        self.starts.recent()
    }

    /// A gateway that answers between two crashes is not well.
    fn with_restarts(&self, verdict: &Verdict, policy: &Policy) -> Verdict {
        let recent = self.starts.recent();
        let loops = recent > policy.restarts;
        match verdict {
            Verdict::Well | Verdict::Trouble(Kind::Degraded | Kind::Dead | Kind::Wedged, _) if loops => {
                let minutes = policy.window.as_secs().div_ceil(60);
                let text = format!("the gateway was started again {recent} times within {minutes} min");
                Verdict::Trouble(Kind::Looping, text)
            }
            other => other.clone(),
        }
    }

    fn calm_down(&mut self, policy: &Policy, now: UnixMs) {
        let Some(incident) = &mut self.incident else { return };
        incident.calm = incident.calm.saturating_add(1);
        if incident.calm >= policy.settle {
            let incident = self.incident.take();
            if let Some(incident) = incident.filter(|_| policy.on_recovery) {
                self.tell(Event::Recovery, incident, policy, now);
            }
        }
    }

    fn trouble(&mut self, kind: Kind, summary: String, look: &Look, policy: &Policy, now: UnixMs) {
        let restarts = self.starts.recent();
        match &mut self.incident {
            Some(open) if !kind.is_worse_than(open.kind) => {
                open.calm = 0;
                // A crash loop stays one, even when a look finds it between two starts.
                if open.kind != Kind::Looping {
                    (open.kind, open.summary) = (kind, summary);
                }
                open.restarts = open.restarts.max(restarts);
            }
            _ => {
                self.incidents = self.incidents.saturating_add(1);
                let id = format!("{now}-{}", self.incidents);
                let last_error = look.last_error.clone();
                let incident = Incident { id, kind, summary, since: now, last_error, restarts, calm: 0 };
                self.incident = Some(incident.clone());
                self.tell(Event::Alarm, incident, policy, now);
            }
        }
    }

    fn tell(&mut self, event: Event, incident: Incident, policy: &Policy, at: UnixMs) {
        let owed = |channel: &Channel| Owed { channel: *channel, attempts: 0, error: None };
        let owed: Vec<Owed> = policy.channels.iter().map(owed).collect();
        if owed.is_empty() {
            return;
        }
        self.notices.push_back(Notice { event, incident, at, owed });
        while self.notices.len() > MAX_NOTICES {
            self.notices.pop_front();
            self.given_up = self.given_up.saturating_add(1);
        }
    }

    /// What each is to be told next: the oldest notice that it does not have.
    #[must_use]
    pub fn due(&self) -> Vec<(Channel, Notice)> {
        let mut due: Vec<(Channel, Notice)> = Vec::new();
        for notice in &self.notices {
            for owed in &notice.owed {
                if !due.iter().any(|(channel, _)| *channel == owed.channel) {
                    due.push((owed.channel, notice.clone()));
                }
            }
        }
        due
    }

    /// Remembers how an attempt ended. What was tried too often is given up.
    pub fn tried(&mut self, channel: Channel, notice: &Notice, result: Result<(), String>) {
        let same = |one: &&mut Notice| one.event == notice.event && one.incident.id == notice.incident.id;
        let Some(found) = self.notices.iter_mut().find(same) else { return };
        if let Some(owed) = found.owed.iter_mut().find(|owed| owed.channel == channel) {
            owed.attempts = owed.attempts.saturating_add(1);
            let done = result.is_ok();
            owed.error = result.err();
            if done || owed.attempts >= MAX_ATTEMPTS {
                self.given_up = self.given_up.saturating_add(u64::from(!done));
                found.owed.retain(|owed| owed.channel != channel);
            }
        }
        self.notices.retain(|notice| !notice.owed.is_empty());
    }

    /// What has failed so far and is tried again, with the reason.
    pub fn failing(&self) -> impl Iterator<Item = (&Notice, &Owed)> {
        self.notices
            .iter()
            .flat_map(|notice| notice.owed.iter().map(move |owed| (notice, owed)))
            .filter(|(_, owed)| owed.error.is_some())
    }

    /// Forgets whom nobody wants to tell any more.
    pub fn keep_channels(&mut self, channels: &[Channel]) {
        for notice in &mut self.notices {
            notice.owed.retain(|owed| channels.contains(&owed.channel));
        }
        self.notices.retain(|notice| !notice.owed.is_empty());
    }
}

/// A verdict in a word and a sentence.
fn words(verdict: &Verdict) -> (String, String) {
    let (word, text) = match verdict {
        Verdict::Well => ("well", "the gateway answers"),
        Verdict::Off(text) => ("off", text.as_str()),
        Verdict::Unclear(text) => ("unclear", text.as_str()),
        Verdict::Trouble(kind, text) => (kind.word(), text.as_str()),
    };
    (word.to_owned(), text.to_owned())
}

#[cfg(test)]
mod tests;
