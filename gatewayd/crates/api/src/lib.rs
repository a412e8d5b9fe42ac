//! Methods by domain; knows callers, not sockets.
