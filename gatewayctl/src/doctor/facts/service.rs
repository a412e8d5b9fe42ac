//! The operating system's service, and what stands in the gateway's way: ports, processes, locks.

use std::path::PathBuf;

use gateway_base::lock_file::Record;
use gateway_base::paths::Paths;

use crate::cmds::upgrade::Mark;
use crate::ports::PortReport;
use crate::service::{Audit, Extra, Service};

/// The service.
#[derive(Clone, Debug)]
pub struct ServiceFacts {
    /// What its manager says, and what its file runs.
    pub service: Service,
    /// Its name.
    pub unit: String,
    /// What is unusual in its file.
    pub audit: Audit,
    /// Where its owner changes it, when there is such a folder.
    pub drop_ins: Option<PathBuf>,
    /// How its file differs from the one that would be installed; nothing where that cannot be told.
    pub drift: Option<Vec<String>>,
    /// Services under older names, and this one in the other scope.
    pub older: Vec<Extra>,
    /// Services of other profiles with the port of this one.
    pub rivals: Vec<Extra>,
    /// Other services that look like a gateway.
    pub extras: Vec<Extra>,
    /// What to do when its manager cannot be asked.
    pub mend: Vec<String>,
    /// Where the service would keep its things.
    pub place: Option<Paths>,
    /// The program its file names, links followed.
    pub program: Option<PathBuf>,
    /// The daemon that belongs to this controller, links followed.
    pub own_program: Option<PathBuf>,
    /// Whether this user's services outlive the log-out, where that is known.
    pub lingers: Option<bool>,
}

/// An upgrade that did not end.
#[derive(Clone, Debug)]
pub struct CutOff {
    /// The program, links followed.
    pub program: PathBuf,
    /// The versions.
    pub mark: Mark,
}

/// What is in the way.
#[derive(Clone, Debug)]
pub struct WayFacts {
    /// The port that the configuration and the environment name.
    pub port: PortReport,
    /// Gateways that run from this state folder or configuration file; nothing where that cannot be seen.
    pub processes: Option<Vec<Process>>,
    /// The folder of the lock files.
    pub locks: PathBuf,
    /// Why that folder cannot be used.
    pub locks_unsafe: Option<String>,
    /// Who holds the lock of this configuration.
    pub gateway_lock: Option<Record>,
    /// Who holds the lock of this state folder.
    pub state_lock: Option<Record>,
    /// Who holds the locks of further gateways on other ports.
    pub other_locks: Vec<Record>,
}

/// A process that is a gateway by its command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its command line, secrets left out.
    pub command: String,
    /// For how long it has run.
    pub age_seconds: Option<u64>,
}
