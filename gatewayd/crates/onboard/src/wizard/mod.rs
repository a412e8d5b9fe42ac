//! The step machine. Given the facts and the answers so far, the first question that is still open is the next step;
//! when none is open, the answers make a plan. It knows nothing of terminals and sockets, keeps no time and waits for
//! nothing, so every host shows the same steps and every test can drive it.

mod machine;
mod questions;
mod show;
mod state;
mod take;
#[cfg(test)]
mod tests;

pub use machine::{Next, Wizard};
