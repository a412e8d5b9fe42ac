//! Requests in a closed loop: every client keeps a fixed number of them in flight and asks again as soon as one is
//! answered.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::client::Seen;
use super::crowd::{Crowd, count};
use super::pool::PATIENCE;
use crate::codec::{self, field, number};
use crate::stats::Latencies;

/// Requests that were answered.
#[derive(Clone, Copy, Debug)]
pub struct RequestRun {
    /// Answers per second.
    pub per_second: f64,
    /// CPU of the server for one, in microseconds.
    pub cpu_us: f64,
    /// 99 % were answered within this, in milliseconds.
    pub p99_ms: f64,
}

impl Crowd {
    /// Asks once, over the first client. The answer's frame, or the server's refusal as the inner error.
    pub fn call(&mut self, method: &str) -> Result<Result<Vec<u8>, String>> {
        let text = format!(r#"{{"type":"req","id":"call","method":"{method}"}}"#);
        self.pool.out(0)?.request(&text);
        self.pool.flush(0)?;
        let begin = Instant::now();
        let mut answer = None;
        while answer.is_none() {
            self.pool.turn(Duration::from_millis(100), |place, seen, _| match seen {
                Seen::Text(frame) if place == 0 && answer_id(frame) == Some(b"call") => {
                    answer = Some(frame.to_vec())
                }
                _ => {}
            })?;
            if begin.elapsed() > PATIENCE {
                bail!("no answer to {method} within {PATIENCE:?}");
            }
        }
        let frame = answer.unwrap_or_default();
        let begins = &frame[..frame.len().min(80)];
        if codec::find(begins, br#""ok":true"#).is_some() {
            return Ok(Ok(frame));
        }
        let message = field(&frame, br#""message":""#).unwrap_or(b"refused without a message");
        Ok(Err(String::from_utf8_lossy(message).into_owned()))
    }

    /// The first `clients` clients keep `depth` requests in flight each, for `time`.
    pub fn requests(
        &mut self,
        method: &str,
        clients: usize,
        depth: usize,
        time: Duration,
    ) -> Result<RequestRun> {
        let slots: Vec<Vec<u8>> = (0..clients * depth).map(|slot| request_frame(slot, method)).collect();
        let mut sent = vec![Instant::now(); slots.len()];
        let mut latencies = Latencies::default();
        let before = self.server.cpu()?;
        let begin = Instant::now();
        for place in 0..clients {
            for slot in place * depth..(place + 1) * depth {
                self.pool.out(place)?.frames(&slots[slot]);
                sent[slot] = Instant::now();
            }
            self.pool.flush(place)?;
        }
        let (mut in_flight, mut progress, mut strange) = (slots.len(), begin, None);
        while in_flight > 0 {
            let already = latencies.len();
            self.pool.turn(Duration::from_millis(50), |_, seen, out| {
                let Seen::Text(frame) = seen else { return };
                let Some(slot) = answer_id(frame).and_then(number) else { return };
                let Some(asked) = sent.get_mut(slot) else {
                    strange = Some(slot);
                    return;
                };
                let now = Instant::now();
                latencies.push(now - *asked);
                if now - begin < time {
                    *asked = now;
                    out.frames(&slots[slot]);
                } else {
                    in_flight -= 1;
                }
            })?;
            if let Some(slot) = strange {
                bail!("an answer to a request {slot} that was not asked");
            }
            if latencies.len() > already {
                progress = Instant::now();
            } else if progress.elapsed() > PATIENCE {
                bail!("{in_flight} requests for {method} were not answered within {PATIENCE:?}");
            }
        }
        let took = begin.elapsed();
        let cpu = self.server.cpu()?.since(&before);
        let answers = count(latencies.len());
        Ok(RequestRun {
            per_second: answers / took.as_secs_f64(),
            cpu_us: cpu.as_secs_f64() * 1e6 / answers,
            p99_ms: latencies.percentile_ms(0.99),
        })
    }

    /// Fails when a run's first request would be refused, so that no row measures refusals.
    pub fn must_answer(&mut self, method: &str) -> Result<()> {
        let answer = self.call(method)?;
        answer.map(drop).map_err(anyhow::Error::msg).with_context(|| format!("{method} was refused"))
    }
}

fn request_frame(slot: usize, method: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    let text = format!(r#"{{"type":"req","id":"{slot}","method":"{method}"}}"#);
    codec::push_client_frame(&mut frame, codec::TEXT, text.as_bytes());
    frame
}

/// The id of a response frame.
fn answer_id(frame: &[u8]) -> Option<&[u8]> {
    let begin = &frame[..frame.len().min(96)];
    if begin.starts_with(br#"{"type":"res""#) { field(begin, br#""id":""#) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_responses_have_an_answer_id() {
        assert_eq!(answer_id(br#"{"type":"res","id":"12","ok":true}"#), Some(&b"12"[..]));
        assert_eq!(answer_id(br#"{"type":"event","event":"tick","payload":{"id":"12"}}"#), None);
    }
}
