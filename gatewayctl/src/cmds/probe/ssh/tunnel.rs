//! A tunnel: the system's `ssh` with a port of this machine that leads to the gateway's port over there. It ends when
//! it is dropped, and in good order when it is closed.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::program::{self, Call, End, Ran};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::place::Place;
use crate::ports::{self, PortListener};

/// How long `ssh -G` may take.
const RESOLVE: Duration = Duration::from_millis(800);
/// How long a tunnel may take until its port listens.
const READY: Duration = Duration::from_millis(1500);
/// How long it may take to end. Windows has no signal that asks for it.
#[cfg(unix)]
const END: Duration = Duration::from_millis(1500);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(25);
/// How long its last words may take.
const LISTEN: Duration = Duration::from_millis(500);
/// How much of what it says is read.
const MAX_SAID: u64 = 64 * 1024;

/// A tunnel that stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tunnel {
    kind: &'static str,
    /// Where it leads, in words.
    pub target: String,
    /// The port of this machine.
    pub local_port: u16,
    remote_port: u16,
    pid: u32,
    #[serde(skip)]
    child: Child,
}

/// Opens a tunnel to `port` over there, with this key if one is given. The error is `ssh`'s own reason, if it told one.
pub async fn open(
    place: &Place,
    identity: Option<&str>,
    port: u16,
    env: &Env,
) -> Result<Tunnel, Option<String>> {
    let (target, ssh_port) = resolve(place, identity).await?;
    let local_port = free_port(port).map_err(|error| Some(format!("no free port: {error}")))?;
    let mut child = start(place, identity, ssh_port, local_port, port).map_err(Some)?;
    let said = child.stderr.take();
    let pid = child.id().unwrap_or_default();
    let listens = until_it_listens(&mut child, local_port, env);
    match timeout(READY, listens).await {
        Ok(Ok(())) => Ok(Tunnel { kind: "ssh", target, local_port, remote_port: port, pid, child }),
        Ok(Err(why)) => Err(why.or(last_words(said).await)),
        Err(_) => {
            end(&mut child).await;
            let said = last_words(said).await.map(|said| format!(" ({said})")).unwrap_or_default();
            Err(Some(format!("no tunnel within {} ms{said}", READY.as_millis())))
        }
    }
}

impl Tunnel {
    /// Ends it.
    pub async fn close(mut self) {
        end(&mut self.child).await;
    }
}

/// Where `ssh` would go: the target in words, and the port. `ssh` itself is given the name as it was written, so that
/// everything the user has configured for that name holds.
async fn resolve(place: &Place, identity: Option<&str>) -> Result<(String, u16), Option<String>> {
    let mut words = vec!["-G".to_owned()];
    words.extend(place.port.map(|port| ["-p".to_owned(), port.to_string()]).into_iter().flatten());
    words.extend(identity.map(|file| ["-i".to_owned(), file.to_owned()]).into_iter().flatten());
    words.extend(["--".to_owned(), place.destination()]);
    let call = Call { apart: false, time: RESOLVE, ..Call::new("ssh", words) };
    let answer = match program::run(&call).await {
        Ok(Ran { end: End::Success, stdout, .. }) => stdout,
        // It only tells more; the tunnel has its own limit.
        Ok(Ran { end: End::TooLate, .. }) => String::new(),
        Ok(ran) => return Err(last_line(&ran.stderr)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Some("ssh is not installed".to_owned()));
        }
        Err(error) => return Err(Some(format!("ssh cannot be run: {error}"))),
    };
    let value = |key: &str| {
        answer.lines().find_map(|line| line.split_once(' ').filter(|(name, _)| *name == key)).map(|(_, v)| v)
    };
    let port = place.port.or_else(|| value("port")?.parse().ok()).unwrap_or(22);
    let host = value("hostname").unwrap_or(&place.host);
    let user = value("user").or(place.user.as_deref());
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    Ok((format!("{user}{host}:{port}"), port))
}

fn start(
    place: &Place,
    identity: Option<&str>,
    ssh_port: u16,
    local: u16,
    port: u16,
) -> Result<Child, String> {
    let mut command = Command::new("ssh");
    command.args(["-N", "-L", &format!("127.0.0.1:{local}:127.0.0.1:{port}"), "-p", &ssh_port.to_string()]);
    for option in [
        "ExitOnForwardFailure=yes",
        "BatchMode=yes",
        // A host that only the network tells of must be known already: the secret goes there.
        if place.is_hearsay { "StrictHostKeyChecking=yes" } else { "StrictHostKeyChecking=accept-new" },
        "UpdateHostKeys=yes",
        "ConnectTimeout=5",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=3",
    ] {
        command.args(["-o", option]);
    }
    if let Some(identity) = identity {
        command.args(["-i", identity]);
    }
    command
        .args(["--", &place.destination()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command.spawn().map_err(|error| format!("ssh cannot be run: {error}"))
}

/// The gateway's own port if it is free, because people expect it, else any.
fn free_port(wanted: u16) -> io::Result<u16> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|socket| socket.local_addr());
    bind(wanted).or_else(|_| bind(0)).map(|address| address.port())
}

/// Waits until `ssh` itself listens: the gateway's secret must not go to whoever else took the port meanwhile. The
/// error is for a child that ended, or for the stranger.
async fn until_it_listens(child: &mut Child, port: u16, env: &Env) -> Result<(), Option<String>> {
    loop {
        if !matches!(child.try_wait(), Ok(None)) {
            return Err(None);
        }
        let listeners = ports::listeners_on(port, env);
        if let Some(one) = listeners.first() {
            // An older ssh that is shared by several sessions may be the one that listens.
            let is_shared = |one: &PortListener| one.command == "ssh" && one.is_ours(env);
            let is_ssh = listeners.iter().any(|one| Some(one.pid) == child.id() || is_shared(one));
            return if is_ssh {
                Ok(())
            } else {
                Err(Some(format!("port {port} was taken by {} (pid {})", one.command, one.pid)))
            };
        }
        sleep(LOOK).await;
    }
}

async fn end(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process};
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok())
            && timeout(END, child.wait()).await.is_ok()
        {
            return;
        }
    }
    // It may have ended by itself by now.
    let _ = child.kill().await;
}

/// The last line of what it said.
async fn last_words(said: Option<impl AsyncRead + Unpin>) -> Option<String> {
    let mut bytes = Vec::new();
    let mut said = said?.take(MAX_SAID);
    // Whoever inherited the pipe may keep it open; what was said is there by now.
    let _ = timeout(LISTEN, said.read_to_end(&mut bytes)).await;
    last_line(&String::from_utf8_lossy(&bytes))
}

/// The last line that is about the connection: that a new host's key was kept is no reason for anything.
fn last_line(text: &str) -> Option<String> {
    let is_one = |line: &&str| !line.is_empty() && !line.starts_with("Warning: Permanently added ");
    text.lines().map(str::trim).rfind(is_one).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_port_is_taken_only_when_it_is_free() {
        // One that the system gives to nobody who asks for any port.
        let mut fixed = 28_000..29_000;
        let taken = fixed.find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
        let taken = taken.expect("a free port");
        let wanted = taken.local_addr().expect("is bound").port();
        assert_ne!(free_port(wanted).expect("any"), wanted);
        drop(taken);
        assert_eq!(free_port(wanted).expect("the wanted"), wanted);
    }

    #[test]
    fn the_reason_is_the_last_thing_that_was_said() {
        let text = "Warning: Permanently added 'x'.\nme@x: Permission denied (publickey).\n\n";
        assert_eq!(last_line(text).as_deref(), Some("me@x: Permission denied (publickey)."));
        assert_eq!(
            last_line("\n \nWarning: Permanently added 'x' (ED25519) to the list of known hosts.\n"),
            None
        );
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_stranger_on_the_port_gets_nothing() {
        let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = stranger.local_addr().expect("is bound").port();
        let mut child = Command::new("sleep").arg("60").kill_on_drop(true).spawn().expect("sleep runs");
        let refused = until_it_listens(&mut child, port, &Env::default()).await;
        assert!(refused.is_err_and(|why| why.is_some_and(|why| why.contains("was taken by"))));
        end(&mut child).await;
    }
}
