//! The transports: WebSocket and HTTP on one port, gRPC on the local socket. They know sockets and callers; what a
//! method does is behind [`gateway_api`].

pub mod admin;
pub mod http;
pub mod listen;
pub mod metrics;
pub mod tls;
pub mod ws;
