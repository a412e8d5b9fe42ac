//! `upgrade`: asks a new version whether it would start, puts it in the place of the old one, restarts without refusing
//! a client, and takes all of it back when the new version does not serve.

mod alone;
mod ask;
mod candidate;
mod place;
mod run;
mod target;
mod version;
mod worker;

pub use place::{Mark, Place};
pub use run::run;
