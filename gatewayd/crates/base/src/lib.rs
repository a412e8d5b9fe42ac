//! Small things every part of the gateway may use: the clock, identifiers, secrets, paths, file safety and the
//! supervised spawner, other programs. Nothing here knows the protocol, the configuration format or a socket.

pub mod account;
pub mod atomic_file;
pub mod brief;
pub mod clock;
pub mod disk;
pub mod env;
pub mod error_chain;
pub mod id;
pub mod limits;
pub mod listeners;
pub mod local_time;
pub mod lock_file;
pub mod net;
pub mod paths;
pub mod printable;
pub mod process;
pub mod profile;
pub mod program;
pub mod redact;
pub mod secret;
pub mod task;
