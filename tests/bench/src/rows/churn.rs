//! Clients that come and go: with a request, beside others who stay, and with a signed device.

use std::time::Duration;

use anyhow::Result;

use super::Session;
use super::start::bytes;
use crate::load::{Crowd, Device, Login};
use crate::report::{Line, Report, Samples, Unit};
use crate::server::Kind;

const REQUEST: &str = "system-presence";
const HELD: usize = 200;
const DEVICES: u8 = 32;
/// Names under which the visitors of the presence list come back.
const VISITORS: usize = 8;

pub fn run(session: &Session, report: &mut Report) {
    if session.wants(&["visit"]) {
        alone(session, report);
    }
    if session.wants(&["visit-beside-200"]) {
        beside(session, report);
    }
}

fn alone(session: &Session, report: &mut Report) {
    let mut crowds = session.crowds(1, "visit", report);
    let (mut rate, mut cpu) = (Samples::default(), Samples::default());
    session.in_turns(&mut crowds, "visit", report, |kind, crowd| {
        let run = crowd.churn(session.seconds(0.8), Some(REQUEST), |_| Login::Cli)?;
        rate.add(kind, run.per_second);
        cpu.add(kind, run.cpu_ms);
        Ok(())
    });
    let line = Line::new("visit", "connect, one request, close: rate", Unit::PerSecond, &rate);
    report.push(line.at_least(12.0, Kind::Original));
    let line = Line::new("visit", "the same, CPU each", Unit::Millis, &cpu);
    report.push(line.at_most(3.0, Kind::Bare).at_most(0.1, Kind::Original));
}

/// Here the yardsticks tell every held client of each one that leaves, as the protocol's presence event does; a
/// server that gathers those is allowed no more than that costs.
fn beside(session: &Session, report: &mut Report) {
    let (mut cpu, mut pushed) = (Samples::default(), Samples::default());
    session.each_kind("visit-beside-200", report, |kind| {
        let (mut crowd, _, _) = Crowd::start(&session.programs, kind, true)?;
        crowd.pool.connect(HELD - 1, Login::Cli)?;
        crowd.pool.settle(Duration::from_millis(300))?;
        for _ in 0..session.repetitions() {
            let before = crowd.pool.unasked();
            let run = crowd.churn(session.seconds(0.8), Some(REQUEST), |n| Login::Tracked(n % VISITORS))?;
            crowd.pool.settle(Duration::from_millis(100))?;
            let got = bytes(crowd.pool.unasked()) - bytes(before);
            cpu.add(kind, run.cpu_ms);
            pushed.add(kind, got / bytes((run.visits * HELD) as u64));
        }
        Ok(())
    });
    let line = Line::new("visit-beside-200", "the same beside 200 held: CPU each", Unit::Millis, &cpu);
    report.push(line.at_most(1.0, Kind::Bare).at_most(1.0 / 12.0, Kind::Original));
    let line = Line::new("visit-beside-200", "pushed to each held client per leaver", Unit::Bytes, &pushed);
    report.push(line.limit(Some(50.0), "no full presence list per leaver"));
}

/// A connect with a signed device against one with the token alone. The yardsticks check no signature.
pub fn device(session: &Session, report: &mut Report) {
    if !session.wants(&["connect-device"]) {
        return;
    }
    let (mut token, mut device) = (Samples::default(), Samples::default());
    session.each_kind("connect-device", report, |kind| {
        if matches!(kind, Kind::Bare | Kind::Epoll) {
            return Ok(());
        }
        let mut crowd = Crowd::of(&session.programs, kind, 1)?;
        crowd.pool.set_devices((1..=DEVICES).map(|n| Device::from_seed([n; 32])).collect());
        pair(&mut crowd)?;
        for _ in 0..session.repetitions() {
            token.add(kind, crowd.churn(session.seconds(0.6), None, |_| Login::Cli)?.cpu_ms);
            device.add(kind, crowd.churn(session.seconds(0.6), None, Login::Device)?.cpu_ms);
        }
        Ok(())
    });
    report.push(Line::new("connect-device", "connect with the token: CPU each", Unit::Millis, &token));
    let limit = token.of(Kind::Subject).map(|token| token + 0.15);
    report.push(
        Line::new("connect-device", "connect with a signed device: CPU each", Unit::Millis, &device)
            .limit(limit, "token connect + 0.15 ms")
            .at_most(1.0 / 15.0, Kind::Original),
    );
}

/// Connects every device once, which pairs it, so that the rest are ordinary returns.
fn pair(crowd: &mut Crowd) -> Result<()> {
    for number in 0..usize::from(DEVICES) {
        crowd.pool.connect(1, Login::Device(number))?;
    }
    Ok(())
}
