//! Where the gateway listens: the mode as asked for, the addresses it means on this machine, and the open
//! listeners (operations 3, rule R30).

mod listener;
mod open;
mod plan;
#[cfg(test)]
mod tests;

pub use listener::{Listener, is_our_name};
pub use open::{Bound, Error, allowed, open};
pub use plan::{Facts, Plan, is_loopback_only};
