//! Transports: the WebSocket control plane, HTTP, and the gRPC admin service.
