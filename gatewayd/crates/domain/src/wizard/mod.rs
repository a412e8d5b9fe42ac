//! Runs of the setup wizard that clients drive. The machine is `gateway-onboard`'s; here is who runs it, one at a time,
//! and what a client is told that asks late, twice or for something that is over.

mod sessions;

pub use sessions::{Ended, Error, Turn, Wizards};
