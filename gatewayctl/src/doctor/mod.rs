//! `doctor`: what is wrong with this installation, what comes of it, and what to do. Facts are gathered in one place
//! (`gather`), each check is a pure judgement on them in a file of its own (`checks`), and `--fix` makes the changes
//! that a finding carries (`repair`), each after a copy, so that `--undo` can take them back.

mod attempt;
mod check;
mod checks;
mod facts;
mod gather;
mod render;
mod repair;
mod report;
mod run;
mod undo;

pub use run::run;
