//! The facts that the verdict rests on. Nothing here looks at the machine.

use super::config::ConfigReport;
use super::daemon::{Asked, Daemon};
use super::rpc::{Rpc, RpcFailure};
use crate::ports::{PortListener, PortReport};
use crate::service::{RuntimeState, Service};

/// Everything that is judged.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The service.
    pub service: &'a Service,
    /// Whether the program that its file names is there.
    pub has_program: bool,
    /// What the private socket gave.
    pub asked: &'a Asked,
    /// The port.
    pub port: &'a PortReport,
    /// The port that this shell would use, when it is another one.
    pub other_port: Option<&'a PortReport>,
    /// The control plane, when it was asked.
    pub rpc: Option<&'a Rpc>,
    /// Who holds the gateway's lock.
    pub lock: Option<&'a Holder>,
    /// The gateways that run from this configuration.
    pub owners: &'a [Owner],
    /// The configuration.
    pub config: &'a ConfigReport,
    /// Whether the control plane's answer came from the gateway of this state folder; nothing when it did not say.
    pub is_ours: Option<bool>,
    /// The last error in the log.
    pub last_error: Option<&'a str>,
}

/// Who holds the lock of this configuration or state folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Whether it said that it is about to end.
    pub stopping: bool,
    /// Whether it has held the lock for a moment only.
    pub young: bool,
}

/// A gateway that runs from this configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The process.
    pub pid: u32,
    /// Its port, if it said.
    pub port: Option<u16>,
}

impl<'a> Facts<'a> {
    /// The daemon, when it answered.
    pub fn daemon(&self) -> Option<&'a Daemon> {
        match self.asked {
            Asked::Answered(daemon) => Some(daemon),
            _ => None,
        }
    }

    /// How the control plane failed us, if it was asked and did.
    pub fn failure(&self) -> Option<RpcFailure> {
        self.rpc.and_then(|rpc| rpc.failure)
    }

    /// Whether the control plane was asked.
    pub fn was_asked(&self) -> bool {
        self.rpc.is_some_and(|rpc| rpc.failure != Some(RpcFailure::OwnKey))
    }

    /// Whether the control plane was asked and answered.
    pub fn is_proved(&self) -> bool {
        self.rpc.is_some_and(|rpc| rpc.ok)
    }

    /// A gateway on the port, as far as names tell.
    pub fn gateway_on_port(&self) -> Option<&'a PortListener> {
        self.port.listeners.iter().find(|listener| listener.is_gateway())
    }

    /// Whether whoever holds the lock also has the port.
    pub fn holder_has_port(&self) -> bool {
        let has = |pid| self.port.listeners.iter().any(|listener| listener.pid == pid);
        self.lock.is_some_and(|lock| has(lock.pid))
    }

    /// Whether the service is installed and `pid` is not its process.
    pub fn is_outside_service(&self, pid: u32) -> bool {
        let runtime = &self.service.runtime;
        self.service.command.is_some()
            && match runtime.status {
                RuntimeState::Running => runtime.pid.is_some_and(|own| own != pid),
                RuntimeState::Stopped => true,
                RuntimeState::Unknown => false,
            }
    }

    /// A gateway beside `pid`: one with the same configuration, or one that has the port this shell would use.
    pub fn second_gateway(&self, pid: u32) -> Option<Owner> {
        let same = self.owners.iter().find(|owner| owner.pid != pid).cloned();
        same.or_else(|| {
            let port = self.other_port?;
            let listener = port.listeners.iter().find(|one| one.is_gateway() && one.pid != pid)?;
            Some(Owner { pid: listener.pid, port: Some(port.port) })
        })
    }
}
