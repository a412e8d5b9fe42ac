//! The two bare servers that the subject is compared with. They let everybody in, answer every request with the
//! same few bytes and pass `talk.mode` on to all, so that the generator runs the same code against all servers;
//! nothing is checked and nothing is kept, which is what makes them yardsticks.

mod answers;
mod bare;
mod raw;

use anyhow::Result;

/// Which yardstick to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yardstick {
    /// Bare tokio-tungstenite with small buffers and one flush for all that waits.
    Bare,
    /// One thread with an epoll set.
    Raw,
}

/// Serves on a loopback port until the process is killed, at the latest when its parent ends.
pub fn run(yardstick: Yardstick, port: u16, announce_leave: bool) -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    match yardstick {
        Yardstick::Bare => bare::run(port, announce_leave),
        Yardstick::Raw => raw::run(port, announce_leave),
    }
}
