//! The operating system's service that runs the gateway: what it is called, whether it is there, and how it is. Every
//! manager is split in three: `parse` reads a tool's output and is pure, `control` asks the tool through a runner
//! that tests replace, and what is known goes into one typed status. "Could not ask the manager" is a state of its
//! own, never "stopped".

mod audit;
#[cfg(test)]
mod bad_input;
pub mod cause;
mod control;
mod difference;
mod foreign;
pub mod launchd;
pub mod lock;
mod names;
pub mod old;
mod restarts;
mod runner;
pub mod schtasks;
mod scope;
mod search_path;
mod spec;
mod status;
mod step;
pub mod systemd;
#[cfg(test)]
pub(crate) mod testing;
pub mod timer;

pub use audit::{Audit, Finding, Level, audit, is_daemon};
pub use control::Control;
pub use difference::difference;
pub use foreign::{Extra, find as find_foreign};
pub use names::Names;
pub use restarts::restarts;
pub use runner::{Call, Ran, RunError, Runner, System, cut};
pub use scope::Scope;
pub use spec::{Parts, Spec};
pub use status::{Command, Installed, Manager, Runtime, RuntimeState, Service};
pub use step::{Error as StepError, Step, read as read_file, take};
pub use systemd::is_unavailable;
