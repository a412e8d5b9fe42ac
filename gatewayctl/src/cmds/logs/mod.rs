//! `logs`: the daemon's log, through the daemon when it runs, from the file when it does not, and over the control
//! plane when it is elsewhere.

mod file;
mod remote;
mod run;
mod show;
mod socket;

pub use run::run;
