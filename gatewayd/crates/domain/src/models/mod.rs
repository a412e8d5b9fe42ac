//! The models that can be chosen: a built-in list of well-known ones and those of the configuration, which win.

mod catalogue;

pub use catalogue::Models;
pub(crate) use catalogue::context_window;
