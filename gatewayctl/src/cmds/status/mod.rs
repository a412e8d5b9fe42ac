//! `status`: one report on service, process, port and control plane, ending in one verdict. Facts are gathered in one
//! place, judged and rendered by pure functions.

mod daemon;
mod gather;
mod render;
mod report;
mod rpc;
mod run;
mod verdict;

pub use run::run;
