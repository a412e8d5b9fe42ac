//! `probe`: every gateway that can be reached from here, asked all at once.

mod discovery;
mod kind;
mod render;
mod report;
mod run;

pub use run::run;
