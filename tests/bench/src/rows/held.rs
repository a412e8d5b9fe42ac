//! Many clients at once: what it costs to let them in, what each costs while it is idle, and how fast an event
//! reaches them all. A thousand are connected anew in every repetition; the last thousand stays for the events.

use std::time::Duration;

use anyhow::Result;

use super::Session;
use super::fanout;
use super::start::bytes;
use crate::load::{Crowd, Login, pause};
use crate::report::{Line, Report, Samples, Unit};
use crate::server::Kind;

const MANY: usize = 1000;
const MOST: usize = 10_000;
/// How long a server that pushes nothing is waited for.
const SOON: Duration = Duration::from_millis(100);

/// What it took to connect a crowd.
#[derive(Default)]
struct Connects {
    cpu_ms: Samples,
    per_second: Samples,
    memory: Samples,
    unasked: Samples,
}

pub fn run(session: &Session, report: &mut Report) {
    let many = session.wants(&["connect-1000", "connect-10000", "fanout-1000", "paced-1000", "idle-cpu"]);
    let mut at_many = Connects::default();
    if many {
        thousand(session, report, &mut at_many);
    }
    if session.wants(&["connect-10000", "fanout-10000", "paced-10000"]) {
        ten_thousand(session, report, &at_many);
    }
}

fn thousand(session: &Session, report: &mut Report, connects: &mut Connects) {
    let mut kept = Vec::new();
    session.each_kind("connect-1000", report, |kind| {
        let repetitions = if kind == Kind::Original { 1 } else { session.repetitions() };
        for left in (0..repetitions).rev() {
            let crowd = connect(session, kind, MANY, connects)?;
            if left == 0 {
                kept.push((kind, crowd));
            }
        }
        Ok(())
    });
    report.push(
        Line::new("connect-1000", "CPU per connect, 1000 clients", Unit::Millis, &connects.cpu_ms)
            .at_most(5.0, Kind::Bare)
            .at_most(1.0 / 60.0, Kind::Original),
    );
    report.push(memory_line("connect-1000", "memory per idle connection, 1000", &connects.memory));
    report.push(unasked_line("connect-1000", "pushed unasked per connection, 1000", &connects.unasked));
    idle_cpu(session, report, &mut kept);
    fanout::thousand(session, report, &mut kept);
}

fn idle_cpu(session: &Session, report: &mut Report, crowds: &mut super::session::Crowds) {
    if !session.wants(&["idle-cpu"]) {
        return;
    }
    let mut ticks = Samples::default();
    for _ in 0..session.repetitions() {
        let mut before = Vec::new();
        crowds.retain_mut(|(kind, crowd)| match crowd.pool.settle(SOON).and_then(|()| crowd.server.cpu()) {
            Ok(cpu) => {
                before.push(cpu);
                true
            }
            Err(error) => {
                report.failed(*kind, "idle-cpu", &error);
                false
            }
        });
        pause(Duration::from_secs(2));
        for ((kind, crowd), before) in crowds.iter().zip(&before) {
            match crowd.server.cpu() {
                Ok(after) => ticks.add(*kind, bytes(after.ticks_since(before))),
                Err(error) => report.failed(*kind, "idle-cpu", &error),
            }
        }
    }
    report.push(
        Line::new("idle-cpu", "CPU ticks in 2 s, 1000 held", Unit::Count, &ticks)
            .limit(Some(0.0), "the goal"),
    );
}

fn ten_thousand(session: &Session, report: &mut Report, at_many: &Connects) {
    let clients = MOST.min(session.most_clients);
    let mut connects = Connects::default();
    let mut events = fanout::Most::default();
    session.each_kind("connect-10000", report, |kind| {
        if kind == Kind::Original {
            return Ok(());
        }
        let mut crowd = connect(session, kind, clients, &mut connects)?;
        events.measure(session, kind, &mut crowd)
    });
    let at_thousand = at_many.cpu_ms.of(Kind::Subject).map(|cpu| 1.3 * cpu);
    report.push(
        Line::new(
            "connect-10000",
            format!("CPU per connect, {clients} clients"),
            Unit::Millis,
            &connects.cpu_ms,
        )
        .limit(at_thousand, "1.3x that at 1000"),
    );
    report.push(
        Line::new("connect-10000", "connects per second", Unit::PerSecond, &connects.per_second)
            .at_least(0.4, Kind::Bare),
    );
    report.push(memory_line("connect-10000", "memory per idle connection", &connects.memory));
    report.push(unasked_line("connect-10000", "pushed unasked per connection", &connects.unasked));
    events.report(session, report, clients);
}

fn memory_line(row: &'static str, measure: &str, memory: &Samples) -> Line {
    Line::new(row, measure, Unit::Bytes, memory)
        .at_most(0.7, Kind::Bare)
        .limit(Some(6.0 * 1024.0), "1/14 of the original")
        .at_most(1.0 / 14.0, Kind::Original)
}

fn unasked_line(row: &'static str, measure: &str, unasked: &Samples) -> Line {
    Line::new(row, measure, Unit::Bytes, unasked).limit(Some(10.0 * 1024.0), "the goal")
}

/// Starts a server and connects `clients`; waits past the second within which a server may gather its broadcasts.
fn connect(session: &Session, kind: Kind, clients: usize, connects: &mut Connects) -> Result<Crowd> {
    let (mut crowd, _, _) = Crowd::start(&session.programs, kind, false)?;
    crowd.pool.settle(Duration::from_millis(300))?;
    let (memory, cpu) = (crowd.server.resident()?, crowd.server.cpu()?);
    let begin = std::time::Instant::now();
    crowd.pool.connect(clients - 1, Login::Cli)?;
    let took = begin.elapsed();
    crowd.pool.settle(if matches!(kind, Kind::Bare | Kind::Epoll) {
        SOON
    } else {
        Duration::from_millis(1100)
    })?;
    let used = crowd.server.cpu()?.since(&cpu);
    let each = bytes((clients - 1) as u64);
    connects.cpu_ms.add(kind, used.as_secs_f64() * 1e3 / each);
    connects.per_second.add(kind, each / took.as_secs_f64());
    connects.memory.add(kind, (bytes(crowd.server.resident()?) - bytes(memory)) / each);
    connects.unasked.add(kind, bytes(crowd.pool.unasked()) / each);
    Ok(crowd)
}
