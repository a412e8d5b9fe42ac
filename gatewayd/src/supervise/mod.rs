//! `--supervise`: for machines without a service manager. This process stays in the foreground, starts the daemon as
//! its child, starts it again with a growing pause when it fails or freezes, and reaps: it adopts every orphan of the
//! daemon, and ends those that outlive it, so that none holds a port or a lock (rule R14). It keeps the
//! listening sockets, so that nobody is refused meanwhile. As PID 1 of a container it does for everybody what PID 1 has
//! to do.

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod notices;
#[cfg(unix)]
mod watch;

use gateway_base::env::Env;
use gateway_base::process;

#[cfg(unix)]
pub use watch::supervise;

/// Marks the daemon and its descendants: the number of the supervisor, and a name that is used once.
const MARK: &str = "CLAWDBOT_SUPERVISOR";

/// Whether this process is the daemon that a supervisor started.
#[must_use]
pub fn is_supervised(env: &Env) -> bool {
    let supervisor = env.get(MARK).and_then(|mark| mark.split('.').next()?.parse().ok());
    supervisor.is_some_and(|pid: u32| pid == process::parent_pid())
}

/// Runs the daemon until it ends for good.
#[cfg(not(unix))]
#[allow(clippy::unused_async, reason = "the same shape as on Unix")]
pub async fn supervise(_: &crate::lifecycle::Program, _: &Env) -> std::io::Result<crate::exit::Exit> {
    Err(std::io::Error::other("this system has a service manager; run: gatewayctl install"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_child_of_the_supervisor_is_supervised() {
        let env = |mark: String| Env::from_pairs([(MARK, mark)]);
        let parent = process::parent_pid();
        assert!(is_supervised(&env(format!("{parent}.x"))));
        assert!(!is_supervised(&env(format!("{}.x", parent + 1))));
        assert!(!is_supervised(&env("nonsense".to_owned())) && !is_supervised(&Env::default()));
    }
}
