//! `discover`: the gateways that announce themselves.

mod render;
mod report;
mod run;

pub use run::run;
