//! What the owner does for one command.

use std::sync::Arc;

use gateway_wire::types::devices::{
    DevicePairApproveResult, DevicePairListResult, DevicePairRejectResult, PairDecision,
};
use tokio::sync::oneshot;

use super::admission::{Admission, Admitted, Issued, Revoked};
use super::core::Core;
use super::error::Error;
use super::identity::Identity;
use super::meta::Meta;
use super::record::{self, Device, Request};
use super::scopes;
use super::table::Waiting;
use super::view;
use crate::ports::store::{Bucket, Expect};

/// Requests that wait at most, in all and from one address.
pub const MAX_REQUESTS: usize = 200;
/// See [`MAX_REQUESTS`].
pub const MAX_REQUESTS_PER_ADDRESS: usize = 20;
/// Bytes of description, or of scopes, that a record keeps at most.
pub const MAX_TEXT: usize = 16 * 1_024;

type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What the owner is asked to do.
pub enum Command {
    Admit(Box<Admission>, Reply<Admitted>),
    Ensure {
        identity: Identity,
        role: String,
        scopes: Vec<String>,
        reply: Reply<Option<Issued>>,
    },
    List(Reply<DevicePairListResult>),
    Approve {
        caller: Vec<String>,
        request_id: String,
        reply: Reply<DevicePairApproveResult>,
    },
    Reject {
        request_id: String,
        reply: Reply<DevicePairRejectResult>,
    },
    Rotate {
        caller: Vec<String>,
        device_id: String,
        role: String,
        scopes: Option<Vec<String>>,
        reply: Reply<Issued>,
    },
    Revoke {
        device_id: String,
        role: String,
        reply: Reply<Revoked>,
    },
    Touch(Touch),
    Flush(String),
}

/// A device was seen: with a description when it connected, without when its token was used.
pub struct Touch {
    pub device_id: String,
    pub role: String,
    pub meta: Option<Meta>,
}

impl Command {
    /// The device it is about; commands about one device run one after the other.
    pub fn device(&self, core: &Core) -> Option<String> {
        match self {
            Self::Admit(admission, _) => Some(admission.identity.device_id.clone()),
            Self::Ensure { identity, .. } => Some(identity.device_id.clone()),
            Self::Rotate { device_id, .. } | Self::Revoke { device_id, .. } | Self::Flush(device_id) => {
                Some(device_id.clone())
            }
            Self::Touch(touch) => Some(touch.device_id.clone()),
            Self::Approve { request_id, .. } | Self::Reject { request_id, .. } => {
                core.table().requests.get(request_id).map(|entry| entry.value.device_id.clone())
            }
            Self::List(_) => None,
        }
    }

    /// Does it and answers. A caller that is gone is no reason to stop half-way.
    pub async fn run(self, core: &Core) {
        match self {
            Self::Admit(admission, reply) => drop(reply.send(core.admit(&admission).await)),
            Self::Ensure { identity, role, scopes, reply } => {
                drop(reply.send(core.ensure(&identity, &role, &scopes).await));
            }
            Self::List(reply) => drop(reply.send(Ok(view::list(&core.table(), core.clock.steady())))),
            Self::Approve { caller, request_id, reply } => {
                drop(reply.send(core.approve(&caller, &request_id).await));
            }
            Self::Reject { request_id, reply } => drop(reply.send(core.reject(&request_id).await)),
            Self::Rotate { caller, device_id, role, scopes, reply } => {
                drop(reply.send(core.rotate(&caller, &device_id, &role, scopes).await));
            }
            Self::Revoke { device_id, role, reply } => drop(reply.send(core.revoke(&device_id, &role).await)),
            Self::Touch(touch) => core.touch(touch),
            Self::Flush(device_id) => core.flush(&device_id).await,
        }
    }
}

impl Core {
    async fn admit(&self, admission: &Admission) -> Result<Admitted, Error> {
        check_length(admission)?;
        let now = self.clock.now();
        let id = &admission.identity.device_id;
        let (known, waiting) = {
            let table = self.table();
            (table.device(id), table.request_of(id, self.clock.steady()))
        };
        if known.as_ref().is_some_and(|device| device.admits(admission)) {
            return self.settle(admission, None).await;
        }
        match waiting {
            Some(request) if request.silent && admission.is_local => {
                self.settle(admission, Some(request)).await
            }
            Some(request) => Ok(Admitted::PairingRequired { request_id: request.request_id.clone() }),
            None => {
                let request = Request::new(admission, known.is_some(), now);
                if admission.is_local {
                    return self.settle(admission, Some(Arc::new(request))).await;
                }
                self.ask_for_approval(request).await
            }
        }
    }

    /// Approves `silent` if there is one, then sees to the description and the token.
    async fn settle(&self, admission: &Admission, silent: Option<Arc<Request>>) -> Result<Admitted, Error> {
        let key = self.key().await?;
        let now = self.clock.now();
        let issued = self
            .update(&admission.identity.device_id, |current| {
                let mut device = match (current, silent.as_deref()) {
                    (Some(device), None) => device.clone(),
                    (current, Some(request)) => Device::approve(current, request, &key, now),
                    (None, None) => return Err(Error::UnknownDevice),
                };
                if !device.admits(admission) {
                    // A silent request that was kept from an earlier attempt may ask for less than this one.
                    if silent.is_none() || !admission.is_local {
                        return Err(Error::UnknownDevice);
                    }
                    device = Device::approve(Some(&device), &Request::new(admission, true, now), &key, now);
                }
                device.meta = admission.meta.clone();
                device.role = Some(admission.role.clone());
                let issued = device.ensure(&admission.role, &admission.scopes, &key, now);
                Ok((device, issued.ok_or(Error::NotAllowed)?))
            })
            .await?;
        if let Some(request) = silent {
            self.forget_request(&request.request_id).await;
            self.bus.publish(
                "device.pair.resolved",
                &view::resolved(&request, PairDecision::Approved, now),
                None,
            );
        }
        Ok(Admitted::Paired(issued))
    }

    async fn ask_for_approval(&self, request: Request) -> Result<Admitted, Error> {
        self.drop_expired().await;
        {
            let table = self.table();
            let from_there =
                table.requests.values().filter(|entry| entry.value.meta.remote_ip == request.meta.remote_ip);
            if table.requests.len() >= MAX_REQUESTS || from_there.count() >= MAX_REQUESTS_PER_ADDRESS {
                return Err(Error::TooManyRequests);
            }
        }
        let id = request.request_id.clone();
        self.store.put(Bucket::DeviceRequests, &id, record::encode(&request), Expect::Absent).await?;
        let value = Arc::new(request);
        let until = self.clock.steady().saturating_add(record::REQUEST_LIFE_MS);
        self.table().requests.insert(id.clone(), Waiting { value: value.clone(), until });
        self.bus.publish("device.pair.requested", &view::pending(&value), None);
        Ok(Admitted::PairingRequired { request_id: id })
    }

    async fn ensure(
        &self,
        identity: &Identity,
        role: &str,
        wanted: &[String],
    ) -> Result<Option<Issued>, Error> {
        if !self.table().device(&identity.device_id).is_some_and(|device| device.is(identity)) {
            return Ok(None);
        }
        let key = self.key().await?;
        let now = self.clock.now();
        self.update(&identity.device_id, |current| {
            let mut device = current.cloned().ok_or(Error::UnknownDevice)?;
            let issued = device.ensure(role, wanted, &key, now);
            Ok((device, issued))
        })
        .await
    }

    async fn approve(&self, caller: &[String], request_id: &str) -> Result<DevicePairApproveResult, Error> {
        let now = self.clock.now();
        let request = self.table().request(request_id, self.clock.steady()).ok_or(Error::UnknownRequest)?;
        if !scopes::covers(caller, &request.scopes) {
            tracing::warn!(
                device = request.device_id,
                asked = ?request.scopes,
                ?caller,
                "approval refused: the device asks for more than the caller has"
            );
            return Err(Error::NotAllowed);
        }
        let key = self.key().await?;
        let device = self
            .update(&request.device_id, |current| {
                let device = Device::approve(current, &request, &key, now);
                Ok((device.clone(), device))
            })
            .await?;
        self.forget_request(request_id).await;
        self.bus.publish(
            "device.pair.resolved",
            &view::resolved(&request, PairDecision::Approved, now),
            None,
        );
        Ok(DevicePairApproveResult { request_id: request_id.to_owned(), device: view::paired(&device) })
    }

    async fn reject(&self, request_id: &str) -> Result<DevicePairRejectResult, Error> {
        let now = self.clock.now();
        let request = self.table().request(request_id, self.clock.steady()).ok_or(Error::UnknownRequest)?;
        self.store.delete(Bucket::DeviceRequests, request_id, Expect::Any).await?;
        self.table().requests.remove(request_id);
        self.bus.publish(
            "device.pair.resolved",
            &view::resolved(&request, PairDecision::Rejected, now),
            None,
        );
        Ok(DevicePairRejectResult { request_id: request_id.to_owned(), device_id: request.device_id.clone() })
    }

    async fn rotate(
        &self,
        caller: &[String],
        device_id: &str,
        role: &str,
        given: Option<Vec<String>>,
    ) -> Result<Issued, Error> {
        self.role_of(device_id, role)?;
        let key = self.key().await?;
        let now = self.clock.now();
        let issued = self
            .update(device_id, |current| {
                let mut device = current.filter(|d| d.has_role(role)).cloned().ok_or(Error::UnknownDevice)?;
                let wanted = match (&given, device.tokens.get(role)) {
                    (Some(given), _) => scopes::normal(given),
                    (None, Some(token)) => token.scopes.clone(),
                    (None, None) => scopes::normal(&device.scopes),
                };
                if !scopes::covers(caller, &wanted) || !scopes::covers(&device.scopes, &wanted) {
                    tracing::warn!(
                        device = device_id,
                        role,
                        ?wanted,
                        ?caller,
                        approved = ?device.scopes,
                        "rotation refused: the new token would grant more than the caller has or was approved"
                    );
                    return Err(Error::NotAllowed);
                }
                if given.is_some() {
                    device.scopes.clone_from(&wanted);
                }
                device.mint(role, &wanted, &key, now);
                let issued = device.issued(role, &wanted, &key).ok_or(Error::UnknownDevice)?;
                Ok((device, issued))
            })
            .await?;
        self.invalidate(device_id, role);
        Ok(issued)
    }

    async fn revoke(&self, device_id: &str, role: &str) -> Result<Revoked, Error> {
        let now = self.clock.now();
        if self.table().unreadable.contains(device_id) {
            self.set_aside(device_id, now).await?;
            return Ok(Revoked {
                device_id: device_id.to_owned(),
                role: role.to_owned(),
                revoked_at_ms: now,
            });
        }
        self.update(device_id, |current| {
            let mut device = current.cloned().ok_or(Error::UnknownDevice)?;
            device.tokens.get_mut(role).ok_or(Error::UnknownDevice)?.revoked_at_ms = Some(now);
            Ok((device, ()))
        })
        .await?;
        self.invalidate(device_id, role);
        Ok(Revoked { device_id: device_id.to_owned(), role: role.to_owned(), revoked_at_ms: now })
    }

    fn touch(&self, touch: Touch) {
        let now = self.clock.now();
        let mut table = self.table();
        let Some(device) = table.device(&touch.device_id) else { return };
        let mut device = Device::clone(&device);
        match touch.meta {
            Some(meta) => {
                device.meta = meta;
                device.role = Some(touch.role);
            }
            None => {
                if let Some(token) = device.tokens.get_mut(&touch.role) {
                    token.last_used_at_ms = Some(now);
                }
            }
        }
        table.describe(device);
    }

    fn role_of(&self, device_id: &str, role: &str) -> Result<(), Error> {
        let known = self.table().device(device_id).is_some_and(|device| device.has_role(role));
        if known { Ok(()) } else { Err(Error::UnknownDevice) }
    }
}

fn check_length(admission: &Admission) -> Result<(), Error> {
    let scopes: usize = admission.scopes.iter().map(|scope| scope.len() + 1).sum();
    if admission.meta.text_len() > MAX_TEXT || scopes > MAX_TEXT { Err(Error::TooLong) } else { Ok(()) }
}
