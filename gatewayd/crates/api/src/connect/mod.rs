//! The handshake (ws-protocol 2): a challenge, one request, a decision in a fixed order of checks, and `hello-ok`.
//! It knows what a socket and its headers said, as a [`Peer`], and nothing of the socket itself.

mod admit;
mod hello;
mod peer;
mod refuse;

pub use admit::{Admitted, TOKEN_INVALID};
pub use hello::features;
pub use peer::{FORWARDING_HEADERS, Peer, Pending};
pub use refuse::Refused;

pub(crate) use admit::admit;
pub(crate) use hello::{greetings, write_hello};
pub(crate) use peer::{challenge, judge_origin, locate};
