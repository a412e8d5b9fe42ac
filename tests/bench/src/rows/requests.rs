//! Requests and answers: a method over a snapshot one at a time and many at once, and the other snapshot methods
//! against the bare echo.

use std::time::Duration;

use super::Session;
use super::session::Crowds;
use crate::load::RequestRun;
use crate::report::{Line, Report, Samples, Unit};
use crate::server::Kind;

const METHOD: &str = "system-presence";

#[derive(Default)]
struct Requests {
    per_second: Samples,
    cpu_us: Samples,
    p99_ms: Samples,
}

impl Requests {
    fn add(&mut self, kind: Kind, run: &RequestRun) {
        self.per_second.add(kind, run.per_second);
        self.cpu_us.add(kind, run.cpu_us);
        self.p99_ms.add(kind, run.p99_ms);
    }
}

pub fn run(session: &Session, report: &mut Report) {
    if !session.wants(&["presence", "pipelined", "snapshots"]) {
        return;
    }
    let time = session.seconds(0.8);
    let mut crowds = session.crowds(64, "64 clients", report);
    session.in_turns(&mut crowds, "warm-up", report, |_, crowd| {
        crowd.must_answer(METHOD)?;
        crowd.requests(METHOD, 16, 1, Duration::from_millis(100)).map(drop)
    });
    let mut single = Requests::default();
    session.in_turns(&mut crowds, "presence", report, |kind, crowd| {
        single.add(kind, &crowd.requests(METHOD, 16, 1, time)?);
        Ok(())
    });
    if session.wants(&["presence"]) {
        let line = Line::new(
            "presence",
            "system-presence, 16 x 1 in flight: rate",
            Unit::PerSecond,
            &single.per_second,
        );
        report.push(line.at_least(3.0, Kind::Original));
        let line = Line::new("presence", "the same, CPU each", Unit::Micros, &single.cpu_us);
        report.push(line.at_most(1.4, Kind::Bare).at_most(1.0 / 3.0, Kind::Original));
        let line = Line::new("presence", "the same, p99", Unit::Millis, &single.p99_ms);
        report.push(line.at_most(1.0 / 3.0, Kind::Original));
    }
    if session.wants(&["pipelined"]) {
        let mut many = Requests::default();
        session.in_turns(&mut crowds, "pipelined", report, |kind, crowd| {
            many.add(kind, &crowd.requests(METHOD, 64, 8, time)?);
            Ok(())
        });
        let line = Line::new(
            "pipelined",
            "system-presence, 64 x 8 in flight: rate",
            Unit::PerSecond,
            &many.per_second,
        );
        report.push(line.at_least(10.0, Kind::Original));
        let line = Line::new("pipelined", "the same, CPU each", Unit::Micros, &many.cpu_us);
        report.push(line.at_most(1.2, Kind::Bare));
    }
    if session.wants(&["snapshots"]) {
        for method in ["health", "status", "sessions.list", "models.list"] {
            snapshot(session, report, &mut crowds, method, single.cpu_us.of(Kind::Bare));
        }
    }
}

/// One method that answers from a snapshot. The yardsticks have no such thing: their echo is the measure.
fn snapshot(session: &Session, report: &mut Report, crowds: &mut Crowds, method: &str, echo: Option<f64>) {
    let mut cpu = Samples::default();
    let mut size = None;
    let mut refusal = None;
    session.in_turns(crowds, method, report, |kind, crowd| {
        if matches!(kind, Kind::Bare | Kind::Epoll) || (kind == Kind::Subject && refusal.is_some()) {
            return Ok(());
        }
        match crowd.call(method)? {
            Ok(answer) if kind == Kind::Subject => size = Some(answer.len()),
            Ok(_) => {}
            Err(message) => {
                if kind == Kind::Subject {
                    refusal = Some(message);
                }
                return Ok(());
            }
        }
        cpu.add(kind, crowd.requests(method, 16, 1, session.seconds(0.5))?.cpu_us);
        Ok(())
    });
    if let Some(refusal) = refusal {
        report.push(Line::missing("snapshots", method, format!("not built: {refusal}")));
        return;
    }
    #[allow(clippy::cast_precision_loss, reason = "a frame's size")]
    let kilobytes = size.map(|size: usize| size as f64 / 1024.0);
    let shown = kilobytes.map(|kilobytes| format!(" ({kilobytes:.1} KB)")).unwrap_or_default();
    let name = format!("{method}{shown}: CPU each");
    let limit = echo.zip(kilobytes).map(|(echo, kilobytes)| 3.0 * echo + 0.2 * kilobytes);
    let line = Line::new("snapshots", name, Unit::Micros, &cpu);
    let line = line.limit(limit, "3x B's echo + 0.2 us per KB");
    report.push(line.at_most(1.0 / 25.0, Kind::Original));
}

/// The row that needs a method which takes long; none of those that are built does.
pub fn slow_method(session: &Session, report: &mut Report) {
    if session.wants(&["slow-method"]) {
        let measure = "others' p99 while one client is in a method over 5 ms";
        report.push(Line::missing(
            "slow-method",
            measure,
            "not possible yet: no method that is built takes so long",
        ));
    }
}
