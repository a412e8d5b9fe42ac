//! The publication of the gateway through Tailscale, beside serving: nothing waits for it, and its failure ends nothing.
//! One task asks until it worked, because after a boot Tailscale is often connected later than the gateway is up, and
//! keeps the health part `tailscale`. It says what came out on the terminal once, as the tutorial shows it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateway_adapters::tailscale::{Problem, Reach, Status, Tailscale, Target};
use gateway_base::task::{Kind, Tasks};
use gateway_server::admin::health::{Board, Part, State};
use tokio_util::sync::CancellationToken;

use crate::print;
use crate::start::Boot;

/// How long the lines of the start wait for those of the tunnel, so that they come in the order of the tutorial.
pub const PATIENCE: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// What is published, how, and who is told.
pub struct Options {
    /// Tailscale's program.
    pub tailscale: Tailscale,
    /// To whom.
    pub reach: Reach,
    /// Where the gateway listens.
    pub target: Target,
    /// People of the tailnet may come in by name.
    pub names_count: bool,
    /// The health of the daemon.
    pub board: Board,
}

impl Options {
    /// What this start asks for. People of the tailnet being known, everybody on this machine may still be let in.
    #[must_use]
    pub fn of(
        boot: &Boot,
        tailscale: &Tailscale,
        tls: bool,
        names_count: bool,
        board: &Board,
    ) -> Option<Self> {
        let reach = boot.exposure.reach?;
        let addresses = || boot.listeners.iter().map(|listener| listener.address);
        let address = addresses().find(SocketAddr::is_ipv4).or_else(|| addresses().next())?;
        if boot.auth.is_none() {
            tracing::warn!(
                subsystem = "tailscale",
                "no gateway auth: people of the tailnet are let in by name, and every program on this machine without one; set gateway.auth.token to change that"
            );
        }
        let target = Target { address, tls };
        Some(Self { tailscale: tailscale.clone(), reach, target, names_count, board: board.clone() })
    }
}

/// A publication on its way or in place. Clones share it.
#[derive(Clone)]
pub struct Tunnel {
    tailscale: Tailscale,
    reach: Reach,
    /// Something may be published.
    touched: Arc<AtomicBool>,
    /// Ends the attempts.
    stop: CancellationToken,
    /// Cancelled when the first attempt has been told.
    told: CancellationToken,
    /// Cancelled when there will be no further attempt.
    ended: CancellationToken,
}

impl Tunnel {
    /// Starts to publish.
    pub fn start(options: Options, tasks: &Tasks) -> Self {
        let tunnel = Self {
            tailscale: options.tailscale.clone(),
            reach: options.reach,
            touched: Arc::default(),
            stop: tasks.stopping().child_token(),
            told: CancellationToken::new(),
            ended: CancellationToken::new(),
        };
        options.board.set(Part::Tailscale, State::Starting, "");
        let (attempts, ended) = (tunnel.clone(), tunnel.ended.clone().drop_guard());
        tasks.spawn("tailscale", Kind::Request, async move {
            let _ended = ended;
            let stop = attempts.stop.clone();
            tokio::select! {
                () = attempts.until_it_works(options) => {}
                () = stop.cancelled() => {}
            }
        });
        tunnel
    }

    /// Resolves when it has been told what came out, or when that takes too long to wait for.
    pub async fn told(self) {
        let _ = tokio::time::timeout(PATIENCE, self.told.cancelled()).await;
    }

    /// Ends the attempts and takes back what they published.
    pub async fn reset(self) -> Result<(), String> {
        self.stop.cancel();
        self.ended.cancelled().await;
        if !self.touched.load(Ordering::Relaxed) {
            return Ok(());
        }
        let word = self.reach.word();
        self.tailscale.withdraw(self.reach).await.map_err(|error| {
            tracing::warn!(subsystem = "tailscale", "{word} cleanup failed: {error}");
            format!("{error}; by hand: tailscale {word} --https=443 off")
        })
    }

    async fn until_it_works(self, options: Options) {
        let mut pause = FIRST_PAUSE;
        let mut last = None;
        loop {
            match self.attempt(&options).await {
                Ok(status) => {
                    options.board.set(Part::Tailscale, State::Serving, "");
                    tell(self.reach, &status, options.names_count);
                    self.told.cancel();
                    return;
                }
                Err(problem) => {
                    options.board.set(Part::Tailscale, State::Failed, problem.to_string());
                    if last.as_ref() != Some(&problem) {
                        complain(self.reach, &problem);
                    }
                    self.told.cancel();
                    last = Some(problem);
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self, options: &Options) -> Result<Status, Problem> {
        let status = self.tailscale.status().await?;
        // Whether an attempt that is cut off did anything is not known.
        self.touched.store(true, Ordering::Relaxed);
        let published = self.tailscale.publish(self.reach, options.target, &status).await;
        if !matches!(published, Ok(()) | Err(Problem::TooLate { .. })) {
            self.touched.store(false, Ordering::Relaxed);
        }
        published.map(|()| status)
    }
}

fn tell(reach: Reach, status: &Status, names_count: bool) {
    for line in lines(reach, status, names_count) {
        print::success(&line);
    }
    let word = reach.word();
    match status.host() {
        Some(host) => tracing::info!(
            subsystem = "tailscale",
            file_only = true,
            "{word} enabled: https://{host}/ (WS via wss://{host})"
        ),
        None => tracing::info!(subsystem = "tailscale", file_only = true, "{word} enabled"),
    }
}

fn complain(reach: Reach, problem: &Problem) {
    let word = reach.word();
    print::failure(&format!("tailscale {word} failed: {problem}"));
    tracing::warn!(
        subsystem = "tailscale",
        file_only = true,
        "{word} failed: {problem}. The gateway serves this machine and tries again by itself."
    );
}

/// The lines of the tutorial. The address is the one that answers: Tailscale publishes on port 443, whatever the
/// gateway's own port is.
fn lines(reach: Reach, status: &Status, names_count: bool) -> Vec<String> {
    let detected = names_count && status.name.is_some();
    let identity = detected.then(|| "Tailscale identity detected".to_owned());
    let (done, address) = match reach {
        Reach::Serve => ("advertising gateway via Tailscale Serve", "MagicDNS"),
        Reach::Funnel => ("Tailscale Funnel enabled", "Funnel URL"),
    };
    let address = status.host().map(|host| format!("{address}: https://{host}"));
    let identity = identity.filter(|_| reach == Reach::Serve);
    identity.into_iter().chain([done.to_owned()]).chain(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_those_of_the_tutorial() {
        let status = Status { name: Some("your-tailnet.ts.net".into()), ..Status::default() };
        assert_eq!(
            lines(Reach::Serve, &status, true),
            [
                "Tailscale identity detected",
                "advertising gateway via Tailscale Serve",
                "MagicDNS: https://your-tailnet.ts.net",
            ]
        );
        assert_eq!(
            lines(Reach::Funnel, &status, true),
            ["Tailscale Funnel enabled", "Funnel URL: https://your-tailnet.ts.net"]
        );
        assert_eq!(lines(Reach::Serve, &status, false).len(), 2, "nobody is let in by name");
        let unnamed = lines(Reach::Serve, &Status::default(), true);
        assert_eq!(unnamed, ["advertising gateway via Tailscale Serve"]);
    }
}
