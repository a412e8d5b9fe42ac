//! The gRPC admin service: contract, client and local socket.
