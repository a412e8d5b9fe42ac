//! The steps of the machine on a terminal: with arrow keys where there are some, else as numbered lines that need
//! nothing but a line in and a line out.

mod arrows;
mod choose;
mod hidden;
mod lines;
mod stop;

pub use choose::{Prompts, keep_anyway};
pub use stop::Stop;
