//! Keeps the daemon's listening sockets from one process to the next, as systemd does and in its words: the daemon puts
//! them into the keeping of whoever supervises it, and finds them again when it starts. So a daemon that dies refuses
//! nobody. Where a service manager has asked to be told already, the daemon tells that one.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::path::PathBuf;
use std::process::Command;

use gateway_base::{env::Env, id};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use crate::bind;
use crate::handover::HandOver;

const NOTIFY: &str = "NOTIFY_SOCKET";
/// More than one message of a daemon brings.
const SOCKETS: usize = 4;

/// The sockets, and where the daemon says what becomes of them.
#[derive(Debug)]
pub(super) struct Keeper {
    notices: Option<(UnixDatagram, PathBuf)>,
    kept: HandOver,
}

impl Keeper {
    /// Must be made inside a runtime. Without a place for its socket it keeps nothing.
    pub(super) fn new(env: &Env) -> Self {
        let notices = env.get(NOTIFY).is_none().then(|| {
            let path = std::env::temp_dir().join(format!("gatewayd-{}.sock", id::uuid()));
            UnixDatagram::bind(&path).ok().map(|socket| (socket, path))
        });
        Self { notices: notices.flatten(), kept: HandOver::default() }
    }

    /// Gives a daemon that is about to start what is kept, and tells it where to put its own.
    pub(super) fn equip(&self, command: &mut Command) -> io::Result<()> {
        let Some((_, path)) = &self.notices else { return Ok(()) };
        self.kept.pass_to_any(command)?;
        command.env(NOTIFY, path);
        Ok(())
    }

    /// Takes in what the daemon says, for as long as it is waited for.
    pub(super) async fn listen(&mut self) {
        let Some((socket, _)) = &self.notices else { return std::future::pending().await };
        loop {
            let notice = socket.async_io(Interest::READABLE, || Ok(receive(socket)?)).await;
            // What cannot be read is nothing that is kept.
            let Ok((text, sockets)) = notice else { return std::future::pending().await };
            let says = |word: &str| text.lines().any(|line| line == word);
            let name = text.lines().find_map(|line| line.strip_prefix("FDNAME=")).unwrap_or_default();
            if !bind::is_our_name(name) {
                continue;
            }
            if says("FDSTOREREMOVE=1") || says("FDSTORE=1") {
                self.kept.remove(name);
            }
            if says("FDSTORE=1") {
                sockets.iter().for_each(|socket| self.kept.add(name, socket));
            }
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.notices {
            // A socket that is left behind in the folder for temporary files harms nobody.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// One message with the sockets that came along.
fn receive(socket: &UnixDatagram) -> rustix::io::Result<(String, Vec<std::os::fd::OwnedFd>)> {
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
