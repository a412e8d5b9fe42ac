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

pub use run::{Request, run};
