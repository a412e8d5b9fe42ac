//! A client of the WebSocket control plane: one connection, opened as the original's command line opens it, asked a
//! few things and closed. It is how gateways on other machines are asked, and how `status`, `health` and `probe`
//! prove that the control plane of this one really answers.

mod client;
mod connect;
mod dial;
mod error;
mod timing;
mod tls;

pub use client::{Connection, Hello, Options, Timed};
pub use connect::Mode;
pub(crate) use error::refusal_code;
pub use error::{Error, TlsProblem};
pub use timing::Timing;
pub use tls::{fingerprint_of_pem, normalise_fingerprint};
