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

/// A pairing request that waits.
#[derive(Debug)]
pub struct Waiting {
    /// The request.
    pub value: Arc<Request>,
    /// When it stops waiting, on the steady clock.
    pub until: UnixMs,
}

impl Waiting {
    /// Whether it has waited too long at this time of the steady clock.
    pub fn is_expired(&self, steady: UnixMs) -> bool {
        steady > self.until
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Table {
    /// Paired devices by id.
    pub devices: HashMap<String, Entry<Device>>,
    /// Devices whose record is there and cannot be read.
    pub unreadable: HashSet<String>,
    /// Requests by id.
    pub requests: HashMap<String, Waiting>,
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

    /// The request of that id, unless it expired at this time of the steady clock.
    pub fn request(&self, id: &str, steady: UnixMs) -> Option<Arc<Request>> {
        self.requests
            .get(id)
            .filter(|waiting| !waiting.is_expired(steady))
            .map(|waiting| waiting.value.clone())
    }

    /// The request that waits for a device at this time of the steady clock.
    pub fn request_of(&self, device_id: &str, steady: UnixMs) -> Option<Arc<Request>> {
        let mine = |waiting: &&Waiting| waiting.value.device_id == device_id && !waiting.is_expired(steady);
        self.requests.values().find(mine).map(|waiting| waiting.value.clone())
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
