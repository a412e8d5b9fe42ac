//! A server together with its clients: what every measurement works on. The measurements themselves are in the
//! files beside this one, as further methods.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::client::Seen;
use super::login::Login;
use super::pool::{PATIENCE, Pool, pause};
use crate::measure::Cpu;
use crate::server::{Kind, Programs, Server};

/// A running server and the clients that are connected to it.
pub struct Crowd {
    /// The server.
    pub server: Server,
    /// Its clients. The one at place 0 sends what makes events.
    pub pool: Pool,
    pub(super) next_event: usize,
}

/// Clients that came and went.
#[derive(Clone, Copy, Debug)]
pub struct ChurnRun {
    /// Visits per second.
    pub per_second: f64,
    /// CPU of the server for one visit, in milliseconds.
    pub cpu_ms: f64,
    /// Visits in all.
    pub visits: usize,
}

impl Crowd {
    /// Starts a server, waits until it lets the first client in, and says how long that took and the CPU it cost.
    pub fn start(programs: &Programs, kind: Kind, announce_leave: bool) -> Result<(Self, Duration, Cpu)> {
        let mut server = Server::spawn(programs, kind, announce_leave)?;
        let mut pool = Pool::new(server.address)?;
        while let Err(error) = pool.open(Login::Cli, None) {
            if !refused(&error) {
                return Err(error);
            }
            server.check_starting()?;
            pause(Duration::from_micros(200));
        }
        while pool.is_empty() {
            server.check_starting()?;
            if let Err(error) = pool.turn(Duration::from_millis(100), |_, _, _| {}) {
                return Err(error.context(server.output()));
            }
        }
        let took = server.begun.elapsed();
        server.adopt_children();
        let cpu = server.cpu()?;
        Ok((Self { server, pool, next_event: 0 }, took, cpu))
    }

    /// Starts a server and logs clients in until there are `clients`.
    pub fn of(programs: &Programs, kind: Kind, clients: usize) -> Result<Self> {
        let (mut crowd, _, _) = Self::start(programs, kind, false)?;
        crowd.pool.connect(clients - 1, Login::Cli)?;
        crowd.pool.settle(Duration::from_millis(100))?;
        Ok(crowd)
    }

    /// Clients connect, send `request` if there is one, wait for the answer and leave, eight at a time, for `time`.
    /// `login` is given a running number.
    pub fn churn(
        &mut self,
        time: Duration,
        request: Option<&str>,
        login: impl Fn(usize) -> Login,
    ) -> Result<ChurnRun> {
        const AT_ONCE: usize = 8;
        let request = request.map(|method| format!(r#"{{"type":"req","id":"1","method":"{method}"}}"#));
        let held = self.pool.len();
        let (mut begun, mut gone) = (0, 0);
        let before = self.server.cpu()?;
        let begin = Instant::now();
        let mut progress = begin;
        loop {
            let more = begin.elapsed() < time;
            while more && begun - gone < AT_ONCE {
                self.pool.open(login(begun), None)?;
                begun += 1;
            }
            if begun == gone {
                break;
            }
            let already = gone;
            self.pool.turn(Duration::from_millis(50), |place, seen, out| match seen {
                Seen::Ready => match &request {
                    Some(request) => out.request(request),
                    None => out.close(),
                },
                Seen::Text(frame) if place >= held && frame.starts_with(br#"{"type":"res""#) => out.close(),
                Seen::Text(_) => {}
                Seen::Closed => gone += 1,
            })?;
            if gone > already {
                progress = Instant::now();
            } else if progress.elapsed() > PATIENCE {
                bail!("{} of {begun} visits did not end within {PATIENCE:?}", begun - gone);
            }
        }
        let took = begin.elapsed();
        let cpu = self.server.cpu()?.since(&before);
        let visits = count(gone);
        Ok(ChurnRun {
            per_second: visits / took.as_secs_f64(),
            cpu_ms: cpu.as_secs_f64() * 1e3 / visits,
            visits: gone,
        })
    }
}

/// A count as a factor.
#[allow(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

fn refused(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused)
}
