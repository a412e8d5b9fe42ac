//! The records in memory, read at start, so that a device that comes back is recognised without asking the store.
//! Only the owner task changes it; the lock is held for single steps and never over an await.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gateway_base::clock::UnixMs;

use super::admission::Admission;
use super::record::{Device, Request};
use super::token::ServerKey;
use crate::ports::store::Revision;

/// A record with the revision it was read or written at.
#[derive(Debug)]
pub struct Entry<T> {
    /// The record.
    pub value: Arc<T>,
    /// What the next write expects to find.
    pub revision: Revision,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), revision: self.revision }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Table {
    /// Paired devices by id.
    pub devices: HashMap<String, Entry<Device>>,
    /// Requests by id.
    pub requests: HashMap<String, Entry<Request>>,
    /// The key tokens are derived with, once there is one.
    pub key: Option<ServerKey>,
    /// Devices whose description in memory is newer than the stored one.
    pub dirty: HashSet<String>,
}

impl Table {
    /// The device of that id.
    pub fn device(&self, id: &str) -> Option<Arc<Device>> {
        self.devices.get(id).map(|entry| entry.value.clone())
    }

    /// The request of that id, unless it expired.
    pub fn request(&self, id: &str, now: UnixMs) -> Option<Arc<Request>> {
        self.requests.get(id).filter(|entry| !entry.value.is_expired(now)).map(|entry| entry.value.clone())
    }

    /// The request that waits for a device.
    pub fn request_of(&self, device_id: &str, now: UnixMs) -> Option<Arc<Request>> {
        let mine = |request: &Arc<Request>| request.device_id == device_id && !request.is_expired(now);
        self.requests.values().map(|entry| &entry.value).find(|request| mine(request)).cloned()
    }

    /// Whether the device needs nothing but its token.
    pub fn admits(&self, admission: &Admission) -> Option<Arc<Device>> {
        self.device(&admission.identity.device_id).filter(|device| device.admits(admission))
    }

    /// Changes a description in memory; the owner writes it later.
    pub fn describe(&mut self, device: Device) {
        if let Some(entry) = self.devices.get_mut(&device.device_id)
            && *entry.value != device
        {
            self.dirty.insert(device.device_id.clone());
            entry.value = Arc::new(device);
        }
    }
}
