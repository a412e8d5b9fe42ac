//! Opens the listeners: what the plan says, on the real machine. Sockets are bound here, before anything expensive,
//! and served much later.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use gateway_base::net;
use gateway_config::sections::Bind;

use super::listener::Listener;
use super::{Facts, Plan, plan};

/// Connections that may wait while the gateway is busy; the kernel caps it at its own limit.
#[cfg(unix)]
const BACKLOG: i32 = 4096;

/// The open listeners and what to say about them.
#[derive(Debug)]
pub struct Bound {
    /// Every listener.
    pub listeners: Vec<Listener>,
    /// The addresses to show, in order.
    pub shown: Vec<SocketAddr>,
    /// The IPv6 loopback that goes along with 127.0.0.1; shown only when detail is asked for.
    pub alias: Option<SocketAddr>,
    /// Warnings for the log.
    pub notes: Vec<String>,
    /// The names of inherited listeners of ours that are of no use any more and were closed.
    pub closed: Vec<String>,
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
    /// Somebody passed a socket with this port that listens elsewhere.
    #[error(
        "the service manager passed a socket that listens on {address}, but gateway.bind is {mode}; let its socket \
         unit listen on {wanted}, or change gateway.bind"
    )]
    Misfit {
        /// Where it listens.
        address: SocketAddr,
        /// The bind mode in force.
        mode: Bind,
        /// Where it should listen.
        wanted: SocketAddr,
    },
    /// Anything else the operating system says.
    #[error("failed to bind gateway socket on ws://{address}: {source}")]
    Other {
        /// The address that was tried.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// The plan for `mode` on `port`, when nobody could get in by it without a secret.
pub fn allowed(mode: Bind, port: u16, facts: Facts<'_>) -> Result<Plan, Error> {
    let plan = Plan::new(mode, facts)?;
    if !facts.has_auth
        && let Some(ip) = plan.all().find(|ip| !net::is_loopback(*ip))
    {
        return Err(Error::NoAuth(SocketAddr::new(ip, port)));
    }
    Ok(plan)
}

/// Opens the listeners for `mode` on `port`. Those of `inherited` that fit are used, and the others are closed first,
/// because one of them may be in the way.
pub fn open(mode: Bind, port: u16, facts: Facts<'_>, inherited: &mut Vec<Listener>) -> Result<Bound, Error> {
    let plan = allowed(mode, port, facts)?;
    let mut notes: Vec<_> = plan.note.iter().cloned().collect();
    let (mut fitting, strangers) = std::mem::take(inherited).into_iter().partition(|l| fits(l, &plan, port));
    let mut closed = close(strangers, mode, &plan, port, &mut notes)?;
    let found = match first_that_is_here(&plan.wanted, port, &mut fitting)? {
        Some(found) => Some(found),
        None => first_that_is_here(&plan.fallback, port, &mut fitting)?.inspect(|found| {
            notes.push(format!("bind={mode} address unavailable; using {}", found.address.ip()));
        }),
    };
    let first = found.ok_or_else(|| unavailable(mode, &plan.wanted))?;
    let alias = loopback_alias(first.address, &mut fitting, &mut notes);
    closed.extend(close(fitting, mode, &plan, port, &mut notes)?);
    let shown = shown(first.address, facts.interfaces);
    let alias_address = alias.as_ref().map(|alias| alias.address);
    let listeners = std::iter::once(first).chain(alias).collect();
    Ok(Bound { listeners, shown, alias: alias_address, notes, closed })
}

/// Whether the plan may use an inherited listener. The address counts that the socket really has.
fn fits(listener: &Listener, plan: &Plan, port: u16) -> bool {
    let ip = listener.address.ip();
    let is_alias = ip == Ipv6Addr::LOCALHOST && plan.all().any(|ip| ip == Ipv4Addr::LOCALHOST);
    listener.address.port() == port && (is_alias || plan.all().any(|planned| planned == ip))
}

/// Closes inherited listeners that are of no use, and returns the names of our own. A socket unit keeps its socket
/// open, so one with the right port and the wrong address would only be found in the way.
fn close(
    strangers: Vec<Listener>,
    mode: Bind,
    plan: &Plan,
    port: u16,
    notes: &mut Vec<String>,
) -> Result<Vec<String>, Error> {
    let (ours, others): (Vec<_>, Vec<_>) = strangers.into_iter().partition(Listener::is_ours);
    for Listener { address, .. } in others {
        let wanted = plan.all().next().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        if address.port() == port && !plan.all().any(|ip| ip == address.ip()) {
            return Err(Error::Misfit { address, mode, wanted: SocketAddr::new(wanted, port) });
        }
        notes.push(format!(
            "the inherited socket on {address} is not used; the gateway listens with bind={mode}, port {port}"
        ));
    }
    Ok(ours.into_iter().map(|listener| listener.name).collect())
}

fn first_that_is_here(
    candidates: &[IpAddr],
    port: u16,
    inherited: &mut Vec<Listener>,
) -> Result<Option<Listener>, Error> {
    let addresses = || candidates.iter().map(|ip| SocketAddr::new(*ip, port));
    let position = |address| inherited.iter().position(|listener| listener.address == address);
    if let Some(at) = addresses().find_map(position) {
        let listener = inherited.swap_remove(at);
        let address = listener.address;
        listener.socket.set_nonblocking(true).map_err(|source| Error::Other { address, source })?;
        return Ok(Some(listener));
    }
    for address in addresses() {
        match listen(address) {
            Ok(socket) => return Ok(Some(Listener::opened(socket, address))),
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
fn loopback_alias(
    primary: SocketAddr,
    inherited: &mut Vec<Listener>,
    notes: &mut Vec<String>,
) -> Option<Listener> {
    if primary.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
        return None;
    }
    let address = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), primary.port());
    match first_that_is_here(&[address.ip()], address.port(), inherited) {
        Ok(found) => found,
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
