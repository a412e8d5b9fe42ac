//! An open listener with its address and the name it goes by where it is handed over. The name tells our own sockets
//! from those that somebody else passed; the service manager keeps them under it, so each has its own.

use std::net::{SocketAddr, TcpListener};

const OURS: &str = "gatewayd-tcp-";

/// One listening socket.
#[derive(Debug)]
pub struct Listener {
    /// The name: ours for what was opened here, otherwise that of whoever passed it.
    pub name: String,
    /// The address it really has.
    pub address: SocketAddr,
    /// The socket.
    pub socket: TcpListener,
}

impl Listener {
    /// One that was opened here: `gatewayd-tcp-127.0.0.1-18789`. A colon would end the name.
    pub(super) fn opened(socket: TcpListener, address: SocketAddr) -> Self {
        let address = socket.local_addr().unwrap_or(address);
        let name = format!("{OURS}{}-{}", address.ip().to_string().replace(':', "."), address.port());
        Self { name, address, socket }
    }

    /// Whether it was opened by this program, now or in an earlier image.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        is_our_name(&self.name)
    }
}

/// Whether it is the name of a listener that this program opened.
#[must_use]
pub fn is_our_name(name: &str) -> bool {
    name.starts_with(OURS)
}
