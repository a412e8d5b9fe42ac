//! What the operating system says about another process: whether it lives, when it started, how it was called and
//! by whom. A pid alone names nothing, since it is used again; a pid with its start time does.

use std::io;
use std::path::Path;

#[cfg(unix)]
use crate::account::Account;

/// Whether a process with this pid exists, whoever owns it.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    #[cfg(unix)]
    {
        let Some(pid) = raw_pid(pid) else { return false };
        !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
    }
    #[cfg(not(unix))]
    {
        let _ = pid;
        true
    }
}

/// Whether a process with this pid runs. One that has ended and waits for its parent to look does not.
#[must_use]
pub fn runs(pid: u32) -> bool {
    if !cfg!(target_os = "linux") {
        return is_alive(pid);
    }
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| {
        stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
    })
}

/// When the process started, in clock ticks since boot (field 22 of its `stat`). Linux only.
#[must_use]
pub fn start_time(pid: u32) -> Option<u64> {
    stat_start_time(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The arguments the process was started with. Linux only.
#[must_use]
pub fn command_line(pid: u32) -> Option<Vec<String>> {
    let raw = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<_> = raw
        .split(|b| *b == 0)
        .filter(|w| !w.is_empty())
        .map(|w| String::from_utf8_lossy(w).into_owned())
        .collect();
    (!words.is_empty()).then_some(words)
}

/// The short name of the process. Linux only.
#[must_use]
pub fn name(pid: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

/// Name of the user the process runs as, or the number when the user has no name here. Linux only.
#[must_use]
pub fn user(pid: u32) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let uid = std::fs::metadata(format!("/proc/{pid}")).ok()?.uid();
        Some(Account::by_uid(uid).map_or_else(|| uid.to_string(), |account| account.name))
    }
    #[cfg(not(unix))]
    {
        let _ = pid;
        None
    }
}

/// Whether these arguments are those of a gateway: ours by its name, the original by `clawdbot` and the word
/// `gateway`, or by its own process title.
#[must_use]
pub fn is_gateway_command(words: &[String]) -> bool {
    let named = |word: &str, name: &str| Path::new(word).file_stem().is_some_and(|stem| stem == name);
    let Some(program) = words.first() else { return false };
    let original = words.iter().any(|w| w.contains("clawdbot"));
    named(program, "gatewayd")
        || program.starts_with("clawdbot-gateway")
        || (original && words.iter().any(|w| w == "gateway"))
        || named(program, "clawdbot")
}

/// A process that can be signalled without ever hitting another one that got its pid later.
#[derive(Debug)]
pub struct Handle {
    pid: u32,
    #[cfg(target_os = "linux")]
    fd: std::os::fd::OwnedFd,
}

/// The two signals that are sent to other processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ask it to end (SIGTERM).
    Terminate,
    /// End it (SIGKILL).
    Kill,
}

impl Handle {
    /// Takes hold of the process that has this pid now. Look at its identity after this, not before: from here on
    /// the handle stands for this process alone.
    pub fn open(pid: u32) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        {
            let raw = raw_pid(pid).ok_or(io::ErrorKind::InvalidInput)?;
            let fd = rustix::process::pidfd_open(raw, rustix::process::PidfdFlags::empty())?;
            Ok(Self { pid, fd })
        }
        #[cfg(not(target_os = "linux"))]
        {
            Ok(Self { pid })
        }
    }

    /// The pid it had when the handle was opened.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends `signal`. A process that is already gone counts as signalled.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        #[cfg(unix)]
        {
            let number = match signal {
                Signal::Terminate => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            match self.send(number) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        #[cfg(not(unix))]
        {
            let _ = signal;
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    #[cfg(target_os = "linux")]
    fn send(&self, signal: rustix::process::Signal) -> rustix::io::Result<()> {
        rustix::process::pidfd_send_signal(&self.fd, signal)
    }

    #[cfg(all(unix, not(target_os = "linux")))]
    fn send(&self, signal: rustix::process::Signal) -> rustix::io::Result<()> {
        let pid = raw_pid(self.pid).ok_or(rustix::io::Errno::INVAL)?;
        rustix::process::kill_process(pid, signal)
    }
}

/// The pid of the process that started this one, 0 when unknown.
#[must_use]
pub fn parent_pid() -> u32 {
    #[cfg(unix)]
    {
        rustix::process::getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok()).unwrap_or(0)
    }
    #[cfg(not(unix))]
    {
        0
    }
}

#[cfg(unix)]
fn raw_pid(pid: u32) -> Option<rustix::process::Pid> {
    i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw)
}

/// Field 22, counted after the last `)`: the name in field 2 may itself hold blanks and brackets.
fn stat_start_time(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_start_time_is_counted_after_the_last_bracket() {
        let stat = "12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20";
        assert_eq!(stat_start_time(stat), Some(4242));
        assert_eq!(stat_start_time("12 (a"), None);
    }

    #[test]
    fn gateways_are_known_by_their_command() {
        for (text, expected) in [
            ("/usr/bin/gatewayd --port 1", true),
            ("gatewayd", true),
            ("clawdbot-gateway", true),
            ("node /opt/clawdbot/dist/entry.js gateway --port 1", true),
            ("vim gatewayd", false),
            ("node server.js", false),
        ] {
            assert_eq!(is_gateway_command(&words(text)), expected, "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_lives_and_a_reaped_child_does_not() {
        assert!(is_alive(std::process::id()));
        assert!(start_time(std::process::id()).is_some());
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep starts");
        let handle = Handle::open(child.id()).expect("a handle");
        assert!(runs(child.id()));
        handle.signal(Signal::Kill).expect("killed");
        let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while runs(child.id()) {
            assert!(std::time::Instant::now() < end, "it has ended, and nobody has looked yet");
            std::thread::yield_now();
        }
        child.wait().expect("reaped");
        assert!(!is_alive(child.id()));
        handle.signal(Signal::Kill).expect("gone counts as signalled");
        assert!(Handle::open(child.id()).is_err());
    }
}
