//! What a run is asked to do, and the loop over servers that all rows share.

use std::io::Write;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::load::Crowd;
use crate::report::Report;
use crate::server::{Kind, Programs};

/// Names of all rows, in the order of the goals table, for `--only`.
pub const ROWS: &[&str] = &[
    "start",
    "idle-memory",
    "connect-1000",
    "connect-10000",
    "connect-device",
    "presence",
    "pipelined",
    "snapshots",
    "fanout-100",
    "fanout-1000",
    "paced-1000",
    "bursts",
    "fanout-10000",
    "paced-10000",
    "visit",
    "visit-beside-200",
    "stalled",
    "slow-method",
    "idle-cpu",
];

/// Servers with their clients, by kind.
pub type Crowds = Vec<(Kind, Crowd)>;

/// One run of the bench.
#[derive(Clone, Debug)]
pub struct Session {
    /// Where the servers are.
    pub programs: Programs,
    /// One repetition and shorter measurements.
    pub quick: bool,
    /// Rows to measure; all when empty.
    pub only: Vec<String>,
    /// Most clients that the descriptor limit allows.
    pub most_clients: usize,
}

impl Session {
    /// Fails on a row name that does not exist.
    pub fn check(&self) -> Result<()> {
        for row in &self.only {
            if !ROWS.contains(&row.as_str()) {
                bail!("there is no row {row:?}; rows are {}", ROWS.join(", "));
            }
        }
        Ok(())
    }

    /// Whether any of `rows` is to be measured.
    #[must_use]
    pub fn wants(&self, rows: &[&str]) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| rows.contains(&only.as_str()))
    }

    /// How often a short measurement is repeated.
    #[must_use]
    pub const fn repetitions(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// `full` seconds of measurement, or a part of it when in a hurry.
    #[must_use]
    pub fn seconds(&self, full: f64) -> Duration {
        Duration::from_secs_f64(if self.quick { full * 0.4 } else { full })
    }

    /// Starts every server with `clients` clients; those that fail are noted in the report.
    pub fn crowds(&self, clients: usize, what: &str, report: &mut Report) -> Crowds {
        self.progress(what);
        let mut crowds = Crowds::new();
        for kind in self.programs.kinds() {
            match Crowd::of(&self.programs, kind, clients) {
                Ok(crowd) => crowds.push((kind, crowd)),
                Err(error) => report.failed(kind, what, &error),
            }
        }
        crowds
    }

    /// Runs `measure` on every server as often as a short measurement is repeated, in turns. A server that fails is
    /// noted and left out from then on.
    pub fn in_turns(
        &self,
        crowds: &mut Crowds,
        what: &str,
        report: &mut Report,
        mut measure: impl FnMut(Kind, &mut Crowd) -> Result<()>,
    ) {
        self.progress(what);
        for _ in 0..self.repetitions() {
            crowds.retain_mut(|(kind, crowd)| match measure(*kind, crowd) {
                Ok(()) => true,
                Err(error) => {
                    report.failed(*kind, what, &error);
                    false
                }
            });
        }
    }

    /// Runs `measure` once for each kind of server, for rows that start their servers afresh.
    pub fn each_kind(&self, what: &str, report: &mut Report, mut measure: impl FnMut(Kind) -> Result<()>) {
        self.progress(what);
        for kind in self.programs.kinds() {
            if let Err(error) = measure(kind) {
                report.failed(kind, what, &error);
            }
        }
    }

    fn progress(&self, what: &str) {
        let _ = writeln!(std::io::stderr(), "measuring {what}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(only: &[&str]) -> Session {
        let programs = Programs {
            bench: "bench".into(),
            gatewayd: None,
            original: None,
            path: std::ffi::OsString::new(),
        };
        let only = only.iter().map(|row| (*row).to_owned()).collect();
        Session { programs, quick: true, only, most_clients: 10 }
    }

    #[test]
    fn rows_are_chosen_by_name() {
        assert!(session(&[]).wants(&["start"]));
        assert!(session(&["bursts"]).wants(&["fanout-100", "bursts"]));
        assert!(!session(&["bursts"]).wants(&["start"]));
        assert!(session(&["bursts"]).check().is_ok());
        assert!(session(&["nonsense"]).check().unwrap_err().to_string().contains("fanout-10000"));
    }
}
