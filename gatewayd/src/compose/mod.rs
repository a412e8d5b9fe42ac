//! Puts the parts together: adapters, domain, methods, transports. It builds in order and owns no policy; what a part
//! does is in its crate.

mod access;
mod backend;
mod build;
mod domain;
mod progress;
mod root;
mod sessions;
mod sockets;
mod stop;
mod watch;

pub use build::{Error, serve};
