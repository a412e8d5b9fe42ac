//! From the command line to the first listener. The checks are pure and run in the order of the original; then the
//! lock and the port are taken, before anything expensive and before anything is written (operations 2, rule R1).

pub mod auth;
mod boot;
mod check;
pub mod checks;
mod claim;
pub mod configuration;
mod early;
pub mod exposure;
mod identity;
pub mod ownership;
mod success;
pub mod taken;
#[cfg(test)]
mod tests;

pub use auth::Auth;
pub use boot::{Boot, Facts, Started, boot};
pub use check::check;
pub use configuration::Loaded;
pub use early::refusal as early_refusal;
pub use exposure::Exposure;
pub use identity::Identity;
pub use ownership::Ownership;
pub use success::announce;
