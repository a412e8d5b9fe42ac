//! Events, as transports see them.

pub use gateway_domain::events::{Bus, Event, Received, Subscription};
