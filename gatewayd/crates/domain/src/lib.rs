//! What the gateway knows and decides: who is connected and paired, what is configured, how it feels. No sockets,
//! no HTTP, no SQL; the outside is reached through the traits in [`ports`].

pub mod auth;
pub mod devices;
pub mod events;
pub mod ports;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
