//! `--force`: ends whatever listens on the port, with the steps and the patience of the tutorial: SIGTERM, 700 ms,
//! SIGKILL, two seconds in all (operations 4.1 and 4.2). A process is signalled only through a handle that cannot
//! come to mean another one, and never when it is this process, its parent or the first process.

use std::time::Duration;

use gateway_base::error_chain::Chain;
use gateway_base::listeners::{self, Holder, Usage};
use gateway_base::process::{self, Handle, Signal};
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_millis(2000);
const PATIENCE: Duration = Duration::from_millis(700);
const POLL: Duration = Duration::from_millis(100);

/// Why the port could not be freed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The listeners cannot be listed.
    #[error("{0}; cannot free port {1}")]
    List(String, u16),
    /// The port is in use by somebody this process may not see.
    #[error("port {0} is in use, but its owner cannot be identified (try as the user who started it)")]
    Unidentified(u16),
    /// Ending this process would end ourselves.
    #[error("refusing to kill {what} on port {port}")]
    Refused {
        /// The process.
        what: String,
        /// The port.
        port: u16,
    },
    /// A service manager keeps the port for a service, and ending it would end everything it runs.
    #[error("{what} keeps port {port} open for a service; stop that service first (gatewayctl stop)")]
    Kept {
        /// The process.
        what: String,
        /// The port.
        port: u16,
    },
    /// The operating system did not let us.
    #[error("failed to kill {what}: {reason}")]
    Kill {
        /// The process.
        what: String,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// Time is over.
    #[error("port {port} still has listeners after --force: {pids}")]
    StillThere {
        /// The port.
        port: u16,
        /// The pids that are left.
        pids: String,
    },
}

/// Frees `port` and returns the lines to print, without their `✓`.
pub async fn free(port: u16) -> Result<Vec<String>, Error> {
    let first = list(port)?;
    if first.is_empty() {
        return match Usage::of(port) {
            Usage::Busy(holders) if holders.is_empty() => Err(Error::Unidentified(port)),
            _ => Ok(vec![format!("force: no listeners on port {port}")]),
        };
    }
    for holder in &first {
        refuse_own(holder, port, std::process::id(), process::parent_pid())?;
    }
    let mut lines = Vec::new();
    for holder in &first {
        end(holder, port, Signal::Terminate)?;
        lines.push(format!("force: killed {} on port {port}", name(holder)));
    }
    let began = Instant::now();
    if !wait(port, began, PATIENCE).await? {
        for holder in &list(port)? {
            refuse_own(holder, port, std::process::id(), process::parent_pid())?;
            end(holder, port, Signal::Kill)?;
        }
        lines.push(format!("force: escalated to SIGKILL while freeing port {port}"));
        if wait(port, began, LIMIT).await? {
            return Ok(with_wait(lines, port, began));
        }
        let pids = list(port)?.iter().map(|holder| holder.pid.to_string()).collect::<Vec<_>>().join(", ");
        return Err(Error::StillThere { port, pids });
    }
    Ok(with_wait(lines, port, began))
}

fn with_wait(mut lines: Vec<String>, port: u16, began: Instant) -> Vec<String> {
    let waited = began.elapsed().as_millis();
    if waited > 0 {
        lines.push(format!("force: waited {waited}ms for port {port} to free"));
    }
    lines
}

/// Looks every 100 ms until the port is free or `limit` after `began`; returns whether it is free.
async fn wait(port: u16, began: Instant, limit: Duration) -> Result<bool, Error> {
    loop {
        let is_free = !listeners::is_open(port).map_err(|error| unlisted(&error, port))?;
        let remaining = limit.saturating_sub(began.elapsed());
        if is_free || remaining.is_zero() {
            return Ok(is_free);
        }
        tokio::time::sleep(POLL.min(remaining)).await;
    }
}

/// Takes hold of the process, makes sure that it is still the listener, and only then signals it.
fn end(holder: &Holder, port: u16, signal: Signal) -> Result<(), Error> {
    let failed = |reason| Error::Kill { what: name(holder), reason };
    let handle = match Handle::open(holder.pid) {
        Ok(handle) => handle,
        Err(_) if !process::is_alive(holder.pid) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let is_still_it = listeners::holds(holder.pid, port).map_err(|error| unlisted(&error, port))?;
    if is_still_it { handle.signal(signal).map_err(failed) } else { Ok(()) }
}

fn refuse_own(holder: &Holder, port: u16, own: u32, parent: u32) -> Result<(), Error> {
    if listeners::is_keeper(holder.pid) {
        return Err(Error::Kept { what: name(holder), port });
    }
    if holder.pid <= 1 || holder.pid == own || holder.pid == parent {
        return Err(Error::Refused { what: name(holder), port });
    }
    Ok(())
}

fn list(port: u16) -> Result<Vec<Holder>, Error> {
    listeners::on_port(port).map_err(|error| unlisted(&error, port))
}

fn unlisted(error: &listeners::Error, port: u16) -> Error {
    Error::List(Chain(error).to_string(), port)
}

fn name(holder: &Holder) -> String {
    match &holder.name {
        Some(name) => format!("pid {} ({name})", holder.pid),
        None => format!("pid {}", holder.pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::fd::OwnedFd;
    use std::process::{Child, Command, Stdio};

    /// A process that does nothing but hold a listening socket.
    fn holder(program: &str, arguments: &[&str]) -> (Child, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        (child, port)
    }

    #[tokio::test]
    async fn a_listener_that_obeys_is_ended_with_sigterm() {
        let (mut child, port) = holder("sleep", &["60"]);
        let reaper = std::thread::spawn(move || child.wait().expect("reaped"));
        let lines = free(port).await.expect("freed");
        assert!(
            lines[0].starts_with("force: killed pid ")
                && lines[0].ends_with(&format!("(sleep) on port {port}"))
        );
        assert!(!lines.iter().any(|line| line.contains("SIGKILL")), "{lines:?}");
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(reaper.join().expect("no panic").signal(), Some(15));
        assert_eq!(free(port).await.expect("free"), [format!("force: no listeners on port {port}")]);
    }

    #[tokio::test]
    async fn a_listener_that_ignores_sigterm_is_killed_after_700_ms() {
        use std::io::Read;
        let (mut child, port) = holder("sh", &["-c", "trap '' TERM; echo ready; exec sleep 60"]);
        let mut ready = [0; 6];
        child.stdout.as_mut().expect("piped").read_exact(&mut ready).expect("the trap is set");
        let reaper = std::thread::spawn(move || child.wait().expect("reaped"));
        let lines = free(port).await.expect("freed");
        assert_eq!(lines[1], format!("force: escalated to SIGKILL while freeing port {port}"));
        let waited: u64 = lines[2]
            .strip_prefix("force: waited ")
            .and_then(|rest| rest.split_once("ms for port"))
            .and_then(|(ms, _)| ms.parse().ok())
            .expect("a number");
        assert!(waited >= 700, "{waited}");
        assert!(!reaper.join().expect("no panic").success());
    }

    #[tokio::test]
    async fn this_process_is_never_ended() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let refused = free(port).await.expect_err("refused").to_string();
        assert!(refused.starts_with(&format!("refusing to kill pid {}", std::process::id())), "{refused}");
    }

    #[test]
    fn parents_and_the_first_process_are_never_ended() {
        let holder =
            |pid| Holder { pid, name: Some("x".into()), command: None, user: None, addresses: Vec::new() };
        for (pid, refused) in [(0, true), (1, true), (10, true), (11, true), (12, false)] {
            assert_eq!(refuse_own(&holder(pid), 5, 10, 11).is_err(), refused, "{pid}");
        }
    }
}
