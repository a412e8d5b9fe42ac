//! The WebSocket side: one task per connection reads requests and answers them, the hub writes events to everybody,
//! and an outbox per connection is the only queue between either of them and the socket.

mod connection;
mod depths;
pub mod frame;
pub mod hub;
mod incoming;
mod outbox;
#[cfg(test)]
mod outbox_tests;
pub mod preauth;
mod stream;
pub mod traffic;

pub use connection::{RESTART, Serve, serve};
pub use depths::{Depths, Outboxes};
pub use outbox::{Limits, Outbox};
pub use stream::Stream;
