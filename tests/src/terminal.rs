//! A program on a terminal of its own: keys go in, and what it draws comes out.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use tokio::process::{Child, Command};

use crate::wait::{until, within};

/// A program and its terminal.
#[derive(Debug)]
pub struct Terminal {
    keys: File,
    drawn: Arc<Mutex<Vec<u8>>>,
    reader: std::thread::JoinHandle<()>,
    child: Child,
    /// How much of what was drawn has been answered.
    answered: usize,
}

impl Terminal {
    /// Starts `command` on a new terminal.
    pub fn start(mut command: Command) -> Result<Self> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let path = Path::new(name.to_str()?);
        let theirs = open(path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
        // Between two keys the terminal is as it was before, and what is typed then must not be lost: a signal that nobody
        // is there to get would take everything with it that waits to be read or drawn.
        let mut modes = tcgetattr(&theirs)?;
        modes.local_modes.remove(LocalModes::ISIG);
        tcsetattr(&theirs, OptionalActions::Now, &modes)?;
        command.stdin(stdio(&theirs)?).stdout(stdio(&theirs)?).stderr(stdio(&theirs)?);
        let child = command.spawn().context("starting it on a terminal")?;
        drop((command, theirs));
        let (keys, mut screen) = (File::from(ours.try_clone()?), File::from(ours));
        let drawn = Arc::<Mutex<Vec<u8>>>::default();
        let kept = drawn.clone();
        // It ends when the program has closed the terminal.
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut piece) {
                let new = piece.get(..count).unwrap_or_default();
                kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(new);
            }
        });
        Ok(Self { keys, drawn, reader, child, answered: 0 })
    }

    /// Everything that was drawn so far.
    #[must_use]
    pub fn drawn(&self) -> String {
        let bytes = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until `text` is drawn after what was answered before, then presses these keys.
    pub async fn answer(&mut self, text: &str, keys: &str) -> Result<()> {
        let shown = until(text, || async {
            let drawn = self.drawn();
            Ok(drawn.get(self.answered..).and_then(|new| new.find(text)))
        });
        let at = shown.await.with_context(|| self.drawn())?;
        self.answered += at + text.len();
        self.keys.write_all(keys.as_bytes()).context("pressing keys")
    }

    /// Waits for its end, and for everything that it drew.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        let drawn = self.drawn.clone();
        let ended = within("it to end", self.child.wait()).await;
        let text =
            || String::from_utf8_lossy(&drawn.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
        let status = ended.with_context(text)?.context("waiting for its end")?;
        until("the rest of what it drew", || async { Ok(self.reader.is_finished().then_some(())) }).await?;
        Ok(status)
    }
}

fn stdio(terminal: &OwnedFd) -> Result<Stdio> {
    Ok(Stdio::from(terminal.try_clone()?))
}
