//! `watch`: the alarm that does not depend on the daemon. One look gathers facts (`look`), a pure judge makes a verdict
//! of them (`judge`), a memory with rules makes incidents of verdicts and notices of incidents (`record`), and notices
//! are delivered (`deliver`) until they are taken.

mod deliver;
mod exec;
mod judge;
mod look;
mod message;
mod notify;
mod place;
mod record;
mod report;
mod run;
pub mod settings;
mod status;

pub use place::Place;
pub use run::run;
pub use status::status;
