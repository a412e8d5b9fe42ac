//! What the next image of the program is given: duplicates of the listening sockets, so that none of them is ever
//! closed and clients that connect meanwhile wait in the kernel's queue.

use std::io;
use std::process::Command;

#[cfg(unix)]
use super::inherited::{COUNT, NAMES, PROCESS, UNNAMED};
use super::inherited::{Inherited, VARIABLES};
use crate::bind::Listener;

/// Listening sockets with their names.
#[derive(Debug, Default)]
pub struct HandOver {
    #[cfg(unix)]
    sockets: Vec<(String, std::os::fd::OwnedFd)>,
}

impl HandOver {
    /// These listeners.
    #[must_use]
    #[cfg_attr(not(unix), allow(unused_mut, reason = "there is nothing to add"))]
    pub fn of(listeners: &[Listener]) -> Self {
        let mut all = Self::default();
        #[cfg(unix)]
        for Listener { name, socket, .. } in listeners {
            all.add(name, socket);
        }
        #[cfg(not(unix))]
        let _ = listeners;
        all
    }

    /// What nobody took of what was inherited.
    #[must_use]
    #[cfg_attr(not(unix), allow(unused_mut, reason = "there is nothing to add"))]
    pub fn again(inherited: &Inherited) -> Self {
        let mut all = Self::of(&inherited.tcp);
        #[cfg(unix)]
        if let Some(socket) = &inherited.admin {
            all.add(super::inherited::ADMIN, socket);
        }
        all
    }
}

#[cfg(unix)]
impl HandOver {
    /// Adds a duplicate of `socket`. Without one it is opened anew after a restart, as it would be on any start.
    pub fn add(&mut self, name: &str, socket: impl std::os::fd::AsFd) {
        if self.sockets.len() == super::reserved::NUMBERS {
            return tracing::warn!(
                subsystem = "gateway",
                "{name} will not be handed over: there are too many"
            );
        }
        // Above the numbers that the next image finds them under, so that none is in another one's place.
        match rustix::io::fcntl_dupfd_cloexec(socket, super::inherited::END) {
            Ok(copy) => self.sockets.push((name.to_owned(), copy)),
            Err(error) => tracing::warn!(subsystem = "gateway", %error, "{name} will not be handed over"),
        }
    }

    /// The sockets with the names they go by.
    pub fn sockets(&self) -> impl Iterator<Item = (&str, std::os::fd::BorrowedFd<'_>)> {
        use std::os::fd::AsFd;
        self.sockets.iter().map(|(name, socket)| (name.as_str(), socket.as_fd()))
    }

    /// Passes them to the program that takes this process over.
    pub fn pass_to(&self, command: &mut Command) -> io::Result<()> {
        let sockets: Vec<_> = self.sockets().collect();
        pass(&sockets, command)?;
        if !sockets.is_empty() {
            command.env(PROCESS, std::process::id().to_string());
        }
        Ok(())
    }

    /// Passes them to a process that is still to be made, whose number nobody knows yet.
    pub fn pass_to_any(&self, command: &mut Command) -> io::Result<()> {
        let sockets: Vec<_> = self.sockets().collect();
        pass(&sockets, command)?;
        command.env(UNNAMED, "1");
        Ok(())
    }

    /// The same sockets once more.
    #[must_use]
    pub fn twice(&self) -> Self {
        let mut all = Self::default();
        self.sockets().for_each(|(name, socket)| all.add(name, socket));
        all
    }

    /// Takes out what goes by this name.
    pub fn remove(&mut self, name: &str) {
        self.sockets.retain(|(known, _)| known != name);
    }
}

#[cfg(unix)]
fn pass(sockets: &[(&str, std::os::fd::BorrowedFd<'_>)], command: &mut Command) -> io::Result<()> {
    use command_fds::{CommandFdExt, FdMapping};
    for name in VARIABLES.into_iter().chain([UNNAMED]) {
        command.env_remove(name);
    }
    let mut mappings = Vec::new();
    for ((_, socket), child_fd) in sockets.iter().zip(super::inherited::FIRST..) {
        let parent_fd = rustix::io::fcntl_dupfd_cloexec(socket, super::inherited::END)?;
        mappings.push(FdMapping { parent_fd, child_fd });
    }
    if !mappings.is_empty() {
        let names: Vec<_> = sockets.iter().map(|(name, _)| *name).collect();
        command.env(COUNT, mappings.len().to_string()).env(NAMES, names.join(":"));
        command.fd_mappings(mappings).map_err(io::Error::other)?;
    }
    Ok(())
}

#[cfg(not(unix))]
impl HandOver {
    /// There is nothing to pass.
    pub fn pass_to(&self, command: &mut Command) -> io::Result<()> {
        for name in VARIABLES {
            command.env_remove(name);
        }
        Ok(())
    }
}
