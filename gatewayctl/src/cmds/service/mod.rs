//! `install`, `start`, `stop`, `restart` and `uninstall`: the service of this gateway. Each makes a plan, takes it,
//! and waits for the state it promises, never for a command's return.

mod alarm;
mod health;
mod install;
mod outcome;
mod power;
pub mod program;
mod purge;
mod reason;
mod run;
mod site;
#[cfg(test)]
#[cfg(unix)]
mod tests;
mod uninstall;
mod wait;

pub use health::{Answer, Health, Socket};
pub(in crate::cmds) use outcome::Action;
pub use outcome::{Done, Outcome};
pub(in crate::cmds) use power::{is_there, renew, runtime};
pub(in crate::cmds) use reason::{late, log_lines};
pub use run::{Request, perform, run};
pub(in crate::cmds) use run::{report, site_of};
pub(in crate::cmds) use site::Site;
