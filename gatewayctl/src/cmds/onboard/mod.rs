//! `onboard`: from nothing to a gateway that answers. What is asked and what comes of it is decided in
//! `gateway-onboard`; here are the flags, the prompts, and what only this program can do: ask a provider about a key,
//! install the service, wait for health, show the link.

mod around;
mod finish;
mod flags;
mod follow;
mod key_check;
mod prompt;
mod run;
mod summary;

pub use around::facts;
pub use finish::refused;
pub use run::run;
