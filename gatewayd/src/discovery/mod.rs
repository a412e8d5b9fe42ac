//! Lets the gateway be found: the announcement in the local network, and the zone of the tailnet. Both happen beside
//! serving, nothing waits for them, and their failure is a warning (operations 9).

mod options;
mod task;
mod zone;

pub use options::Options;
pub use task::Discovery;
