//! `top`: a dashboard in the terminal. What comes from the daemon (`feed`) goes into a model that knows nothing of a
//! terminal (`model`, `rates`), which is drawn (`draw`, `plot`) or printed once (`once`); `run` only passes keys and
//! news on.

mod draw;
mod feed;
mod model;
mod once;
mod plot;
mod rates;
mod run;
mod screen;
mod words;

pub use run::run;
