//! The admin side: gRPC on a private local socket, for the controller and for stock tools. The service itself is thin;
//! what the daemon can do is behind [`backend::Backend`], which the composition root implements. Standard health checks
//! and reflection share the socket. It is bound first and closed last, so that a stop can be watched to its end.

pub mod backend;
mod connection;
mod error;
pub mod health;
mod health_service;
pub mod listen;
mod reflection;
mod routes;
pub mod serve;
mod service;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use serve::{Limits, Server};
