//! `probe`: every gateway that can be reached from here, asked all at once.

mod discovery;
mod kind;
mod render;
mod report;
mod run;
mod ssh;
mod table;
mod targets;

pub use run::run;
