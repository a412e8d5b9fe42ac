//! A device identity made from a seed, and the signature it puts into a connect request (ws-protocol 2.7).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

/// An Ed25519 key with its device id.
#[derive(Clone, Debug)]
pub struct Device {
    key: SigningKey,
    /// SHA-256 of the public key, in hex.
    pub id: String,
    /// The public key, base64url.
    pub public_key: String,
}

/// What a signature covers besides the device.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// `client.id`
    pub client_id: &'a str,
    /// `client.mode`
    pub client_mode: &'a str,
    /// Effective role.
    pub role: &'a str,
    /// Requested scopes.
    pub scopes: &'a [String],
    /// When, in milliseconds.
    pub signed_at: i64,
    /// `auth.token`, or nothing.
    pub token: &'a str,
    /// The challenge; without one the first form is signed.
    pub nonce: Option<&'a str>,
}

impl Device {
    /// The device of this seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&seed.to_le_bytes());
        secret[8] = 1;
        let key = SigningKey::from_bytes(&secret);
        let public = key.verifying_key().to_bytes();
        Self { id: gateway_base::id::sha256_hex(&public), public_key: URL_SAFE_NO_PAD.encode(public), key }
    }

    /// The `device` object of a connect request.
    #[must_use]
    pub fn claim(&self, claim: &Claim<'_>) -> Value {
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(self.payload(claim).as_bytes()).to_bytes());
        let mut device = json!({
            "id": self.id, "publicKey": self.public_key, "signature": signature, "signedAt": claim.signed_at,
        });
        if let Some(nonce) = claim.nonce {
            device["nonce"] = nonce.into();
        }
        device
    }

    fn payload(&self, claim: &Claim<'_>) -> String {
        let Claim { client_id, client_mode, role, scopes, signed_at, token, nonce } = claim;
        let version = if nonce.is_some() { "v2" } else { "v1" };
        let scopes = scopes.join(",");
        let id = &self.id;
        let text = format!("{version}|{id}|{client_id}|{client_mode}|{role}|{scopes}|{signed_at}|{token}");
        nonce.map_or_else(|| text.clone(), |nonce| format!("{text}|{nonce}"))
    }
}
