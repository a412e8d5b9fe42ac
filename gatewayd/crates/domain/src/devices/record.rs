//! The stored records and what may happen to them, without I/O. They are versioned and separate from the wire types,
//! because files outlive protocols.

use std::collections::BTreeMap;

use gateway_base::clock::UnixMs;
use gateway_base::id;
use gateway_base::secret::Secret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::admission::{Admission, Issued};
use super::identity::Identity;
use super::meta::Meta;
use super::scopes;
use super::token::{ServerKey, Token};

/// How long a pairing request waits.
pub const REQUEST_LIFE_MS: UnixMs = 5 * 60 * 1_000;

const VERSION: u32 = 1;

/// A paired device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Its id.
    pub device_id: String,
    /// Its key, base64url of the raw bytes.
    pub public_key: String,
    /// Its description.
    #[serde(flatten)]
    pub meta: Meta,
    /// The role it used last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Every role it was approved for.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Every scope it was approved for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Its tokens by role.
    #[serde(default)]
    pub tokens: BTreeMap<String, Token>,
    /// First approval.
    pub created_at_ms: UnixMs,
    /// Last approval.
    pub approved_at_ms: UnixMs,
}

/// A pairing request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Its id.
    pub request_id: String,
    /// The device that asks.
    pub device_id: String,
    /// Its key.
    pub public_key: String,
    /// Its description.
    #[serde(flatten)]
    pub meta: Meta,
    /// The role it asks for.
    pub role: String,
    /// The scopes it asks for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether it may be approved without a person, which only a local peer may ask for.
    #[serde(default)]
    pub silent: bool,
    /// Whether the device is paired already and wants more.
    #[serde(default)]
    pub is_repair: bool,
    /// When it was made.
    pub ts: UnixMs,
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    v: u32,
    #[serde(flatten)]
    value: T,
}

/// Reads a stored record; `None` when it is damaged or of a newer version.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice::<Stored<T>>(bytes)
        .ok()
        .filter(|stored| stored.v == VERSION)
        .map(|stored| stored.value)
}

/// Writes a record for the store.
pub fn encode<T: Serialize>(value: &T) -> bytes::Bytes {
    // Strings, numbers and maps with string keys always have a JSON form.
    serde_json::to_vec(&Stored { v: VERSION, value }).unwrap_or_default().into()
}

impl Device {
    /// Whether the record is that of `identity`: same id and same key.
    pub fn is(&self, identity: &Identity) -> bool {
        self.device_id == identity.device_id && self.public_key == identity.public_key
    }

    /// Whether the device was approved for everything `admission` asks for.
    pub fn admits(&self, admission: &Admission) -> bool {
        self.is(&admission.identity)
            && self.has_role(&admission.role)
            && scopes::contains(&self.scopes, &admission.scopes)
    }

    /// Whether it was approved for `role`. Imported records of the first kind have only a single role.
    pub fn has_role(&self, role: &str) -> bool {
        if self.roles.is_empty() {
            self.role.as_deref() == Some(role)
        } else {
            self.roles.iter().any(|r| r == role)
        }
    }

    /// What becomes of `current` when `request` is approved: it gains role and scopes, and a new token for the role.
    /// A record with another key is not continued; what was granted to that key is gone.
    pub fn approve(current: Option<&Self>, request: &Request, key: &ServerKey, now: UnixMs) -> Self {
        let current = current.filter(|device| device.public_key == request.public_key);
        let mut device = current.cloned().unwrap_or_else(|| Self {
            device_id: request.device_id.clone(),
            public_key: request.public_key.clone(),
            meta: Meta::default(),
            role: None,
            roles: Vec::new(),
            scopes: Vec::new(),
            tokens: BTreeMap::new(),
            created_at_ms: now,
            approved_at_ms: now,
        });
        let single: Vec<String> = device.role.iter().cloned().collect();
        scopes::merge(&mut device.roles, &single);
        scopes::merge(&mut device.roles, std::slice::from_ref(&request.role));
        scopes::merge(&mut device.scopes, &request.scopes);
        device.meta = request.meta.clone();
        device.role = Some(request.role.clone());
        device.approved_at_ms = now;
        device.mint(&request.role, &request.scopes, key, now);
        device
    }

    /// Replaces the token of `role`.
    pub fn mint(&mut self, role: &str, scopes: &[String], key: &ServerKey, now: UnixMs) {
        let token = Token::mint(key, &self.device_id, role, scopes, self.tokens.get(role), now);
        self.tokens.insert(role.to_owned(), token);
    }

    /// The valid token of `role` if it covers `wanted`.
    pub fn issued(&self, role: &str, wanted: &[String], key: &ServerKey) -> Option<Issued> {
        let token = self.tokens.get(role)?;
        if token.revoked_at_ms.is_some() || !scopes::contains(&token.scopes, wanted) {
            return None;
        }
        Some(self.issue(role, token, token.text(key, &self.device_id, role)?))
    }

    /// The token of `role`, made anew when there is none that covers `wanted`. Nothing beyond what the device was
    /// approved for is ever minted.
    pub fn ensure(&mut self, role: &str, wanted: &[String], key: &ServerKey, now: UnixMs) -> Option<Issued> {
        if let Some(issued) = self.issued(role, wanted, key) {
            return Some(issued);
        }
        if !self.has_role(role) || !scopes::covers(&self.scopes, wanted) {
            return None;
        }
        self.mint(role, wanted, key, now);
        self.issued(role, wanted, key)
    }

    fn issue(&self, role: &str, token: &Token, text: Secret) -> Issued {
        Issued {
            device_id: self.device_id.clone(),
            role: role.to_owned(),
            token: text,
            scopes: token.scopes.clone(),
            issued_at_ms: token.issued_at_ms(),
        }
    }
}

impl Request {
    /// A request for what `admission` asks for.
    pub fn new(admission: &Admission, is_repair: bool, now: UnixMs) -> Self {
        Self {
            request_id: id::uuid(),
            device_id: admission.identity.device_id.clone(),
            public_key: admission.identity.public_key.clone(),
            meta: admission.meta.clone(),
            role: admission.role.clone(),
            scopes: admission.scopes.clone(),
            silent: admission.is_local,
            is_repair,
            ts: now,
        }
    }

    /// How long a stored one may still wait; below zero when it has waited too long. One from the future, after a
    /// clock was set back, has too.
    pub fn left(&self, now: UnixMs) -> UnixMs {
        let age = now.saturating_sub(self.ts);
        if (-REQUEST_LIFE_MS..=REQUEST_LIFE_MS).contains(&age) { REQUEST_LIFE_MS - age.max(0) } else { -1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_the_original_reads_and_its_token_works() {
        let json = r#"{"v":1,"deviceId":"d","publicKey":"k","clientId":"cli","role":"operator",
            "scopes":["operator.admin"],"tokens":{"operator":{"token":"t","role":"operator",
            "scopes":["operator.admin"],"createdAtMs":1,"lastUsedAtMs":2}},"createdAtMs":1,"approvedAtMs":1}"#;
        let device: Device = decode(json.as_bytes()).expect("device");
        assert!(device.has_role("operator") && !device.has_role("node"));
        let wanted = ["operator.admin".to_owned()];
        assert_eq!(device.tokens["operator"].verify("t", &wanted), Ok(()));
        assert_eq!(decode::<Device>(&encode(&device)), Some(device));
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed() {
        assert_eq!(decode::<Device>(b"{"), None);
        assert_eq!(decode::<Device>(br#"{"v":1,"deviceId":"d"}"#), None);
        let newer = br#"{"v":2,"requestId":"r","deviceId":"d","publicKey":"k","role":"node","ts":1}"#;
        assert_eq!(decode::<Request>(newer), None);
    }

    #[test]
    fn requests_live_five_minutes_and_a_clock_set_back_ends_them() {
        let json = br#"{"v":1,"requestId":"r","deviceId":"d","publicKey":"k","role":"node","ts":1000000}"#;
        let request: Request = decode(json).expect("request");
        assert_eq!(request.left(1_000_000), REQUEST_LIFE_MS);
        assert_eq!(request.left(1_000_000 + REQUEST_LIFE_MS), 0);
        assert!(request.left(1_000_001 + REQUEST_LIFE_MS) < 0);
        assert_eq!(request.left(999_000), REQUEST_LIFE_MS);
        assert!(request.left(0) < 0);
    }
}
