//! The handle: what the rest of the gateway may ask about devices.

use std::sync::Arc;

use gateway_base::clock::Clock;
use gateway_wire::types::devices::{DevicePairApproveResult, DevicePairListResult, DevicePairRejectResult};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::admission::{Admission, Admitted, Invalidated, Issued, Revoked};
use super::core::{Core, Phase, device_name};
use super::error::{Error, TokenError};
use super::identity::Identity;
use super::operation::{Command, Touch};
use super::task::DevicesTask;
use crate::events::Bus;
use crate::ports::store::Buckets;

/// Commands that may wait for the owner.
const QUEUE: usize = 1_024;

/// What the owner of the devices needs.
pub struct DevicesOptions {
    /// Where the records are.
    pub store: Arc<dyn Buckets>,
    /// Where pairing events go.
    pub bus: Bus,
    /// The time.
    pub clock: Clock,
}

/// Asks the owner of the device records. Clones share it.
#[derive(Clone)]
pub struct Devices {
    core: Arc<Core>,
    commands: mpsc::Sender<Command>,
    phase: watch::Receiver<Phase>,
}

type Reply<T> = oneshot::Sender<Result<T, Error>>;

impl Devices {
    /// The handle and the owner, which does nothing until it runs.
    #[must_use]
    pub fn new(options: DevicesOptions) -> (Self, DevicesTask) {
        let (commands, receiver) = mpsc::channel(QUEUE);
        let (phase, phases) = watch::channel(Phase::Loading);
        let core = Arc::new(Core::new(options.store, options.bus, options.clock));
        let task = DevicesTask::new(core.clone(), receiver, phase);
        (Self { core, commands, phase: phases }, task)
    }

    /// Pairing and token of a device that connects (ws-protocol 2.9 and 2.10). A device that is known and asks for
    /// nothing new costs no write; everything else is on disk before this returns.
    pub async fn admit(&self, admission: Admission) -> Result<Admitted, Error> {
        self.ready().await?;
        self.readable(&admission.identity.device_id)?;
        if let Some(issued) = self.known(&admission) {
            return Ok(Admitted::Paired(issued));
        }
        self.ask(|reply| Command::Admit(Box::new(admission), reply)).await
    }

    /// Only the second half: the token of a device that is paired already, if it was approved for all of this.
    pub async fn ensure_token(
        &self,
        identity: &Identity,
        role: &str,
        scopes: &[String],
    ) -> Result<Option<Issued>, Error> {
        self.ready().await?;
        let (identity, role, scopes) = (identity.clone(), role.to_owned(), scopes.to_vec());
        self.ask(|reply| Command::Ensure { identity, role, scopes, reply }).await
    }

    /// Whether this key is paired under its id.
    pub async fn is_paired(&self, identity: &Identity) -> Result<bool, Error> {
        self.ready().await?;
        self.readable(&identity.device_id)?;
        Ok(self.core.table().device(&identity.device_id).is_some_and(|device| device.is(identity)))
    }

    /// Whether `token` lets this device in, in this role and with these scopes.
    pub async fn verify_token(
        &self,
        identity: &Identity,
        role: &str,
        token: &str,
        scopes: &[String],
    ) -> Result<Result<(), TokenError>, Error> {
        self.ready().await?;
        self.readable(&identity.device_id)?;
        let device = self.core.table().device(&identity.device_id);
        let verdict = verify(device.as_deref().filter(|d| d.is(identity)), role, token, scopes);
        if verdict.is_ok() {
            self.touch(Touch { device_id: identity.device_id.clone(), role: role.to_owned(), meta: None });
        }
        Ok(verdict)
    }

    /// Whether a token that let this device in still would. Nothing is read from disk, so there is nothing to wait for.
    #[must_use]
    pub fn still_lets_in(&self, identity: &Identity, role: &str, token: &str, scopes: &[String]) -> bool {
        let device = self.core.table().device(&identity.device_id);
        verify(device.as_deref().filter(|d| d.is(identity)), role, token, scopes).is_ok()
    }

    /// Waiting requests and paired devices, newest first.
    pub async fn list(&self) -> Result<DevicePairListResult, Error> {
        self.ready().await?;
        self.ask(Command::List).await
    }

    /// Approves a request. The caller must have the scopes that the device would get.
    pub async fn approve(
        &self,
        caller: &[String],
        request_id: &str,
    ) -> Result<DevicePairApproveResult, Error> {
        self.ready().await?;
        let (caller, request_id) = (caller.to_vec(), request_id.to_owned());
        self.ask(|reply| Command::Approve { caller, request_id, reply }).await
    }

    /// Rejects a request.
    pub async fn reject(&self, request_id: &str) -> Result<DevicePairRejectResult, Error> {
        self.ready().await?;
        let request_id = request_id.to_owned();
        self.ask(|reply| Command::Reject { request_id, reply }).await
    }

    /// Replaces a token. The new one stays within what the caller has and the device was approved for.
    pub async fn rotate(
        &self,
        caller: &[String],
        device_id: &str,
        role: &str,
        scopes: Option<Vec<String>>,
    ) -> Result<Issued, Error> {
        self.ready().await?;
        let (caller, device_id, role) =
            (caller.to_vec(), device_id.trim().to_owned(), role.trim().to_owned());
        self.ask(|reply| Command::Rotate { caller, device_id, role, scopes, reply }).await
    }

    /// Revokes a token.
    pub async fn revoke(&self, device_id: &str, role: &str) -> Result<Revoked, Error> {
        self.ready().await?;
        let (device_id, role) = (device_id.trim().to_owned(), role.trim().to_owned());
        self.ask(|reply| Command::Revoke { device_id, role, reply }).await
    }

    /// Tells which sessions must end. A receiver that lagged should check every session it has.
    #[must_use]
    pub fn invalidated(&self) -> broadcast::Receiver<Invalidated> {
        self.core.invalidated.subscribe()
    }

    /// Tells whether the records can be read, for health.
    #[must_use]
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.clone()
    }

    fn known(&self, admission: &Admission) -> Option<Issued> {
        let (device, key) = {
            let table = self.core.table();
            (table.admits(admission)?, table.key.clone()?)
        };
        let issued = device.issued(&admission.role, &admission.scopes, &key)?;
        if device.meta != admission.meta || device.role.as_ref() != Some(&admission.role) {
            if admission.meta.text_len() > super::operation::MAX_TEXT {
                return None;
            }
            let meta = Some(admission.meta.clone());
            self.touch(Touch { device_id: device.device_id.clone(), role: admission.role.clone(), meta });
        }
        Some(issued)
    }

    /// Descriptions and times of use are news, not promises: when the queue is full they are skipped.
    fn touch(&self, touch: Touch) {
        let _ = self.commands.try_send(Command::Touch(touch));
    }

    async fn ready(&self) -> Result<(), Error> {
        let mut phase = self.phase.clone();
        let settled = phase.wait_for(|phase| !matches!(phase, Phase::Loading)).await;
        match settled.as_deref() {
            Ok(Phase::Failed(error)) => Err(error.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Stopped),
        }
    }

    /// A device whose record cannot be read is not a stranger, and must not throw its token away.
    fn readable(&self, device_id: &str) -> Result<(), Error> {
        match self.core.table().unreadable.contains(device_id) {
            true => Err(Error::Unreadable(device_name(device_id))),
            false => Ok(()),
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Error::Stopped)?;
        answer.await.map_err(|_| Error::Stopped)?
    }
}

fn verify(
    device: Option<&super::record::Device>,
    role: &str,
    token: &str,
    scopes: &[String],
) -> Result<(), TokenError> {
    let device = device.ok_or(TokenError::NotPaired)?;
    if role.is_empty() {
        return Err(TokenError::RoleMissing);
    }
    device.tokens.get(role).ok_or(TokenError::TokenMissing)?.verify(token, scopes)
}
