//! The gRPC admin contract: generated types, and what the daemon and every client must agree on beside them: where
//! the socket is, how to connect, and which words of an error a program may match on. Nothing here does I/O except
//! finding and opening the local socket.

#[cfg(feature = "client")]
pub mod connect;
pub mod details;
pub mod endpoint;
pub mod time;

/// Messages, client and server of package `gateway.admin.v1`.
#[allow(missing_docs, clippy::all, clippy::too_many_lines, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("gateway.admin.v1");
}

/// The contract's descriptors, comments included, for reflection.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
