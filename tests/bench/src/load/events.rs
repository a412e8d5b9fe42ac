//! Events to everybody: the client at place 0 calls `talk.mode`, whose event carries a running number in its
//! `phase`, and every client counts and times what it gets.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::client::Seen;
use super::crowd::{Crowd, count};
use super::pool::PATIENCE;
use crate::codec;
use crate::stats::Latencies;

/// Size of an ordinary event's JSON in bytes, and of the large one of the stalled clients.
pub const SMALL: usize = 200;
/// The size of an event that fills a stalled client's buffers soon.
pub const LARGE: usize = 16 * 1024;

/// What an event costs beside its padding, about.
const FRAME_WITHOUT_PADDING: usize = 112;
const KEY: &[u8] = br#""phase":"e"#;

/// Events that were delivered.
#[derive(Clone, Debug)]
pub struct FanoutRun {
    /// Deliveries per second.
    pub per_second: f64,
    /// CPU of the server for one delivery, in microseconds.
    pub cpu_us: f64,
    /// 99 % were delivered within this, in milliseconds; 0 when it was not measured.
    pub p99_ms: f64,
    /// Deliveries that are missing.
    pub lost: usize,
}

impl Crowd {
    /// Keeps `in_flight` events on their way that not all clients have yet, for `time`.
    pub fn fanout(&mut self, in_flight: usize, time: Duration) -> Result<FanoutRun> {
        let (clients, first) = (self.pool.len(), self.next_event);
        let mut tally = Tally::new(first, clients);
        let before = self.server.cpu()?;
        let begin = Instant::now();
        let mut progress = begin;
        loop {
            let issued = self.next_event - first;
            let more = begin.elapsed() < time;
            if !more && tally.complete == issued {
                break;
            }
            if more && issued - tally.complete < in_flight {
                for _ in issued - tally.complete..in_flight {
                    self.trigger(SMALL)?;
                }
                self.pool.flush(0)?;
            }
            let already = tally.delivered;
            self.pool.turn(Duration::from_millis(50), |_, seen, _| tally.see(seen))?;
            if tally.delivered > already {
                progress = Instant::now();
            } else if progress.elapsed() > PATIENCE {
                bail!(
                    "{} of {} deliveries are missing",
                    issued * clients - tally.delivered,
                    issued * clients
                );
            }
        }
        let took = begin.elapsed();
        let cpu = self.server.cpu()?.since(&before);
        Ok(tally.result(took, cpu, 0.0, 0))
    }

    /// Sends one event of `size` bytes at each moment of `due`, counted from now, and waits up to five seconds for
    /// the last. `silent` clients are known not to read.
    pub fn paced(&mut self, due: &[Duration], size: usize, silent: usize) -> Result<FanoutRun> {
        let (clients, first) = (self.pool.len() - silent, self.next_event);
        let mut tally = Tally::new(first, clients);
        let mut latencies = Latencies::default();
        let before = self.server.cpu()?;
        let begin = Instant::now();
        let mut issued = 0;
        while tally.complete < due.len() {
            let now = begin.elapsed();
            let next = due.iter().skip(issued).take_while(|at| **at <= now).count();
            if next > 0 {
                for _ in 0..next {
                    self.trigger(size)?;
                }
                self.pool.flush(0)?;
                issued += next;
            }
            let wait =
                due.get(issued).map_or(Duration::from_millis(50), |at| at.saturating_sub(begin.elapsed()));
            self.pool.turn(wait, |_, seen, _| {
                if let Some(at) = tally.see_event(seen).and_then(|event| due.get(event)) {
                    latencies.push(begin.elapsed().saturating_sub(*at));
                }
            })?;
            let last = due.last().copied().unwrap_or_default();
            if issued == due.len() && begin.elapsed() > last + Duration::from_secs(5) {
                break;
            }
        }
        let took = begin.elapsed();
        let cpu = self.server.cpu()?.since(&before);
        let lost = (due.len() * clients).saturating_sub(latencies.len());
        Ok(tally.result(took, cpu, latencies.percentile_ms(0.99), lost))
    }

    fn trigger(&mut self, size: usize) -> Result<()> {
        let number = self.next_event;
        self.next_event += 1;
        let padding = size.saturating_sub(FRAME_WITHOUT_PADDING);
        let text = format!(
            r#"{{"type":"req","id":"t{number}","method":"talk.mode","params":{{"enabled":true,"phase":"e{number:08}{:x<padding$}"}}}}"#,
            ""
        );
        self.pool.out(0)?.request(&text);
        Ok(())
    }
}

/// Counts deliveries per event.
struct Tally {
    first: usize,
    clients: usize,
    per_event: Vec<usize>,
    complete: usize,
    delivered: usize,
    marker: Marker,
}

impl Tally {
    fn new(first: usize, clients: usize) -> Self {
        let marker = Marker { at: KEY.len() };
        Self { first, clients, per_event: Vec::new(), complete: 0, delivered: 0, marker }
    }

    fn see(&mut self, seen: Seen<'_>) {
        self.see_event(seen);
    }

    /// The number of the event since the run began, when it is one.
    fn see_event(&mut self, seen: Seen<'_>) -> Option<usize> {
        let Seen::Text(frame) = seen else { return None };
        let event = self.marker.read(frame)?.checked_sub(self.first)?;
        if event >= self.per_event.len() {
            self.per_event.resize(event + 1, 0);
        }
        self.per_event[event] += 1;
        self.delivered += 1;
        self.complete += usize::from(self.per_event[event] == self.clients);
        Some(event)
    }

    fn result(&self, took: Duration, cpu: Duration, p99_ms: f64, lost: usize) -> FanoutRun {
        let delivered = count(self.delivered);
        FanoutRun {
            per_second: delivered / took.as_secs_f64(),
            cpu_us: cpu.as_secs_f64() * 1e6 / delivered,
            p99_ms,
            lost,
        }
    }
}

/// Finds an event's number. All events of a server look alike, so the place of the last one is tried first.
struct Marker {
    at: usize,
}

impl Marker {
    fn read(&mut self, frame: &[u8]) -> Option<usize> {
        if !frame.starts_with(br#"{"type":"event""#) {
            return None;
        }
        if frame.get(self.at - KEY.len()..self.at) != Some(KEY) {
            self.at = codec::find(frame, KEY)? + KEY.len();
        }
        codec::number(frame.get(self.at..self.at + 8)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: usize) -> String {
        format!(
            r#"{{"type":"event","event":"talk.mode","payload":{{"enabled":true,"phase":"e{number:08}xx"}},"seq":1}}"#
        )
    }

    #[test]
    fn the_marker_reads_events_and_nothing_else() {
        let mut marker = Marker { at: KEY.len() };
        assert_eq!(marker.read(event(42).as_bytes()), Some(42));
        assert_eq!(marker.read(event(43).as_bytes()), Some(43));
        assert_eq!(marker.read(br#"{"type":"res","payload":{"phase":"e00000042"}}"#), None);
        assert_eq!(marker.read(br#"{"type":"event","event":"tick","payload":{}}"#), None);
        assert_eq!(marker.read(br#"{"type":"event","payload":{"phase":"e00000044"}}"#), Some(44));
    }

    #[test]
    fn an_event_is_complete_when_every_client_has_it() {
        let mut tally = Tally::new(5, 2);
        assert_eq!(tally.see_event(Seen::Text(event(5).as_bytes())), Some(0));
        assert_eq!(tally.see_event(Seen::Text(event(6).as_bytes())), Some(1));
        assert_eq!(tally.complete, 0);
        tally.see(Seen::Text(event(6).as_bytes()));
        tally.see(Seen::Text(event(4).as_bytes()));
        assert_eq!((tally.complete, tally.delivered), (1, 3));
    }
}
