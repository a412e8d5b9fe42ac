//! The contract of the WebSocket control plane, protocol 3: what a frame looks like, which methods and events
//! exist and who may use them, how parameters are checked and in which words, and the types of their payloads.
//! Clients and the daemon both read it. Nothing here does I/O, knows a socket, or keeps state.

pub mod error;
pub mod events;
pub mod frame;
pub mod limits;
pub mod methods;
pub mod session_key;
pub mod types;
pub mod validate;
pub mod version;
