//! How what happened below reaches whoever watches above. Requests go down, events come up through the [`Bus`], and
//! nothing in the domain waits for a listener, so the graph of channels has no cycle.

mod bus;
mod pace;
mod versions;

pub use bus::{Bus, Event, HUB_QUEUE, Received, Subscription};
pub(crate) use pace::paced;
pub use versions::Versions;
