//! Setting a gateway up, once for everybody who asks: the command line with its flags, the terminal with its prompts,
//! and clients that drive `wizard.*` over WebSocket.
//!
//! Facts about this machine and the answers given so far make the next question (`wizard`) or, when nothing is left to
//! ask, a plan (`plan`); both are pure. Only `apply` touches anything. What a host alone can do, such as asking a model
//! provider about a key or installing a service, is named in the plan and left to the host.

pub mod answers;
pub mod apply;
pub mod credentials;
pub mod facts;
pub mod plan;
pub mod providers;
pub mod reset;
pub mod step;
#[cfg(test)]
pub(crate) mod testing;
pub mod wizard;
pub mod workspace;

pub use answers::Answers;
pub use facts::{Facts, Host, Service};
pub use plan::Plan;
pub use wizard::{Next, Wizard};
