//! From the first phase to the last: signals, what the service manager is told, requests to stop or to restart, and
//! the ordered stop (operations 11, style 6.8).

mod binary_watch;
mod handle;
mod jobs;
mod limits;
mod notify;
mod program;
mod serve;
mod signals;
mod stop;
#[cfg(test)]
mod tests;

pub use handle::{Goal, Lifecycle, Phase, Progress, Request};
pub use jobs::Jobs;
pub use limits::raise_descriptors;
pub use notify::Notifier;
pub use program::{FELL_BACK, Program};
pub use serve::{Ended, Life, Reload, Running};
pub use signals::{Asked, Signals};
pub use stop::{StopPlan, Work};
