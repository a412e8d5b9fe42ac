//! The publication of the gateway through Tailscale, beside serving: nothing waits for it, and its failure ends nothing.
//! One task asks until it worked, because after a boot Tailscale is often connected later than the gateway is up, and
//! keeps the health part `tailscale`. It says what came out on the terminal once, as the tutorial shows it, and looks now
//! and then whether that is still so: whoever switches Tailscale off does not tell the gateway.

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
const PACE: Pace = Pace {
    again: Duration::from_secs(5),
    longest: Duration::from_secs(5 * 60),
    look: Duration::from_secs(60),
};

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Before a second attempt; before each further one it is twice as long.
    again: Duration,
    /// The longest pause between two attempts.
    longest: Duration,
    /// Between two looks at what worked.
    look: Duration,
}

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
    pace: Pace,
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
        let (tailscale, board) = (tailscale.clone(), board.clone());
        Some(Self { tailscale, reach, target, names_count, board, pace: PACE })
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
                () = attempts.keep_published(options) => {}
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

    async fn keep_published(self, options: Options) {
        let mut pause = options.pace.again;
        let mut last = None;
        loop {
            let problem = match self.attempt(&options).await {
                Ok(status) => {
                    options.board.set(Part::Tailscale, State::Serving, "");
                    tell(self.reach, &status, options.names_count);
                    self.told.cancel();
                    (pause, last) = (options.pace.again, None);
                    self.until_it_fails(options.pace).await
                }
                Err(problem) => problem,
            };
            options.board.set(Part::Tailscale, State::Failed, problem.to_string());
            if last.as_ref() != Some(&problem) {
                complain(self.reach, &problem);
            }
            self.told.cancel();
            last = Some(problem);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(options.pace.longest);
        }
    }

    /// Looks whether Tailscale is still connected. A single look that fails is none: its service may just be restarted.
    async fn until_it_fails(&self, pace: Pace) -> Problem {
        loop {
            tokio::time::sleep(pace.look).await;
            if self.tailscale.status().await.is_err() {
                tokio::time::sleep(pace.again).await;
                if let Err(problem) = self.tailscale.status().await {
                    return problem;
                }
            }
        }
    }

    async fn attempt(&self, options: &Options) -> Result<Status, Problem> {
        let status = self.tailscale.status().await?;
        // Whether an attempt that is cut off did anything is not known.
        let before = self.touched.swap(true, Ordering::Relaxed);
        let published = self.tailscale.publish(self.reach, options.target, &status).await;
        if !matches!(published, Ok(()) | Err(Problem::TooLate { .. })) {
            self.touched.store(before, Ordering::Relaxed);
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
    use gateway_base::clock::Clock;
    use gateway_base::env::Env;

    use super::*;

    /// A program in Tailscale's place that is connected as long as there is a file `up` beside it.
    #[cfg(unix)]
    fn stand_in(folder: &std::path::Path) -> Tailscale {
        use std::os::unix::fs::PermissionsExt;
        let program = folder.join("tailscale");
        let lines = "#!/bin/sh\nhere=${0%/*}\necho \"$1\" >> \"$here/calls\"\n\
            if [ -e \"$here/up\" ]; then state=Running; else state=Stopped; fi\n\
            echo \"{\\\"BackendState\\\":\\\"$state\\\",\\\"Self\\\":{\\\"DNSName\\\":\\\"box.ts.net.\\\"}}\"\n";
        std::fs::write(&program, lines).expect("is written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("is a program");
        std::fs::write(folder.join("up"), "").expect("is up");
        Tailscale::new(&Env::from_pairs([("PATH", folder.display().to_string())]))
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_tailscale_that_goes_away_is_told_and_used_again_when_it_is_back() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let board = Board::new(Clock::manual(1));
        let soon = Duration::from_millis(5);
        let options = Options {
            tailscale: stand_in(folder.path()),
            reach: Reach::Serve,
            target: Target { address: ([127, 0, 0, 1], 1).into(), tls: false },
            names_count: true,
            board: board.clone(),
            pace: Pace { again: soon, longest: soon, look: soon },
        };
        let (mut changes, stop) = (board.subscribe(), CancellationToken::new());
        let tunnel = Tunnel {
            tailscale: options.tailscale.clone(),
            reach: options.reach,
            touched: Arc::default(),
            stop: stop.clone(),
            told: CancellationToken::new(),
            ended: stop.clone(),
        };
        let watched = async {
            let mut is = async |state| {
                let seen = changes.wait_for(|now| now.part(Part::Tailscale).state == state).await;
                seen.expect("a board").part(Part::Tailscale).reason.clone()
            };
            is(State::Serving).await;
            std::fs::remove_file(folder.path().join("up")).expect("was up");
            let why = is(State::Failed).await;
            assert!(why.contains("switched off") && why.contains("sudo tailscale up"), "{why}");
            std::fs::write(folder.path().join("up"), "").expect("is up");
            is(State::Serving).await;
        };
        tokio::select! {
            () = tunnel.clone().keep_published(options) => {}
            () = watched => {}
        }
        let calls = std::fs::read_to_string(folder.path().join("calls")).expect("calls");
        assert_eq!(calls.lines().filter(|call| *call == "serve").count(), 2, "{calls}");
        assert!(tunnel.touched.load(Ordering::Relaxed), "it is to be taken back at the end");
    }

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
