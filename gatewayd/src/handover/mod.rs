//! Listening sockets that outlive an image of this program: what was inherited from the image before it or from the
//! service manager, and what the next image is given. All of them are passed as systemd passes sockets, so that one
//! way to take them over serves a restart in place, socket activation and the store of descriptors. Windows has no
//! such thing: there the port is closed and opened again.

mod given;
mod inherited;
mod reserved;

pub use given::HandOver;
pub use inherited::{ADMIN, AdminSocket, Inherited, READY};
pub use reserved::Reserved;
