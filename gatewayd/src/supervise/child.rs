//! The daemon as a child: it is started, told what this process is told, and seen to its end.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use gateway_base::limits;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::notices::Notices;
use crate::lifecycle::Program;

/// What a supervisor waits for.
pub(super) struct Events {
    child: tokio::signal::unix::Signal,
    others: [(Signal, tokio::signal::unix::Signal); 4],
}

enum Event {
    Child,
    Signal(Signal),
}

impl Events {
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self {
            child: signal(SignalKind::child())?,
            others: [
                (Signal::TERM, signal(SignalKind::terminate())?),
                (Signal::INT, signal(SignalKind::interrupt())?),
                (Signal::HUP, signal(SignalKind::hangup())?),
                (Signal::USR1, signal(SignalKind::user_defined1())?),
            ],
        })
    }

    async fn next(&mut self) -> Event {
        let [(a, first), (b, second), (c, third), (d, fourth)] = &mut self.others;
        tokio::select! {
            Some(()) = self.child.recv() => Event::Child,
            Some(()) = first.recv() => Event::Signal(*a),
            Some(()) = second.recv() => Event::Signal(*b),
            Some(()) = third.recv() => Event::Signal(*c),
            Some(()) = fourth.recv() => Event::Signal(*d),
            else => std::future::pending().await,
        }
    }

    /// Whether a stop is asked for before `pause` is over.
    pub(super) async fn stop_within(&mut self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(end) => return false,
                event = self.next() => match event {
                    Event::Child => while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {},
                    Event::Signal(Signal::TERM | Signal::INT) => return true,
                    Event::Signal(_) => {}
                },
            }
        }
    }
}

/// Orphans of the daemon become children of this process.
pub(super) fn adopt_orphans() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

/// The daemon. Its number stays its own until this process, and nobody else, has seen its end.
pub(super) struct Child(Pid);

impl Child {
    /// In a process group of its own: what is typed on the terminal reaches this process alone, which passes it
    /// on once.
    #[allow(
        clippy::zombie_processes,
        reason = "its end is waited for together with those of all other children"
    )]
    pub(super) fn start(
        program: &Program,
        is_first: bool,
        mark: (&str, &str),
        notices: Option<&mut Notices>,
    ) -> io::Result<Self> {
        let mut command = Command::new(&program.file);
        if is_first {
            command.args(program.arguments.iter().skip(1));
        } else {
            command.args(program.arguments_again());
        }
        if let Some(name) = program.arguments.first() {
            command.arg0(name);
        }
        if let Some(notices) = notices {
            notices.equip(&mut command)?;
        }
        let child =
            command.current_dir(&program.working_folder).env(mark.0, mark.1).process_group(0).spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        pid.map(Self).ok_or_else(|| io::Error::other("the process has no number"))
    }

    /// Passes signals on and reaps until the daemon has ended. One that was asked to stop and does not is killed, and
    /// so is one that gives no sign of life.
    pub(super) async fn until_it_ends(self, events: &mut Events, mut notices: Option<&mut Notices>) -> Ended {
        let (mut kill_at, mut silent) = (None, None);
        loop {
            if let Some(mut ended) = self.reap() {
                (ended.asked, ended.silent) = (kill_at.is_some(), silent);
                return ended;
            }
            let late = async {
                match kill_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let frozen = async {
                match &mut notices {
                    Some(notices) => {
                        notices.silence().await;
                        notices.limit()
                    }
                    None => std::future::pending().await,
                }
            };
            let passed_on = tokio::select! {
                event = events.next() => match event {
                    Event::Child => continue,
                    Event::Signal(signal) => signal,
                },
                () = late => Signal::KILL,
                limit = frozen => {
                    silent = Some(limit);
                    let _ = kill_process(self.0, Signal::KILL);
                    continue;
                }
            };
            match passed_on {
                Signal::TERM | Signal::INT => {
                    kill_at.get_or_insert(Instant::now() + limits::SERVICE_STOP);
                }
                // It is dead from now on; only its end is left to be seen.
                Signal::KILL => kill_at = Some(Instant::now() + limits::SERVICE_STOP),
                _ => {}
            }
            // It may have ended a moment ago, which the next round sees.
            let _ = kill_process(self.0, passed_on);
        }
    }

    fn reap(&self) -> Option<Ended> {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == self.0 {
                let (code, signal) = (status.exit_status(), status.terminating_signal());
                return Some(Ended { code, signal, asked: false, silent: None });
            }
        }
        None
    }
}

/// How the daemon ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// It had been asked to.
    pub asked: bool,
    /// It was ended because it gave no sign of life for this long.
    pub silent: Option<Duration>,
}

impl Ended {
    pub(super) fn words(self) -> String {
        if let Some(silent) = self.silent {
            return format!("gave no sign of life for {} s and was ended", silent.as_secs());
        }
        match (self.code, self.signal) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        }
    }
}
