//! `status`: one report on service, process, port and control plane, ending in one verdict. Facts are gathered in one
//! place, judged and rendered by pure functions.

mod config;
mod daemon;
mod decide;
mod facts;
mod gather;
mod journal;
mod lock;
mod render;
mod report;
mod rpc;
mod run;
mod sentence;
mod state;
mod verdict;

pub use run::run;
