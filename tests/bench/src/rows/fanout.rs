//! One event to everybody: as fast as it goes with a fixed number of events on their way, and at a steady pace.

use std::time::Duration;

use anyhow::Result;

use super::Session;
use super::session::Crowds;
use crate::load::{Crowd, SMALL_EVENT};
use crate::report::{Line, Report, Samples, Unit};
use crate::server::Kind;

/// Rate and CPU of one kind of fan-out.
#[derive(Default)]
struct Fanout {
    per_second: Samples,
    cpu_us: Samples,
    p99_ms: Samples,
    lost: Samples,
}

/// Fan-out to the largest crowd, which is measured while that crowd is connected anyway.
#[derive(Default)]
pub struct Most {
    two: Fanout,
    eight: Fanout,
    paced: Fanout,
}

impl Fanout {
    fn closed(&mut self, kind: Kind, crowd: &mut Crowd, in_flight: usize, time: Duration) -> Result<()> {
        let run = crowd.fanout(in_flight, time)?;
        self.per_second.add(kind, run.per_second);
        self.cpu_us.add(kind, run.cpu_us);
        Ok(())
    }

    fn paced(&mut self, kind: Kind, crowd: &mut Crowd, due: &[Duration]) -> Result<()> {
        let run = crowd.paced(due, SMALL_EVENT, 0)?;
        self.cpu_us.add(kind, run.cpu_us);
        self.p99_ms.add(kind, run.p99_ms);
        #[allow(clippy::cast_precision_loss, reason = "a count")]
        self.lost.add(kind, run.lost as f64);
        Ok(())
    }

    fn rate_line(&self, row: &'static str, measure: String) -> Line {
        Line::new(row, measure, Unit::PerSecond, &self.per_second)
    }

    fn cpu_line(&self, row: &'static str) -> Line {
        Line::new(row, "the same, CPU per delivery", Unit::Micros, &self.cpu_us)
    }

    fn p99_line(&self, row: &'static str, measure: impl Into<String>) -> Line {
        Line::new(row, measure, Unit::Millis, &self.p99_ms)
    }
}

/// `count` moments, `every` apart.
fn steady(count: u32, every: Duration) -> Vec<Duration> {
    (0..count).map(|n| every * n).collect()
}

/// `bursts` times 20 moments half a millisecond apart, with 250 ms from one burst to the next.
fn bursts(bursts: u32) -> Vec<Duration> {
    let burst = steady(20, Duration::from_micros(500));
    let starts = steady(bursts, Duration::from_millis(250));
    starts.iter().flat_map(|start| burst.iter().map(move |at| *start + *at)).collect()
}

/// Fan-out to 100 clients.
pub fn hundred(session: &Session, report: &mut Report) {
    if !session.wants(&["fanout-100", "bursts"]) {
        return;
    }
    let mut crowds = session.crowds(100, "100 clients", report);
    warm(session, &mut crowds, report);
    if session.wants(&["fanout-100"]) {
        let mut all = Fanout::default();
        session.in_turns(&mut crowds, "fanout-100", report, |kind, crowd| {
            all.closed(kind, crowd, 4, session.seconds(0.8))
        });
        let line = all.rate_line("fanout-100", "fan-out to 100, 4 not yet delivered: deliveries".into());
        report.push(line.at_least(6.5, Kind::Original));
        let line = all.cpu_line("fanout-100").at_most(0.8, Kind::Bare).at_most(1.3, Kind::Epoll);
        report.push(line.at_most(1.0 / 8.0, Kind::Original));
    }
    if session.wants(&["bursts"]) {
        let mut all = Fanout::default();
        let due = bursts(if session.quick { 4 } else { 8 });
        session.in_turns(&mut crowds, "bursts", report, |kind, crowd| all.paced(kind, crowd, &due));
        let line = all.p99_line("bursts", "bursts of 20 at 2000/s to 100: p99");
        report.push(line.at_most(1.0, Kind::Bare).at_most(1.0 / 250.0, Kind::Original));
        let line = all.cpu_line("bursts").at_most(1.6, Kind::Epoll).at_most(0.6, Kind::Bare);
        report.push(line.at_most(1.0 / 18.0, Kind::Original));
        report.push(lost_line("bursts", &all));
    }
}

/// Fan-out to 1000 clients, which `crowds` has already.
pub fn thousand(session: &Session, report: &mut Report, crowds: &mut Crowds) {
    if session.wants(&["fanout-1000", "paced-1000"]) {
        warm(session, crowds, report);
    }
    if session.wants(&["fanout-1000"]) {
        let mut all = Fanout::default();
        session.in_turns(crowds, "fanout-1000", report, |kind, crowd| {
            all.closed(kind, crowd, 4, session.seconds(0.8))
        });
        let line = all.rate_line("fanout-1000", "fan-out to 1000, 4 not yet delivered: deliveries".into());
        report.push(line.at_least(7.0, Kind::Original));
        let line = all.cpu_line("fanout-1000").at_most(0.7, Kind::Bare).at_most(1.3, Kind::Epoll);
        report.push(line.at_most(1.0 / 7.0, Kind::Original));
    }
    if session.wants(&["paced-1000"]) {
        let mut all = Fanout::default();
        let due = steady(if session.quick { 30 } else { 50 }, Duration::from_millis(50));
        session.in_turns(crowds, "paced-1000", report, |kind, crowd| all.paced(kind, crowd, &due));
        let line = all.p99_line("paced-1000", "20 events/s to 1000: p99");
        report.push(line.at_most(1.3, Kind::Epoll).at_most(0.6, Kind::Original));
        report.push(lost_line("paced-1000", &all));
    }
}

impl Most {
    /// Measures one server with the largest crowd.
    pub fn measure(&mut self, session: &Session, kind: Kind, crowd: &mut Crowd) -> Result<()> {
        if session.wants(&["fanout-10000"]) {
            crowd.fanout(2, session.seconds(0.3))?;
            for _ in 0..session.repetitions() {
                self.two.closed(kind, crowd, 2, session.seconds(0.8))?;
                self.eight.closed(kind, crowd, 8, session.seconds(0.8))?;
            }
        }
        if session.wants(&["paced-10000"]) {
            let due = steady(if session.quick { 6 } else { 20 }, Duration::from_millis(250));
            self.paced.paced(kind, crowd, &due)?;
        }
        Ok(())
    }

    /// Adds the lines for a crowd of `clients`.
    pub fn report(&self, session: &Session, report: &mut Report, clients: usize) {
        if session.wants(&["fanout-10000"]) {
            let name = format!("fan-out to {clients}, 2 not yet delivered: deliveries");
            report.push(self.two.rate_line("fanout-10000", name));
            report.push(self.two.cpu_line("fanout-10000").at_most(0.8, Kind::Bare).at_most(1.3, Kind::Epoll));
            let name = format!("fan-out to {clients}, 8 not yet delivered: deliveries");
            let line = self.eight.rate_line("fanout-10000", name);
            let raw = self.eight.per_second.of(Kind::Epoll).map_or(f64::INFINITY, |raw| raw / 1.3);
            let what = "0.8 M/s, or F's / 1.3 where F itself is not that fast";
            report.push(line.floor(raw.min(0.8e6), what));
            report.push(self.eight.cpu_line("fanout-10000").at_most(1.3, Kind::Epoll));
        }
        if session.wants(&["paced-10000"]) {
            let line = self.paced.p99_line("paced-10000", format!("4 events/s to {clients}: p99"));
            report.push(line.at_most(1.0, Kind::Epoll));
            report.push(lost_line("paced-10000", &self.paced));
        }
    }
}

/// Lets the servers and the generator touch all their sockets once before anything is measured.
fn warm(session: &Session, crowds: &mut Crowds, report: &mut Report) {
    session
        .in_turns(crowds, "warm-up", report, |_, crowd| crowd.fanout(4, Duration::from_millis(50)).map(drop));
}

fn lost_line(row: &'static str, all: &Fanout) -> Line {
    Line::new(row, "the same, deliveries lost", Unit::Count, &all.lost).limit(Some(0.0), "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_keep_their_pace() {
        let due = bursts(2);
        assert_eq!(due.len(), 40);
        assert_eq!((due[1], due[19]), (Duration::from_micros(500), Duration::from_micros(9500)));
        assert_eq!(due[20], Duration::from_millis(250));
    }
}
