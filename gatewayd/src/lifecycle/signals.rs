//! The signals of the operating system, as what they ask for.

use std::io;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// SIGTERM, or the service manager of Windows.
    Terminate,
    /// SIGINT, or Ctrl-C.
    Interrupt,
    /// SIGHUP: read the configuration again and open the log anew.
    Reload,
    /// SIGUSR1: restart in place.
    Restart,
}

impl Asked {
    /// The name of the signal.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::Reload => "SIGHUP",
            Self::Restart => "SIGUSR1",
        }
    }

    /// Whether it asks for the end.
    #[must_use]
    pub const fn is_stop(self) -> bool {
        matches!(self, Self::Terminate | Self::Interrupt)
    }
}

/// The signals of this process, from the moment this exists.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    user1: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Takes over the signals. Needs a runtime.
    pub fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
        })
    }

    /// The next signal.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            Some(()) = self.terminate.recv() => Asked::Terminate,
            Some(()) = self.interrupt.recv() => Asked::Interrupt,
            Some(()) = self.hangup.recv() => Asked::Reload,
            Some(()) = self.user1.recv() => Asked::Restart,
            else => std::future::pending().await,
        }
    }
}

/// The console events of this process, from the moment this exists.
#[cfg(windows)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    /// Takes over the console events. Needs a runtime.
    pub fn install() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self { interrupt: ctrl_c()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    /// The next event.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            Some(()) = self.interrupt.recv() => Asked::Interrupt,
            Some(()) = self.close.recv() => Asked::Terminate,
            Some(()) = self.shutdown.recv() => Asked::Terminate,
            else => std::future::pending().await,
        }
    }
}
