//! What the gateway knows and decides: who is connected and paired, what is configured, how it feels. No sockets,
//! no HTTP, no SQL; the outside is reached through the traits in [`ports`].

pub mod agents;
pub mod auth;
pub mod devices;
pub mod events;
pub mod health;
pub mod models;
pub mod ports;
pub mod presence;
mod settings;
pub mod talk;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod time;
pub mod usage;
pub mod voicewake;
pub mod wizard;
