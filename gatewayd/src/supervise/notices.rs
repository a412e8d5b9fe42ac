//! What the daemon says to whoever supervises it, in the words of systemd. Its signs of life: one that has said that it
//! serves and then falls silent is frozen, and is ended to be started again. Its listening sockets: they are kept from
//! one process to the next, so a daemon that dies refuses nobody.

use std::fs::{self, DirBuilder};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::{id, limits};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::time::{Instant, sleep_until};

use crate::bind;
use crate::handover::HandOver;

/// More than one message of a daemon brings.
const SOCKETS: usize = 4;

/// Where the daemon is heard, how long it may be silent, and what it gave to keep.
pub(super) struct Notices {
    folder: PathBuf,
    socket: UnixDatagram,
    limit: Duration,
    /// Until when the next sign has to come. There is none while the daemon starts or stops.
    until: Option<Instant>,
    kept: HandOver,
}

impl Notices {
    /// Listens, in a folder that is this user's alone. `WATCHDOG_USEC` says how long the daemon may be silent.
    pub(super) fn listen(env: &Env) -> io::Result<Self> {
        let folder =
            PathBuf::from(env.get("TMPDIR").unwrap_or("/tmp")).join(format!("gatewayd-{}", id::uuid()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let given =
            env.get("WATCHDOG_USEC").and_then(|text| text.trim().parse().ok()).filter(|usec| *usec > 0);
        let limit = given.map_or(limits::SERVICE_WATCHDOG, Duration::from_micros);
        match UnixDatagram::bind(folder.join("notify")) {
            Ok(socket) => Ok(Self { folder, socket, limit, until: None, kept: HandOver::default() }),
            Err(error) => {
                // Nothing is in it.
                let _ = fs::remove_dir(&folder);
                Err(error)
            }
        }
    }

    /// Gives a daemon that is about to start what is kept, and tells it where to be heard.
    pub(super) fn equip(&mut self, command: &mut Command) -> io::Result<()> {
        self.until = None;
        command
            .env("NOTIFY_SOCKET", self.folder.join("notify"))
            .env("WATCHDOG_USEC", self.limit.as_micros().to_string())
            .env_remove("WATCHDOG_PID");
        self.kept.pass_to_any(command)
    }

    /// Takes in what the daemon says, and returns when one that served has been silent for too long.
    pub(super) async fn silence(&mut self) {
        loop {
            let silence = async {
                match self.until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let socket = &self.socket;
            let notice = tokio::select! {
                // What was said while this process could not listen counts.
                biased;
                notice = socket.async_io(Interest::READABLE, || Ok(receive(socket)?)) => notice,
                () = silence => {
                    self.until = None;
                    return;
                }
            };
            match notice {
                Ok((text, sockets)) => self.hear(&text, &sockets),
                // Whoever cannot be heard cannot be missed either.
                Err(_) => std::future::pending().await,
            }
        }
    }

    fn hear(&mut self, text: &str, sockets: &[OwnedFd]) {
        let name = text.lines().find_map(|line| line.strip_prefix("FDNAME=")).unwrap_or_default();
        let is_ours = bind::is_our_name(name);
        for line in text.lines() {
            match line {
                "READY=1" | "WATCHDOG=1" => self.until = Some(Instant::now() + self.limit),
                // The end has limits of its own.
                "STOPPING=1" => self.until = None,
                "FDSTOREREMOVE=1" if is_ours => self.kept.remove(name),
                "FDSTORE=1" if is_ours => {
                    self.kept.remove(name);
                    sockets.iter().for_each(|socket| self.kept.add(name, socket));
                }
                _ => {}
            }
        }
    }

    /// How long the daemon may be silent, for people.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        // What cannot be removed is a folder for temporary files with an old socket.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One message with the sockets that came along.
fn receive(socket: &UnixDatagram) -> rustix::io::Result<(String, Vec<OwnedFd>)> {
    let mut text = [0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS))];
    let mut along = RecvAncillaryBuffer::new(&mut space);
    let message = recvmsg(socket, &mut [IoSliceMut::new(&mut text)], &mut along, RecvFlags::DONTWAIT)?;
    let mut sockets = Vec::new();
    for part in along.drain() {
        if let RecvAncillaryMessage::ScmRights(found) = part {
            sockets.extend(found);
        }
    }
    let text = text.get(..message.bytes).unwrap_or_default();
    Ok((String::from_utf8_lossy(text).into_owned(), sockets))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notices(limit: &str) -> (tempfile::TempDir, Notices, std::os::unix::net::UnixDatagram) {
        let folder = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([
            ("TMPDIR", folder.path().display().to_string()),
            ("WATCHDOG_USEC", limit.to_owned()),
        ]);
        let mut notices = Notices::listen(&env).expect("listens");
        let mut command = Command::new("true");
        notices.equip(&mut command).expect("nothing is kept yet");
        let daemon = std::os::unix::net::UnixDatagram::unbound().expect("socket");
        let at = command.get_envs().find(|(name, _)| *name == "NOTIFY_SOCKET").and_then(|(_, value)| value);
        daemon.connect(at.expect("is told")).expect("is there");
        (folder, notices, daemon)
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_daemon_that_served_and_then_falls_silent_is_frozen() {
        let (folder, mut notices, daemon) = notices("30000000");
        let ends = async |notices: &mut Notices, after: u64| {
            tokio::time::timeout(Duration::from_secs(after), notices.silence()).await.is_ok()
        };
        assert!(!ends(&mut notices, 1_000).await, "it may take its time to start");
        daemon.send(b"STATUS=x\nREADY=1\n").expect("sent");
        assert!(!ends(&mut notices, 29).await, "READY");
        daemon.send(b"WATCHDOG=1").expect("sent");
        assert!(!ends(&mut notices, 29).await, "alive");
        assert!(ends(&mut notices, 2).await, "silent");
        daemon.send(b"WATCHDOG=1\nSTOPPING=1").expect("sent");
        assert!(!ends(&mut notices, 1_000).await, "it stops");
        for nonsense in [&b""[..], b"\0\xff\n=\n", &[b'x'; 5000]] {
            daemon.send(nonsense).expect("sent");
            assert!(!ends(&mut notices, 100).await);
        }
        drop(notices);
        assert_eq!(fs::read_dir(folder.path()).expect("is there").count(), 0, "nothing is left");
    }

    #[tokio::test]
    async fn the_usual_limit_is_that_of_the_service() {
        for given in ["", "0", "x", "-1"] {
            assert_eq!(notices(given).1.limit(), limits::SERVICE_WATCHDOG, "{given}");
        }
    }
}
