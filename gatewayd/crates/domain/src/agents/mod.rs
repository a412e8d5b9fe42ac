//! The agents of the configuration as clients see them: the list, who is the default, and how one presents itself.

mod directory;
mod identity;
mod picture;

pub use directory::{Agents, AgentsOptions};
pub use identity::Error;
