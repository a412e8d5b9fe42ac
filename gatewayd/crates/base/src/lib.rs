//! Small things every part of the gateway may use: the clock, identifiers, secrets, paths, file safety and the
//! supervised spawner. Nothing here knows the protocol, the configuration format or a socket.

pub mod atomic_file;
pub mod clock;
pub mod env;
pub mod error_chain;
pub mod id;
pub mod paths;
pub mod profile;
pub mod secret;
pub mod task;
