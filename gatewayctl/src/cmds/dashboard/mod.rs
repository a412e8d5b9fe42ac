//! The link to the gateway's page, for this machine's browser and, as a QR code, for a phone.

mod browser;
mod link;
mod qr;
mod run;

pub use run::{run, show};
