//! What the handle and the owner share, and the one way a device record changes: plan the next record from the
//! current one, write it with compare-and-set, and change memory and answer only after the store said yes. When
//! somebody else was faster it is read again and planned anew.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_base::clock::{Clock, UnixMs};
use tokio::sync::broadcast;

use super::admission::Invalidated;
use super::error::Error;
use super::record::{self, Device, Request};
use super::table::{Entry, Table, Waiting};
use super::token::ServerKey;
use crate::events::Bus;
use crate::ports::store::{self, Bucket, Buckets, Expect};

/// Paired devices at most.
pub const MAX_DEVICES: usize = 100_000;

const KEY_RECORD: &str = "device-token-key";
/// Where the bytes of a record are kept that could not be read: this, the device, and when.
const SET_ASIDE: &str = "device-set-aside/";
const ATTEMPTS: usize = 4;
/// As many as one commit of the store can carry. Whoever is behind it ends every session by token.
const INVALIDATED_QUEUE: usize = 256;

/// Whether the records were read.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Not yet.
    Loading,
    /// They were, but for these, which nobody may overwrite: bucket and key.
    Ready(Vec<String>),
    /// They cannot be read; it is tried again.
    Failed(Error),
}

/// What the handle and the owner share.
pub struct Core {
    pub store: Arc<dyn Buckets>,
    pub bus: Bus,
    pub clock: Clock,
    table: Mutex<Table>,
    pub invalidated: broadcast::Sender<Invalidated>,
}

impl Core {
    pub fn new(store: Arc<dyn Buckets>, bus: Bus, clock: Clock) -> Self {
        Self {
            store,
            bus,
            clock,
            table: Mutex::default(),
            invalidated: broadcast::Sender::new(INVALIDATED_QUEUE),
        }
    }

    pub fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads everything. A record that cannot be read is named in the log and left alone; returns those that matter. A
    /// pairing request is not among them: whoever made it asks again.
    pub async fn load(&self) -> Result<Vec<String>, Error> {
        let devices = self.store.list(Bucket::Devices, "").await?;
        let requests = self.store.list(Bucket::DeviceRequests, "").await?;
        let key = self.store.get(Bucket::Settings, KEY_RECORD).await?;
        let mut table = self.table();
        (table.devices, table.unreadable) = read(devices);
        // Expired ones too, so that they are removed from the store with the next request.
        let (now, steady) = (self.clock.now(), self.clock.steady());
        let waiting = |value: Arc<Request>| {
            let until = steady.saturating_add(value.left(now));
            Waiting { value, until }
        };
        table.requests = read(requests).0.into_iter().map(|(id, entry)| (id, waiting(entry.value))).collect();
        table.key = key.as_ref().and_then(|record| read_key(&record.value));
        let mut unreadable: Vec<String> = table.unreadable.iter().map(|id| device_name(id)).collect();
        unreadable.sort();
        if key.is_some() && table.key.is_none() {
            tracing::error!("the key of device tokens cannot be read; it is left untouched");
            unreadable.push(key_name());
        }
        Ok(unreadable)
    }

    /// Writes a description that changed in memory. When that fails it waits for the next write of the record.
    pub async fn flush(&self, device_id: &str) {
        let Some(entry) = self.table().devices.get(device_id).cloned() else { return };
        let bytes = record::encode(&*entry.value);
        let expect = Expect::Revision(entry.revision);
        match self.store.put(Bucket::Devices, device_id, bytes, expect).await {
            Ok(revision) => {
                self.table().devices.insert(device_id.to_owned(), Entry { value: entry.value, revision });
            }
            Err(store::Error::Conflict { .. }) => {
                let _ = self.reload(device_id).await;
            }
            Err(error) => {
                tracing::debug!(device = device_id, %error, "a device's description was not written")
            }
        }
    }

    /// Plans, writes, and only then changes memory. A plan that changes nothing but the description, the role used
    /// last or times of use is not written now.
    pub async fn update<R>(
        &self,
        device_id: &str,
        plan: impl Fn(Option<&Device>) -> Result<(Device, R), Error>,
    ) -> Result<R, Error> {
        let mut attempt = 0;
        loop {
            let (entry, count) = {
                let table = self.table();
                (table.devices.get(device_id).cloned(), table.devices.len())
            };
            let (device, answer) = plan(entry.as_ref().map(|entry| &*entry.value))?;
            let expect = match &entry {
                Some(entry) if is_only_description(&entry.value, &device) => {
                    self.table().describe(device);
                    return Ok(answer);
                }
                Some(entry) => Expect::Revision(entry.revision),
                None if count >= MAX_DEVICES => return Err(Error::TooManyDevices),
                None => Expect::Absent,
            };
            match self.store.put(Bucket::Devices, device_id, record::encode(&device), expect).await {
                Ok(revision) => {
                    let mut table = self.table();
                    table.dirty.remove(device_id);
                    table.devices.insert(device_id.to_owned(), Entry { value: Arc::new(device), revision });
                    return Ok(answer);
                }
                Err(store::Error::Conflict { .. }) if attempt < ATTEMPTS => self.reload(device_id).await?,
                Err(error) => return Err(error.into()),
            }
            attempt += 1;
        }
    }

    async fn reload(&self, device_id: &str) -> Result<(), Error> {
        let found = self.store.get(Bucket::Devices, device_id).await?;
        let entry = match found {
            Some(found) => {
                let device =
                    record::decode(&found.value).ok_or_else(|| Error::Unreadable(device_name(device_id)))?;
                Some(Entry { value: Arc::new(device), revision: found.revision })
            }
            None => None,
        };
        let mut table = self.table();
        table.dirty.remove(device_id);
        match entry {
            Some(entry) => table.devices.insert(device_id.to_owned(), entry),
            None => table.devices.remove(device_id),
        };
        Ok(())
    }

    /// Removes a record that cannot be read, after its bytes were kept under another name. The device is a stranger
    /// from then on and can be paired again.
    pub async fn set_aside(&self, device_id: &str, now: UnixMs) -> Result<(), Error> {
        let copy = format!("{SET_ASIDE}{device_id}/{now}");
        if let Some(found) = self.store.get(Bucket::Devices, device_id).await? {
            self.store.put(Bucket::Settings, &copy, found.value, Expect::Absent).await?;
            self.store.delete(Bucket::Devices, device_id, Expect::Revision(found.revision)).await?;
            tracing::warn!(
                device = device_id,
                copy = format!("{}/{copy}", Bucket::Settings.name()),
                "a device was revoked whose record cannot be read; the record was set aside"
            );
        }
        self.table().unreadable.remove(device_id);
        Ok(())
    }

    /// What still cannot be read, when it is less than what was told.
    pub fn mended(&self, told: &[String]) -> Option<Vec<String>> {
        let table = self.table();
        let stays = |name: &&String| {
            let device = name.strip_prefix(Bucket::Devices.name()).and_then(|name| name.strip_prefix('/'));
            device.is_none_or(|device| table.unreadable.contains(device))
        };
        let left: Vec<String> = told.iter().filter(stays).cloned().collect();
        (left.len() < told.len()).then_some(left)
    }

    /// The key tokens are derived with, made on first use.
    pub async fn key(&self) -> Result<ServerKey, Error> {
        if let Some(key) = self.table().key.clone() {
            return Ok(key);
        }
        let fresh = ServerKey::generate();
        let bytes = record::encode(&KeyRecord { key: fresh.expose().to_owned() });
        let key = match self.store.put(Bucket::Settings, KEY_RECORD, bytes, Expect::Absent).await {
            Ok(_) => fresh,
            Err(store::Error::Conflict { .. }) => {
                let found = self.store.get(Bucket::Settings, KEY_RECORD).await?;
                found
                    .and_then(|record| read_key(&record.value))
                    .ok_or_else(|| Error::Unreadable(key_name()))?
            }
            Err(error) => return Err(error.into()),
        };
        self.table().key = Some(key.clone());
        Ok(key)
    }

    /// The approval is on disk already; a request that stays behind in the store expires by itself.
    pub async fn forget_request(&self, request_id: &str) {
        if self.table().requests.remove(request_id).is_none() {
            return;
        }
        if let Err(error) = self.store.delete(Bucket::DeviceRequests, request_id, Expect::Any).await {
            tracing::warn!(request = request_id, %error, "an approved pairing request was not removed");
        }
    }

    pub async fn drop_expired(&self) {
        let steady = self.clock.steady();
        let expired: Vec<String> = {
            let table = self.table();
            table.requests.iter().filter(|(_, e)| e.is_expired(steady)).map(|(id, _)| id.clone()).collect()
        };
        for id in expired {
            self.forget_request(&id).await;
        }
    }

    pub fn invalidate(&self, device_id: &str, role: &str) {
        // No receiver means no session to end.
        let _ = self.invalidated.send(Invalidated { device_id: device_id.to_owned(), role: role.to_owned() });
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct KeyRecord {
    key: String,
}

fn read_key(bytes: &[u8]) -> Option<ServerKey> {
    record::decode::<KeyRecord>(bytes)
        .filter(|stored| stored.key.len() >= 32)
        .map(|stored| ServerKey::from_text(stored.key))
}

/// What can be read, by key, and the keys of what cannot.
fn read<T: serde::de::DeserializeOwned>(
    records: Vec<store::Record>,
) -> (HashMap<String, Entry<T>>, HashSet<String>) {
    let (mut entries, mut unreadable) = (HashMap::new(), HashSet::new());
    for record in records {
        match record::decode(&record.value) {
            Some(value) => {
                entries.insert(record.key, Entry { value: Arc::new(value), revision: record.revision });
            }
            None => {
                tracing::error!(
                    key = record.key,
                    "a stored device record cannot be read; it is left untouched"
                );
                unreadable.insert(record.key);
            }
        }
    }
    (entries, unreadable)
}

/// How people are told of a device's record.
pub fn device_name(device_id: &str) -> String {
    format!("{}/{device_id}", Bucket::Devices.name())
}

fn key_name() -> String {
    format!("{}/{KEY_RECORD}", Bucket::Settings.name())
}

fn is_only_description(old: &Device, new: &Device) -> bool {
    old.public_key == new.public_key
        && old.roles == new.roles
        && old.scopes == new.scopes
        && old.tokens == new.tokens
        && old.approved_at_ms == new.approved_at_ms
}
