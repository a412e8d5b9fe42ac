//! Sockets that were open before this image of the program began: those that the image before it handed over, those
//! of the service manager's store, and those of a socket unit. They are taken first of all, before anything else opens
//! a descriptor. What is not as it was announced is left out with a line that says so; it never ends the start.

use gateway_base::env::Env;

use crate::bind::Listener;

/// The number of the first descriptor.
pub(super) const FIRST: i32 = 3;
/// Says that they are for whoever finds them, because the process could not be named before it was there.
pub(super) const UNNAMED: &str = "CLAWDBOT_LISTEN_UNNAMED";
/// More than any gateway listens on; what announces more is mistaken.
const MOST: usize = 61;
/// The first number that is never one of theirs.
#[cfg(unix)]
pub(super) const END: i32 = 64;

/// How many there are, for which process, and their names.
pub(super) const VARIABLES: [&str; 3] = [COUNT, PROCESS, NAMES];
pub(super) const COUNT: &str = "LISTEN_FDS";
pub(super) const PROCESS: &str = "LISTEN_PID";
pub(super) const NAMES: &str = "LISTEN_FDNAMES";
/// The name of the admin socket.
pub const ADMIN: &str = "gatewayd-admin";
/// The name of the socket where the next image of the program says that it is ready.
pub const READY: &str = "gatewayd-ready";
/// What some tools say beside, and systemd does not.
const FIRST_NUMBER: &str = "LISTEN_FDS_FIRST_FD";

/// An admin socket that was handed over.
#[cfg(unix)]
pub type AdminSocket = std::os::unix::net::UnixListener;
/// There is none to hand over.
#[cfg(not(unix))]
pub type AdminSocket = std::convert::Infallible;

/// What was inherited.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Listeners of the control plane.
    pub tcp: Vec<Listener>,
    /// The admin socket.
    pub admin: Option<AdminSocket>,
    /// Where the image that is to serve says that it does.
    #[cfg(unix)]
    pub ready: Option<std::os::unix::net::UnixDatagram>,
    /// What a person should know, for the log.
    pub notes: Vec<String>,
}

impl Inherited {
    /// Takes over what is announced to this process and removes the announcement, so that children do not take it
    /// for theirs. Must come before anything opens a file, and before there are threads.
    #[must_use]
    pub fn take(env: &mut Env) -> Self {
        let announced = announced(env, std::process::id());
        for name in VARIABLES.into_iter().chain([FIRST_NUMBER, UNNAMED]) {
            env.remove(name);
        }
        match announced {
            Ok(names) if names.is_empty() => Self::default(),
            Ok(names) => adopt(names),
            Err(note) => Self { notes: vec![note], ..Self::default() },
        }
    }
}

/// The names of the sockets that are announced to process `own`.
fn announced(env: &Env, own: u32) -> Result<Vec<String>, String> {
    let Some(text) = env.get(COUNT) else { return Ok(Vec::new()) };
    let wrong = |name: &str, text: &str, expected: &str| {
        Err(format!("no inherited socket is used: {name} is {text:?}, not {expected}"))
    };
    let own_text = own.to_string();
    let unnamed = if env.is_one(UNNAMED) { own_text.as_str() } else { "" };
    let pid = env.get(PROCESS).unwrap_or(unnamed);
    match pid.trim().parse::<u32>() {
        Ok(pid) if pid == own => {}
        // They are meant for a process further up.
        Ok(_) => return Ok(Vec::new()),
        Err(_) => return wrong(PROCESS, pid, "the number of a process"),
    }
    let Some(count) = text.parse::<usize>().ok().filter(|n| *n <= MOST) else {
        return wrong(COUNT, text, &format!("a number up to {MOST}"));
    };
    if let Some(first) = env.get(FIRST_NUMBER).filter(|first| *first != FIRST.to_string()) {
        return wrong(FIRST_NUMBER, first, &FIRST.to_string());
    }
    let mut named: Vec<_> = env.get(NAMES).unwrap_or_default().split(':').map(str::to_owned).collect();
    named.resize(count, String::new());
    Ok(named)
}

#[cfg(unix)]
fn adopt(names: Vec<String>) -> Inherited {
    let mut fds = listenfd::ListenFd::from_env();
    let mut inherited = Inherited::default();
    for (n, name) in names.into_iter().enumerate().take(fds.len()) {
        if let Err(problem) = one(&mut fds, n, name.clone(), &mut inherited) {
            let shown = gateway_base::printable::printable(&name, 100);
            inherited.notes.push(format!(
                "the inherited descriptor {} ({shown:?}) is not used: it is {problem}",
                FIRST.saturating_add(i32::try_from(n).unwrap_or(i32::MAX))
            ));
        }
    }
    inherited
}

/// Sorts one of them in. What it is instead of something useful is the error, and it is closed if it can be.
#[cfg(unix)]
fn one(fds: &mut listenfd::ListenFd, n: usize, name: String, to: &mut Inherited) -> Result<(), String> {
    if let Ok(Some(socket)) = fds.take_tcp_listener(n) {
        if !listens(&socket) {
            return Err("a TCP socket that does not listen".to_owned());
        }
        let address = socket.local_addr().map_err(|error| format!("a socket without an address: {error}"))?;
        to.tcp.push(Listener { name, address, socket: out_of_the_way(socket)?.into() });
        return Ok(());
    }
    if let Ok(Some(socket)) = fds.take_unix_listener(n) {
        if name != ADMIN || !listens(&socket) {
            return Err("a Unix socket, and not the admin socket of a gateway".to_owned());
        }
        to.admin = Some(out_of_the_way(socket)?.into());
        return Ok(());
    }
    if let Ok(Some(_)) = fds.take_udp_socket(n) {
        return Err("a UDP socket".to_owned());
    }
    if let Ok(Some(socket)) = fds.take_unix_datagram(n) {
        if name == READY {
            to.ready = Some(out_of_the_way(socket)?.into());
            return Ok(());
        }
        return Err("a socket for datagrams".to_owned());
    }
    Err("no socket".to_owned())
}

/// Whether it is a listener. Apple's systems do not tell; there one that is not connected counts.
#[cfg(unix)]
fn listens(socket: &impl std::os::fd::AsFd) -> bool {
    #[cfg(not(target_vendor = "apple"))]
    {
        rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false)
    }
    #[cfg(target_vendor = "apple")]
    {
        rustix::net::getpeername(socket).is_err()
    }
}

/// The same socket under a number that is not wanted for the next image of the program.
#[cfg(unix)]
fn out_of_the_way(socket: impl Into<std::os::fd::OwnedFd>) -> Result<std::os::fd::OwnedFd, String> {
    rustix::io::fcntl_dupfd_cloexec(socket.into(), END).map_err(|error| format!("of no use: {error}"))
}

#[cfg(not(unix))]
fn adopt(_: Vec<String>) -> Inherited {
    Inherited {
        notes: vec!["inherited sockets are not used on this system".to_owned()],
        ..Inherited::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pairs: &[(&str, &str)]) -> Result<Vec<String>, String> {
        announced(&Env::from_pairs(pairs.iter().copied()), 7)
    }

    #[test]
    fn only_what_is_announced_to_this_process_counts() {
        assert_eq!(said(&[]), Ok(Vec::new()));
        assert_eq!(said(&[("LISTEN_FDS", "1"), ("LISTEN_PID", "8")]), Ok(Vec::new()));
        let two = [("LISTEN_FDS", "2"), ("LISTEN_PID", "7"), ("LISTEN_FDNAMES", "a")];
        assert_eq!(said(&two), Ok(vec!["a".to_owned(), String::new()]));
        let unnamed = [("LISTEN_FDS", "1"), ("CLAWDBOT_LISTEN_UNNAMED", "1"), ("LISTEN_FDNAMES", "a")];
        assert_eq!(said(&unnamed), Ok(vec!["a".to_owned()]));
        let fewer = [("LISTEN_FDS", "1"), ("LISTEN_PID", "7"), ("LISTEN_FDNAMES", "a:b:c")];
        assert_eq!(said(&fewer), Ok(vec!["a".to_owned()]));
    }

    #[test]
    fn nonsense_is_named_and_not_followed() {
        for (pairs, expected) in [
            (vec![("LISTEN_FDS", "1")], "LISTEN_PID is \"\""),
            (vec![("LISTEN_FDS", "1"), ("LISTEN_PID", "x")], "LISTEN_PID is \"x\""),
            (vec![("LISTEN_FDS", "-1"), ("LISTEN_PID", "7")], "LISTEN_FDS is \"-1\""),
            (vec![("LISTEN_FDS", "99999999999"), ("LISTEN_PID", "7")], "LISTEN_FDS is \"99999999999\""),
            (
                vec![("LISTEN_FDS", "1"), ("LISTEN_PID", "7"), ("LISTEN_FDS_FIRST_FD", "0")],
                "LISTEN_FDS_FIRST_FD is \"0\", not 3",
            ),
        ] {
            let note = said(&pairs).expect_err("refused");
            assert!(note.contains(expected), "{note}");
        }
    }
}
