//! Who listens on a TCP port, found without any helper program, and the words to tell a person about it
//! (operations 4.3 and 4.4).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use crate::printable::printable;
use crate::process;
use crate::profile::{self, Profile};
use crate::redact::Redactor;

/// A process that listens on the port in question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its pid.
    pub pid: u32,
    /// Its short name.
    pub name: Option<String>,
    /// Its command line, secrets masked, or its path.
    pub command: Option<String>,
    /// The user it runs as.
    pub user: Option<String>,
    /// The addresses it listens on.
    pub addresses: Vec<SocketAddr>,
}

/// What a holder is, as far as its command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A gateway, ours or the original.
    Gateway,
    /// An SSH tunnel.
    Ssh,
    /// Anything else.
    Unknown,
}

/// Whether a port is in use, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Nobody listens.
    Free,
    /// In use; the list is empty when the processes belong to someone else and cannot be seen.
    Busy(Vec<Holder>),
    /// It could not be found out.
    Unknown(String),
}

/// Why the listeners could not be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the listeners of this machine")]
pub struct Error(#[source] io::Error);

impl Holder {
    /// What kind of process this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let text = self.command.as_deref().or(self.name.as_deref()).unwrap_or_default();
        if text.contains("clawdbot") || text.contains("gatewayd") {
            Kind::Gateway
        } else if text.contains("ssh") {
            Kind::Ssh
        } else {
            Kind::Unknown
        }
    }

    fn line(&self) -> String {
        let user = self.user.as_deref().map(|user| format!(" {user}")).unwrap_or_default();
        let command = self.command.as_deref().or(self.name.as_deref()).unwrap_or("unknown");
        let address = self.addresses.first().map(|address| format!(" ({address})")).unwrap_or_default();
        format!("- pid {}{user}: {command}{address}", self.pid)
    }
}

impl Usage {
    /// Looks who uses `port`.
    #[must_use]
    pub fn of(port: u16) -> Self {
        match holders(port, Search::Quick) {
            Ok(found) if !found.is_empty() => Self::Busy(found),
            Ok(_) | Err(_) => probe(port),
        }
    }

    /// The diagnostics block: one headline, one line per process, one hint per kind.
    #[must_use]
    pub fn lines(&self, port: u16, profile: Option<&Profile>) -> Vec<String> {
        let holders = match self {
            Self::Free => return vec![format!("Port {port} is free.")],
            Self::Unknown(reason) => {
                return vec![format!("Port {port}: cannot tell whether it is in use ({reason}).")];
            }
            Self::Busy(holders) => holders,
        };
        let mut lines = vec![format!("Port {port} is already in use.")];
        lines.extend(holders.iter().map(Holder::line));
        let has = |kind| holders.iter().any(|holder| holder.kind() == kind);
        if has(Kind::Gateway) {
            lines.push(already_running(profile));
        }
        if has(Kind::Ssh) {
            lines.push("- SSH tunnel already bound to this port. Close the tunnel or use a different local port in -L.".into());
        }
        if has(Kind::Unknown) {
            lines.push("- Another process is listening on this port.".into());
        }
        if holders.len() > 1 {
            lines.push("- Multiple listeners detected; ensure only one gateway/tunnel per port unless intentionally running isolated profiles.".into());
        }
        if holders.is_empty() {
            lines.push("- Port is in use but process details are unavailable (install lsof or run as an admin user).".into());
        }
        lines
    }
}

/// The hint for a port or a lock that a gateway holds.
#[must_use]
pub fn already_running(profile: Option<&Profile>) -> String {
    let stop = profile::hint(profile, "clawdbot gateway stop");
    format!("- Gateway already running locally. Stop it ({stop}) or use a different port.")
}

/// The processes that listen on `port`, each once, in order of their pids.
pub fn on_port(port: u16) -> Result<Vec<Holder>, Error> {
    holders(port, Search::All)
}

/// How hard to look.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
enum Search {
    /// For every process.
    All,
    /// For one process per socket, and not for long: to tell a person.
    Quick,
}

fn holders(port: u16, search: Search) -> Result<Vec<Holder>, Error> {
    let mut holders: Vec<Holder> = Vec::new();
    for (pid, address) in pairs(port, search).map_err(Error)? {
        match holders.iter_mut().find(|holder| holder.pid == pid) {
            Some(holder) if holder.addresses.contains(&address) => {}
            Some(holder) => holder.addresses.push(address),
            None => holders.push(describe(pid, address)),
        }
    }
    for holder in &mut holders {
        holder.addresses.sort();
    }
    holders.sort_by_key(|holder| holder.pid);
    Ok(holders)
}

/// A holder with everything that can be read about the process.
#[must_use]
pub fn describe(pid: u32, address: SocketAddr) -> Holder {
    let command = process::command_line(pid).map(|words| {
        let joined = words.join(" ");
        printable(&Redactor::shared().apply(&joined), 400).into_owned()
    });
    let name = process::name(pid).map(|name| printable(&name, 64).into_owned());
    Holder { pid, name, command, user: process::user(pid), addresses: vec![address] }
}

/// Binding tells that a port is taken even when the holder cannot be seen.
fn probe(port: u16) -> Usage {
    let hosts: [IpAddr; 4] = [
        Ipv4Addr::LOCALHOST.into(),
        Ipv4Addr::UNSPECIFIED.into(),
        Ipv6Addr::LOCALHOST.into(),
        Ipv6Addr::UNSPECIFIED.into(),
    ];
    let mut unknown = None;
    for host in hosts {
        match TcpListener::bind((host, port)).map_err(|error| (error.kind(), error)) {
            Ok(_) | Err((io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported, _)) => {}
            Err((io::ErrorKind::AddrInUse, _)) => return Usage::Busy(Vec::new()),
            // A family the kernel was built without reads as "uncategorized".
            Err((_, error)) if host.is_ipv6() && error.kind() != io::ErrorKind::PermissionDenied => {}
            Err((_, error)) => unknown = Some(error.to_string()),
        }
    }
    unknown.map_or(Usage::Free, Usage::Unknown)
}

/// Whether anybody listens on `port`. Much cheaper than [`on_port`], which also finds out who.
pub fn is_open(port: u16) -> Result<bool, Error> {
    #[cfg(target_os = "linux")]
    {
        linux::sockets(port).map(|found| !found.is_empty()).map_err(Error)
    }
    #[cfg(not(target_os = "linux"))]
    {
        pairs(port, Search::All).map(|found| !found.is_empty()).map_err(Error)
    }
}

/// Whether this process listens on `port`.
pub fn holds(pid: u32, port: u16) -> Result<bool, Error> {
    #[cfg(target_os = "linux")]
    {
        let sockets = linux::sockets(port).map_err(Error)?;
        Ok(linux::held_by(pid, &sockets, &mut 0).next().is_some())
    }
    #[cfg(not(target_os = "linux"))]
    {
        Ok(pairs(port, Search::All).map_err(Error)?.iter().any(|(holder, _)| *holder == pid))
    }
}

/// Whether the holder only keeps the socket for somebody else: systemd does, for its socket units and for services
/// that hand their sockets over to their next process.
#[must_use]
pub fn is_keeper(pid: u32) -> bool {
    cfg!(target_os = "linux") && (pid == 1 || process::name(pid).as_deref() == Some("systemd"))
}

/// Every process that holds a listening socket of this port. A socket inherited by children has several holders,
/// and all of them keep the port. A service manager that keeps it counts when nobody else has it.
#[cfg(target_os = "linux")]
fn pairs(port: u16, search: Search) -> io::Result<Vec<(u32, SocketAddr)>> {
    /// Descriptors a quick search looks at: some 50 ms on a slow machine.
    const QUICK: usize = 8_000;
    let sockets = linux::sockets(port)?;
    if sockets.is_empty() {
        return Ok(Vec::new());
    }
    let (mut found, mut kept): (Vec<(u32, SocketAddr)>, Vec<_>) = Default::default();
    let mut looked = 0;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let seen = |address: &SocketAddr| found.iter().any(|(_, known)| known == address);
        let is_enough = looked > QUICK || sockets.iter().all(|(_, address)| seen(address));
        if search == Search::Quick && is_enough {
            break;
        }
        if let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            let held: Vec<_> =
                linux::held_by(pid, &sockets, &mut looked).map(|address| (pid, address)).collect();
            let keeps = !held.is_empty() && is_keeper(pid);
            if keeps { kept.extend(held) } else { found.extend(held) }
        }
    }
    kept.retain(|(_, address)| !found.iter().any(|(_, known)| known == address));
    found.extend(kept);
    Ok(found)
}

#[cfg(not(target_os = "linux"))]
fn pairs(port: u16, _: Search) -> io::Result<Vec<(u32, SocketAddr)>> {
    let all = ::listeners::get_all().map_err(|error| io::Error::other(error.to_string()))?;
    let here = |l: &::listeners::Listener| {
        l.protocol == ::listeners::Protocol::TCP
            && l.state == ::listeners::SocketState::Listen
            && l.socket.port() == port
    };
    Ok(all.into_iter().filter(here).map(|l| (l.process.pid, l.socket)).collect())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
    use std::path::Path;

    /// The listening sockets of `port`: inode and address.
    pub(super) fn sockets(port: u16) -> io::Result<Vec<(u64, SocketAddr)>> {
        let mut found = Vec::new();
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            match std::fs::read_to_string(table) {
                Ok(text) => found.extend(text.lines().filter_map(|line| listening(line, port))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// The addresses of those of `sockets` that the process holds, counting the descriptors that were looked at.
    /// Processes of others cannot be read, and processes end meanwhile: both hold nothing.
    pub(super) fn held_by(
        pid: u32,
        sockets: &[(u64, SocketAddr)],
        looked: &mut usize,
    ) -> impl Iterator<Item = SocketAddr> {
        let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let inodes =
            fds.inspect(|_| *looked += 1).filter_map(|fd| socket_inode(&std::fs::read_link(fd.path()).ok()?));
        inodes.flat_map(|inode| {
            sockets.iter().filter(move |(open, _)| *open == inode).map(|(_, address)| *address)
        })
    }

    /// Inode and address of a line of `/proc/net/tcp` that is a listener on `port`.
    fn listening(line: &str, port: u16) -> Option<(u64, SocketAddr)> {
        let mut fields = line.split_ascii_whitespace();
        let local = fields.nth(1)?;
        if fields.nth(1)? != "0A" {
            return None;
        }
        let inode = fields.nth(5)?.parse().ok()?;
        let (host, port_hex) = local.split_once(':')?;
        if u16::from_str_radix(port_hex, 16).ok()? != port {
            return None;
        }
        Some((inode, SocketAddr::new(address(host)?, port)))
    }

    /// The kernel prints each group of four bytes as one number in the machine's own byte order.
    fn address(hex: &str) -> Option<IpAddr> {
        let group = |at: usize| u32::from_str_radix(hex.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
        match hex.len() {
            8 => Some(IpAddr::V4(Ipv4Addr::from(group(0)?))),
            32 => {
                let mut bytes = [0; 16];
                for (n, part) in bytes.chunks_exact_mut(4).enumerate() {
                    part.copy_from_slice(&group(n * 8)?);
                }
                Some(IpAddr::V6(Ipv6Addr::from(bytes)))
            }
            _ => None,
        }
    }

    /// The number in `socket:[123]`.
    fn socket_inode(link: &Path) -> Option<u64> {
        link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[cfg(target_endian = "little")]
        #[test]
        fn only_listeners_of_the_port_count() {
            let v4 = "   0: 0100007F:4965 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0 100 0";
            assert_eq!(listening(v4, 18789), Some((4242, "127.0.0.1:18789".parse().expect("an address"))));
            assert_eq!(listening(v4, 18790), None);
            assert_eq!(listening(&v4.replace(" 0A ", " 01 "), 18789), None);
            let v6 = v4.replace("0100007F", "00000000000000000000000001000000");
            assert_eq!(listening(&v6, 18789), Some((4242, "[::1]:18789".parse().expect("an address"))));
            assert_eq!(listening("  sl  local_address rem_address   st", 18789), None);
        }

        #[test]
        fn socket_links_are_read() {
            assert_eq!(socket_inode(Path::new("socket:[77]")), Some(77));
            assert_eq!(socket_inode(Path::new("/dev/null")), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pid: u32, command: &str) -> Holder {
        let address = "127.0.0.1:18789".parse().expect("an address");
        Holder {
            pid,
            name: None,
            command: Some(command.into()),
            user: Some("you".into()),
            addresses: vec![address],
        }
    }

    #[test]
    fn the_block_has_the_words_of_the_original() {
        let one = Usage::Busy(vec![holder(12345, "clawdbot-gateway")]);
        assert_eq!(
            one.lines(18789, None),
            [
                "Port 18789 is already in use.",
                "- pid 12345 you: clawdbot-gateway (127.0.0.1:18789)",
                "- Gateway already running locally. Stop it (clawdbot gateway stop) or use a different port.",
            ]
        );
        let two = Usage::Busy(vec![holder(1, "ssh -L"), holder(2, "node server.js")]);
        let lines = two.lines(18789, None);
        assert!(lines[3].starts_with("- SSH tunnel") && lines[4].starts_with("- Another process"));
        assert!(lines[5].starts_with("- Multiple listeners detected;"));
        assert!(Usage::Busy(Vec::new()).lines(1, None)[1].contains("process details are unavailable"));
        assert_eq!(Usage::Free.lines(1, None), ["Port 1 is free."]);
    }

    #[test]
    fn a_real_listener_is_found_and_a_free_port_is_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let Usage::Busy(found) = Usage::of(address.port()) else { panic!("the port is in use") };
        assert_eq!(found[0].pid, std::process::id());
        assert_eq!(found[0].addresses, [address]);
        drop(listener);
        assert_eq!(Usage::of(address.port()), Usage::Free);
    }

    #[cfg(unix)]
    #[test]
    fn children_that_inherited_the_socket_are_holders_too() {
        use std::os::fd::OwnedFd;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let copy = OwnedFd::from(listener.try_clone().expect("a copy"));
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .stdin(std::process::Stdio::from(copy))
            .spawn()
            .expect("sleep");
        let found = on_port(port).expect("a list");
        let pids: Vec<_> = found.iter().map(|holder| holder.pid).collect();
        child.kill().expect("killed");
        child.wait().expect("reaped");
        assert!(pids.contains(&child.id()) && pids.contains(&std::process::id()), "{pids:?}");
    }
}
