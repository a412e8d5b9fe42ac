//! Clients that stop reading: what they cost the others and the server's memory.

use std::time::Duration;

use anyhow::Result;

use super::Session;
use super::start::bytes;
use crate::load::{Crowd, FanoutRun, LARGE_EVENT, Login};
use crate::report::{Line, Report, Samples, Unit};
use crate::server::Kind;

const CLIENTS: usize = 100;
/// The kernel's receive buffer of a client that will stall: small, so that it fills soon.
const RECEIVE_BUFFER: usize = 32 * 1024;

pub fn run(session: &Session, report: &mut Report) {
    if !session.wants(&["stalled"]) {
        return;
    }
    let (mut baseline, mut p99, mut lost) = (Samples::default(), Samples::default(), Samples::default());
    let (mut ten, mut twenty) = (Samples::default(), Samples::default());
    session.each_kind("stalled", report, |kind| {
        if kind == Kind::Epoll || (kind == Kind::Bare && session.quick) {
            return Ok(());
        }
        baseline.add(kind, with_stalled(session, kind, 0)?.0.p99_ms);
        let (run, growth) = with_stalled(session, kind, 10)?;
        p99.add(kind, run.p99_ms);
        lost.add(kind, bytes(run.lost as u64));
        ten.add(kind, growth);
        twenty.add(kind, with_stalled(session, kind, 20)?.1);
        Ok(())
    });
    report.push(Line::new("stalled", "16 KB x 100/s to 100, all reading: p99", Unit::Millis, &baseline));
    let limit = baseline.of(Kind::Subject).map(|baseline| 1.2 * baseline);
    report.push(
        Line::new("stalled", "the same, 10 stalled: p99 of the rest", Unit::Millis, &p99)
            .limit(limit, "1.2x its own baseline"),
    );
    report.push(
        Line::new("stalled", "the same, lost by the rest", Unit::Count, &lost).limit(Some(0.0), "none"),
    );
    report.push(
        Line::new("stalled", "memory growth with 10 stalled", Unit::Bytes, &ten).at_most(0.2, Kind::Original),
    );
    let limit = ten.of(Kind::Subject).map(|growth| 1.5 * growth.max(0.0) + 1_048_576.0);
    report.push(
        Line::new("stalled", "memory growth with 20 stalled", Unit::Bytes, &twenty)
            .limit(limit, "1.5x that with 10 + 1 MB, so not by number"),
    );
}

/// Sends large events to a fresh crowd of which `stalled` do not read; also says by how much the server grew.
fn with_stalled(session: &Session, kind: Kind, stalled: usize) -> Result<(FanoutRun, f64)> {
    let mut crowd = Crowd::of(&session.programs, kind, CLIENTS - stalled)?;
    let mut asleep = Vec::new();
    for _ in 0..stalled {
        asleep.push(crowd.pool.open(Login::Cli, Some(RECEIVE_BUFFER))?);
    }
    while crowd.pool.len() < CLIENTS {
        crowd.pool.turn(Duration::from_millis(100), |_, _, _| {})?;
    }
    // Everything that grows under large events whoever reads them grows before the measurement.
    let every = Duration::from_millis(10);
    crowd.paced(&(0..20).map(|n| every * n).collect::<Vec<_>>(), LARGE_EVENT, 0)?;
    for place in asleep {
        crowd.pool.stall(place)?;
    }
    let before = crowd.server.resident()?;
    let due: Vec<Duration> = (0..if session.quick { 300 } else { 400 }).map(|n| every * n).collect();
    let run = crowd.paced(&due, LARGE_EVENT, stalled)?;
    Ok((run, bytes(crowd.server.resident()?) - bytes(before)))
}
