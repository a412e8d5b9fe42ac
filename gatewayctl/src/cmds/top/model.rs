//! What the dashboard knows, and what keys and news do to it. Nothing here knows a terminal or a socket. Everything is
//! bounded: a dashboard may stay open for weeks.

use std::collections::VecDeque;

use gateway_admin::v1::{LogLine, MetricsResponse, StatusResponse};

use super::rates::{self, Rates};

/// How many points of the past are kept: more than any terminal is wide, in half columns.
const MAX_POINTS: usize = 600;
/// How many lines of the log are kept.
const MAX_LINES: usize = 200;

/// Whether the daemon is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Not asked yet.
    #[default]
    Connecting,
    /// It answers.
    Live,
    /// It does not, and why; what is shown is what was last known.
    Gone(String),
}

/// What is plotted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plot {
    /// How long requests took.
    #[default]
    Latency,
    /// Requests and events each second.
    Rates,
    /// Bytes each second.
    Bytes,
    /// Memory and processor.
    Use,
}

impl Plot {
    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Latency => Self::Rates,
            Self::Rates => Self::Bytes,
            Self::Bytes => Self::Use,
            Self::Use => Self::Latency,
        }
    }
}

/// One point of the past.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// What happened.
    pub rates: Rates,
    /// Resident memory in bytes.
    pub memory: u64,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When, in UTC.
    pub time: Option<i64>,
    /// Whether it is an error rather than a warning.
    pub is_error: bool,
    /// The text.
    pub message: String,
}

impl From<LogLine> for Row {
    fn from(line: LogLine) -> Self {
        use gateway_admin::v1::LogLevel;
        let is_error = matches!(line.level(), LogLevel::Error | LogLevel::Fatal);
        let time = line.time.as_ref().map(gateway_admin::time::unix_ms);
        Self { time, is_error, message: line.message }
    }
}

/// News from the daemon.
#[derive(Debug)]
pub enum News {
    /// It answers, and this is what it is. Lines from before are told anew.
    Connected(Box<StatusResponse>),
    /// A snapshot.
    Snapshot(Box<MetricsResponse>),
    /// Lines of the log.
    Lines(Vec<LogLine>),
    /// It does not answer.
    Gone(String),
}

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// End.
    Quit,
    /// Leave the help, or end.
    Back,
    /// Stop or go on.
    Pause,
    /// Show or hide the help.
    Help,
    /// The next plot.
    Next,
    /// Older lines.
    Up,
    /// Newer lines.
    Down,
}

/// Whether the dashboard goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    On,
    /// It ends.
    End,
}

/// The state of the dashboard.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Whether the daemon is there.
    pub link: Link,
    /// What it is.
    pub status: Option<StatusResponse>,
    /// The last snapshot.
    pub last: Option<MetricsResponse>,
    /// What lies between the last two.
    pub rates: Option<Rates>,
    /// The past, oldest first.
    pub points: VecDeque<Point>,
    /// The log, oldest first.
    pub rows: VecDeque<Row>,
    /// How many lines the log is scrolled back.
    pub scrolled: usize,
    /// What is plotted.
    pub plot: Plot,
    /// Whether snapshots are left aside.
    pub paused: bool,
    /// Whether the help is shown.
    pub help: bool,
}

impl Model {
    /// Takes news in.
    pub fn news(&mut self, news: News) {
        match news {
            News::Connected(status) => {
                self.link = Link::Live;
                self.status = Some(*status);
                self.rows.clear();
                self.scrolled = 0;
            }
            News::Snapshot(snapshot) => {
                self.link = Link::Live;
                if !self.paused {
                    self.snapshot(*snapshot);
                }
            }
            News::Lines(lines) => {
                let before = self.rows.len();
                self.rows.extend(lines.into_iter().map(Row::from));
                if self.scrolled > 0 {
                    // What was being read stays where it is.
                    self.scrolled += self.rows.len() - before;
                }
                self.rows.drain(..self.rows.len().saturating_sub(MAX_LINES));
                self.scrolled = self.scrolled.min(self.rows.len().saturating_sub(1));
            }
            News::Gone(why) => self.link = Link::Gone(why),
        }
    }

    fn snapshot(&mut self, now: MetricsResponse) {
        self.rates = self.last.as_ref().and_then(|before| rates::between(before, &now));
        if let Some(rates) = self.rates {
            let memory = now.process.as_ref().map_or(0, |process| process.resident_bytes);
            self.points.push_back(Point { rates, memory });
            self.points.drain(..self.points.len().saturating_sub(MAX_POINTS));
        }
        self.last = Some(now);
    }

    /// Takes a key in.
    pub fn key(&mut self, key: Key) -> Flow {
        match key {
            Key::Quit => return Flow::End,
            Key::Back if self.help => self.help = false,
            Key::Back => return Flow::End,
            Key::Help => self.help = !self.help,
            Key::Pause => {
                self.paused = !self.paused;
                // Rates over a pause would be no rates of now.
                self.last = self.last.take().filter(|_| self.paused);
            }
            Key::Next => self.plot = self.plot.next(),
            Key::Up => self.scrolled = (self.scrolled + 1).min(self.rows.len().saturating_sub(1)),
            Key::Down => self.scrolled = self.scrolled.saturating_sub(1),
        }
        Flow::On
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gateway_admin::time;
    use gateway_admin::v1::{LogLevel, Process};

    use super::*;

    fn snapshot(ms: u64) -> News {
        let uptime = Some(time::duration(Duration::from_millis(ms)));
        let process = Some(Process { pid: 7, uptime, resident_bytes: ms, ..Process::default() });
        News::Snapshot(Box::new(MetricsResponse { process, ..MetricsResponse::default() }))
    }

    fn lines(count: usize) -> News {
        let line =
            |at| LogLine { message: format!("{at}"), level: LogLevel::Warn.into(), ..LogLine::default() };
        News::Lines((0..count).map(line).collect())
    }

    #[test]
    fn the_past_and_the_log_are_bounded() {
        let mut model = Model::default();
        for at in 1..2_000 {
            model.news(snapshot(at * 10));
            model.news(lines(3));
        }
        assert_eq!((model.points.len(), model.rows.len()), (MAX_POINTS, MAX_LINES));
        assert_eq!(model.points.back().map(|point| point.memory), Some(19_990));
    }

    #[test]
    fn a_pause_holds_the_picture_and_makes_no_rate() {
        let mut model = Model::default();
        model.news(snapshot(10));
        model.news(snapshot(20));
        assert!(model.rates.is_some());
        assert_eq!(model.key(Key::Pause), Flow::On);
        model.news(snapshot(5_000));
        let held = model.last.clone().and_then(|last| last.process).map(|process| process.resident_bytes);
        assert_eq!((held, model.points.len()), (Some(20), 1));
        model.key(Key::Pause);
        model.news(snapshot(9_000));
        assert_eq!((model.rates, model.points.len()), (None, 1));
        model.news(snapshot(9_010));
        assert_eq!(model.points.len(), 2);
    }

    #[test]
    fn a_daemon_that_is_gone_leaves_what_was_known() {
        let mut model = Model::default();
        model.news(snapshot(10));
        model.news(News::Gone("not running".to_owned()));
        assert_eq!(model.link, Link::Gone("not running".to_owned()));
        assert!(model.last.is_some());
        model.news(News::Connected(Box::default()));
        assert_eq!(model.link, Link::Live);
    }

    #[test]
    fn keys_do_what_the_help_says() {
        let mut model = Model::default();
        model.news(lines(10));
        for _ in 0..20 {
            model.key(Key::Up);
        }
        assert_eq!(model.scrolled, 9);
        model.key(Key::Down);
        model.news(lines(2));
        assert_eq!(model.scrolled, 10, "what is read stays in place");
        let first = model.plot;
        for _ in 0..4 {
            model.key(Key::Next);
        }
        assert_eq!(model.plot, first);
        model.key(Key::Help);
        assert_eq!((model.key(Key::Back), model.help), (Flow::On, false));
        assert_eq!((model.key(Key::Back), model.key(Key::Quit)), (Flow::End, Flow::End));
    }
}
