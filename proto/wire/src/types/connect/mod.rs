//! The handshake: the challenge, the parameters of `connect`, and `hello-ok`.

mod hello;
mod params;

#[cfg(test)]
mod tests;

pub use hello::{Features, HelloAuth, HelloParts, Policy, Server, SessionDefaults, write_hello};
pub use params::{Auth, Client, ClientId, ClientMode, ConnectChallenge, ConnectParams, Device};
