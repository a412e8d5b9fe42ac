//! From the start of the process to a client that is let in, and the memory of a server with nothing to do.

use std::time::Duration;

use super::Session;
use crate::load::Crowd;
use crate::report::{Line, Report, Samples, Unit};
use crate::server::Kind;

pub fn run(session: &Session, report: &mut Report) {
    if !session.wants(&["start", "idle-memory"]) {
        return;
    }
    let (mut time, mut cpu, mut memory) = (Samples::default(), Samples::default(), Samples::default());
    let repetitions = if session.quick { 3 } else { 7 };
    session.each_kind("start", report, |kind| {
        let repetitions = if kind == Kind::Original { 1 } else { repetitions };
        for _ in 0..repetitions {
            let (mut crowd, took, used) = Crowd::start(&session.programs, kind, false)?;
            time.add(kind, took.as_secs_f64() * 1e3);
            cpu.add(kind, used.since(&crate::measure::Cpu::default()).as_secs_f64() * 1e3);
            crowd.pool.idle(Duration::from_millis(300))?;
            memory.add(kind, bytes(crowd.server.resident()?));
        }
        Ok(())
    });
    report.push(
        Line::new("start", "exec to hello-ok", Unit::Millis, &time)
            .at_most(3.0, Kind::Epoll)
            .at_most(1.0 / 200.0, Kind::Original),
    );
    report.push(Line::new("start", "the same, CPU", Unit::Millis, &cpu).limit(Some(20.0), "the goal"));
    report.push(
        Line::new("idle-memory", "resident memory, idle", Unit::Bytes, &memory)
            .at_most(1.3, Kind::Bare)
            .limit(Some(12.0 * 1_048_576.0), "1/25 of the original")
            .at_most(1.0 / 25.0, Kind::Original),
    );
}

#[allow(clippy::cast_precision_loss, reason = "no memory here comes near 2^52")]
pub(super) fn bytes(n: u64) -> f64 {
    n as f64
}
