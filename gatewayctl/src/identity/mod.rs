//! What this machine is to a gateway: an Ed25519 key in the original's file format, so that a device paired with the
//! original stays paired, and the tokens that gateways issued to it.

mod device;
mod tokens;

#[cfg(test)]
pub(crate) use device::vector;
pub use device::{Error, Identity};
pub use tokens::TokenFile;
