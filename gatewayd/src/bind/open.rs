//! Opens the listeners: what the plan says, on the real machine. Sockets are bound here, before anything expensive,
//! and served much later.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};

use gateway_base::net;
use gateway_config::sections::Bind;

use super::{Facts, Plan, plan};

/// Connections that may wait while the gateway is busy; the kernel caps it at its own limit.
#[cfg(unix)]
const BACKLOG: i32 = 4096;

/// The open listeners and what to say about them.
#[derive(Debug)]
pub struct Bound {
    /// Every listener with its address.
    pub listeners: Vec<(SocketAddr, TcpListener)>,
    /// The addresses to show, in order.
    pub shown: Vec<SocketAddr>,
    /// The IPv6 loopback that goes along with 127.0.0.1; shown only when detail is asked for.
    pub alias: Option<SocketAddr>,
    /// Warnings for the log.
    pub notes: Vec<String>,
}

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the port.
    #[error("another gateway instance is already listening on ws://{0}")]
    Taken(SocketAddr),
    /// The mode needs a setting that is missing or wrong.
    #[error(transparent)]
    Setting(#[from] plan::Error),
    /// A plain or custom address that this machine does not have, at least not yet.
    #[error("{what} {address} is not available on this machine")]
    NotHere {
        /// Which setting asked for it.
        what: &'static str,
        /// The address.
        address: IpAddr,
    },
    /// Somebody else could reach it without a secret.
    #[error(
        "refusing to bind gateway to {0} without auth (set gateway.auth.token or CLAWDBOT_GATEWAY_TOKEN, or pass --token)"
    )]
    NoAuth(SocketAddr),
    /// Anything else the operating system says.
    #[error("failed to bind gateway socket on ws://{address}: {source}")]
    Other {
        /// The address that was tried.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Opens the listeners for `mode` on `port`.
pub fn open(mode: Bind, port: u16, facts: Facts<'_>) -> Result<Bound, Error> {
    let plan = Plan::new(mode, facts)?;
    if !facts.has_auth
        && let Some(ip) = plan.all().find(|ip| !net::is_loopback(*ip))
    {
        return Err(Error::NoAuth(SocketAddr::new(ip, port)));
    }
    let mut notes: Vec<_> = plan.note.into_iter().collect();
    let found = match first_that_is_here(&plan.wanted, port)? {
        Some(found) => Some(found),
        None => first_that_is_here(&plan.fallback, port)?.inspect(|(address, _)| {
            notes.push(format!("bind={mode} address unavailable; using {}", address.ip()));
        }),
    };
    let (address, listener) = found.ok_or_else(|| unavailable(mode, &plan.wanted))?;
    let alias = loopback_alias(address, &mut notes);
    let shown = shown(address, facts.interfaces);
    let alias_address = alias.as_ref().map(|(address, _)| *address);
    let listeners = std::iter::once((address, listener)).chain(alias).collect();
    Ok(Bound { listeners, shown, alias: alias_address, notes })
}

fn first_that_is_here(candidates: &[IpAddr], port: u16) -> Result<Option<(SocketAddr, TcpListener)>, Error> {
    for ip in candidates {
        let address = SocketAddr::new(*ip, port);
        match listen(address) {
            Ok(listener) => {
                let address = listener.local_addr().unwrap_or(address);
                return Ok(Some((address, listener)));
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(Error::Taken(address)),
            Err(error) if is_not_here(&error) => {}
            Err(source) => return Err(Error::Other { address, source }),
        }
    }
    Ok(None)
}

/// The address, or its whole family, does not exist on this machine.
fn is_not_here(error: &io::Error) -> bool {
    if matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported) {
        return true;
    }
    #[cfg(unix)]
    {
        let missing_family = rustix::io::Errno::AFNOSUPPORT.raw_os_error();
        error.raw_os_error() == Some(missing_family)
    }
    #[cfg(not(unix))]
    {
        false
    }
}

fn unavailable(mode: Bind, wanted: &[IpAddr]) -> Error {
    let address = wanted.first().copied().unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    let what = match mode {
        Bind::Custom => "gateway.customBindHost",
        _ => "bind address",
    };
    Error::NotHere { what, address }
}

/// `::1` beside 127.0.0.1, so that clients that resolve `localhost` to it get through. Best effort.
fn loopback_alias(primary: SocketAddr, notes: &mut Vec<String>) -> Option<(SocketAddr, TcpListener)> {
    if primary.ip() != IpAddr::V4(std::net::Ipv4Addr::LOCALHOST) {
        return None;
    }
    let address = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), primary.port());
    match listen(address) {
        Ok(listener) => Some((address, listener)),
        Err(error) if is_not_here(&error) => None,
        Err(error) => {
            notes.push(format!("failed to bind loopback alias ::1:{} ({error})", primary.port()));
            None
        }
    }
}

/// A wildcard is shown as the addresses people can type; loopback answers as well and is not listed.
fn shown(address: SocketAddr, interfaces: &[IpAddr]) -> Vec<SocketAddr> {
    let on_port = |ip: IpAddr| SocketAddr::new(ip, address.port());
    let found: Vec<_> = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            net::lan_addresses(interfaces).into_iter().map(|ip| on_port(ip.into())).collect()
        }
        IpAddr::V6(ip) if ip.is_unspecified() => interfaces
            .iter()
            .filter(|ip| matches!(ip, IpAddr::V6(ip) if !ip.is_unicast_link_local()))
            .map(|ip| on_port(*ip))
            .collect(),
        _ => Vec::new(),
    };
    if found.is_empty() { vec![address] } else { found }
}

/// A listener as the standard library makes one, with a longer queue, and on IPv6 for IPv6 alone.
#[cfg(unix)]
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    use rustix::net::{AddressFamily, SocketType, ipproto, sockopt};
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = rustix::net::socket(family, SocketType::STREAM, Some(ipproto::TCP))?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    // A port whose old connections are still winding down can be taken again at once.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[cfg(not(unix))]
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
