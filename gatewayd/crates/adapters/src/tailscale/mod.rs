//! Tailscale through its own command-line program: who is behind an address of the tailnet, and the publication of the
//! gateway's port in it. The program is outside and may answer anything; every call has a limit on time and size, and
//! every failure comes with what a person can do about it (operations 8).

mod answer;
mod client;
mod problem;
#[cfg(test)]
mod tests;

pub use answer::{Backend, Status};
pub use client::{Tailscale, Target};
pub use problem::Problem;

/// How far the gateway's port is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To the devices of the tailnet.
    Serve,
    /// To the internet.
    Funnel,
}

impl Reach {
    /// The word of the command line, ours and Tailscale's.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Funnel => "funnel",
        }
    }
}
