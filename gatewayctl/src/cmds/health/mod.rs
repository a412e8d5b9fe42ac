//! `health`: the control plane and the parts of the daemon, or one question for a supervisor's probe.

mod parts;
mod render;
mod run;

pub use parts::{Part, part, phase_word, state_word};
pub use run::run;
