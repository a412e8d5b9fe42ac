//! The daemon's signs of life. It gives them to whoever asks for them in the way of systemd, so the supervisor asks in
//! the same way: one that has said that it serves and then falls silent is frozen, and is ended to be started again.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::{id, limits};
use tokio::net::UnixDatagram;
use tokio::time::{Instant, sleep_until};

/// How long the daemon may be silent, and where it is heard.
pub(super) struct Signs {
    folder: PathBuf,
    socket: UnixDatagram,
    limit: Duration,
    /// Until when the next sign has to come. There is none while the daemon starts or stops.
    until: Option<Instant>,
}

impl Signs {
    /// Listens, in a folder that is this user's alone. `WATCHDOG_USEC` says how long the daemon may be silent.
    pub(super) fn listen(env: &Env) -> io::Result<Self> {
        let folder =
            PathBuf::from(env.get("TMPDIR").unwrap_or("/tmp")).join(format!("gatewayd-{}", id::uuid()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let given =
            env.get("WATCHDOG_USEC").and_then(|text| text.trim().parse().ok()).filter(|usec| *usec > 0);
        let limit = given.map_or(limits::SERVICE_WATCHDOG, Duration::from_micros);
        match UnixDatagram::bind(folder.join("notify")) {
            Ok(socket) => Ok(Self { folder, socket, limit, until: None }),
            Err(error) => {
                // Nothing is in it.
                let _ = fs::remove_dir(&folder);
                Err(error)
            }
        }
    }

    /// Tells a daemon that is about to be started where to give its signs.
    pub(super) fn ask(&mut self, command: &mut Command) {
        self.until = None;
        command
            .env("NOTIFY_SOCKET", self.folder.join("notify"))
            .env("WATCHDOG_USEC", self.limit.as_micros().to_string())
            .env_remove("WATCHDOG_PID");
    }

    /// Returns when a daemon that served has been silent for too long.
    pub(super) async fn end(&mut self) {
        let mut said = [0; 4096];
        loop {
            let silence = async {
                match self.until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // What was said while this process could not listen counts.
                biased;
                received = self.socket.recv(&mut said) => if let Ok(length) = received {
                    self.hear(&said[..length]);
                },
                () = silence => {
                    self.until = None;
                    return;
                }
            }
        }
    }

    fn hear(&mut self, said: &[u8]) {
        for line in said.split(|byte| *byte == b'\n') {
            match line {
                b"READY=1" | b"WATCHDOG=1" => self.until = Some(Instant::now() + self.limit),
                // The end has limits of its own.
                b"STOPPING=1" => self.until = None,
                _ => {}
            }
        }
    }

    /// How long that is, for people.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }
}

impl Drop for Signs {
    fn drop(&mut self) {
        // What cannot be removed is a folder for temporary files with an old socket.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(limit: &str) -> (tempfile::TempDir, Signs, std::os::unix::net::UnixDatagram) {
        let folder = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([
            ("TMPDIR", folder.path().display().to_string()),
            ("WATCHDOG_USEC", limit.to_owned()),
        ]);
        let mut signs = Signs::listen(&env).expect("listens");
        let mut command = Command::new("true");
        signs.ask(&mut command);
        let daemon = std::os::unix::net::UnixDatagram::unbound().expect("socket");
        let at = command.get_envs().find(|(name, _)| *name == "NOTIFY_SOCKET").and_then(|(_, value)| value);
        daemon.connect(at.expect("is told")).expect("is there");
        (folder, signs, daemon)
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_daemon_that_served_and_then_falls_silent_is_frozen() {
        let (folder, mut signs, daemon) = signs("30000000");
        let ends = async |signs: &mut Signs, after: u64| {
            tokio::time::timeout(Duration::from_secs(after), signs.end()).await.is_ok()
        };
        assert!(!ends(&mut signs, 1_000).await, "it may take its time to start");
        daemon.send(b"STATUS=x\nREADY=1\n").expect("sent");
        assert!(!ends(&mut signs, 29).await, "READY");
        daemon.send(b"WATCHDOG=1").expect("sent");
        assert!(!ends(&mut signs, 29).await, "alive");
        assert!(ends(&mut signs, 2).await, "silent");
        daemon.send(b"WATCHDOG=1\nSTOPPING=1").expect("sent");
        assert!(!ends(&mut signs, 1_000).await, "it stops");
        for nonsense in [&b""[..], b"\0\xff\n=\n", &[b'x'; 5000]] {
            daemon.send(nonsense).expect("sent");
            assert!(!ends(&mut signs, 100).await);
        }
        drop(signs);
        assert_eq!(fs::read_dir(folder.path()).expect("is there").count(), 0, "nothing is left");
    }

    #[tokio::test]
    async fn the_usual_limit_is_that_of_the_service() {
        for given in ["", "0", "x", "-1"] {
            assert_eq!(signs(given).1.limit(), limits::SERVICE_WATCHDOG, "{given}");
        }
    }
}
