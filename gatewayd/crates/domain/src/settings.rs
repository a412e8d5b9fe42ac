//! Small settings that outlive the process, one record each. A setting is read on first use and kept; a change is on
//! disk before it is in force.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ports::store::{self, Bucket, Buckets, Expect};

const VERSION: u32 = 1;

/// One setting. Clones share it.
#[derive(Clone)]
pub struct Setting<T> {
    store: Arc<dyn Buckets>,
    key: &'static str,
    /// `None` until it was read.
    value: Arc<Mutex<Option<T>>>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Stored<T> {
    v: u32,
    value: T,
}

impl<T: Clone + Default + Serialize + DeserializeOwned + Send> Setting<T> {
    /// The setting under `key`.
    pub fn new(store: Arc<dyn Buckets>, key: &'static str) -> Self {
        Self { store, key, value: Arc::default() }
    }

    /// The value in force; the default until it was read.
    pub fn now(&self) -> T {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
    }

    /// Reads it, unless that was done. A record that cannot be read counts as none and stays until the next change.
    pub async fn load(&self) -> Result<T, store::Error> {
        if let Some(value) = self.value.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(value);
        }
        let found = self.store.get(Bucket::Settings, self.key).await?;
        let value = match found.map(|record| serde_json::from_slice::<Stored<T>>(&record.value)) {
            None => T::default(),
            Some(Ok(stored)) if stored.v == VERSION => stored.value,
            Some(_) => {
                tracing::error!(setting = self.key, "a stored setting cannot be read; the default is used");
                T::default()
            }
        };
        let mut slot = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(slot.get_or_insert(value).clone())
    }

    /// Stores `value` and puts it in force.
    pub async fn set(&self, value: T) -> Result<(), store::Error> {
        let bytes = serde_json::to_vec(&Stored { v: VERSION, value: &value })
            .map_err(|error| store::Error::Invalid(error.to_string()))?;
        self.store.put(Bucket::Settings, self.key, bytes.into(), Expect::Any).await?;
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MemoryStore;

    fn setting(store: &MemoryStore) -> Setting<Vec<String>> {
        Setting::new(Arc::new(store.clone()), "x")
    }

    #[tokio::test]
    async fn it_outlives_the_process_and_is_stored_before_it_counts() {
        let store = MemoryStore::default();
        let first = setting(&store);
        assert_eq!(first.load().await, Ok(vec![]));
        first.set(vec!["a".to_owned()]).await.expect("stored");
        assert_eq!(setting(&store).load().await, Ok(vec!["a".to_owned()]));
        store.fail_with(Some(store::Error::Full));
        assert_eq!(first.set(vec![]).await, Err(store::Error::Full));
        assert_eq!(first.now(), ["a"]);
        assert_eq!(setting(&store).load().await, Err(store::Error::Full));
    }

    #[tokio::test]
    async fn damage_means_the_default() {
        let store = MemoryStore::default();
        store.put(Bucket::Settings, "x", "{".into(), Expect::Any).await.expect("put");
        assert_eq!(setting(&store).load().await, Ok(vec![]));
    }
}
