//! `<state>/identity/device.json`: `{version, deviceId, publicKeyPem, privateKeyPem, createdAtMs}`, SPKI and PKCS#8.
//! The file is created on first use and never rewritten: a damaged one may still be somebody's key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{Signer, SigningKey};
use gateway_base::{atomic_file, clock::Clock, id};
use serde::{Deserialize, Serialize};

/// A device key, ready to sign.
pub struct Identity {
    key: SigningKey,
    id: String,
}

/// Why there is no usable device key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is there and cannot be read.
    #[error("cannot read the device identity {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// The file is there and is not what it should be.
    #[error("the device identity {path} is damaged ({why}); move it away to start with a new device", path = .0.display(), why = .1)]
    Damaged(PathBuf, String),
    /// A new file cannot be written.
    #[error("cannot write the device identity {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// The system gives no random bytes, or the key cannot be encoded.
    #[error("cannot make a device key: {0}")]
    Create(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    version: u32,
    device_id: String,
    public_key_pem: String,
    private_key_pem: String,
    created_at_ms: i64,
}

impl Identity {
    /// The key in `path`; when the file is missing, a new key is written there first.
    pub fn load_or_create(path: &Path, clock: &Clock) -> Result<Self, Error> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|why| Error::Damaged(path.to_path_buf(), why)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path, clock),
            Err(error) => Err(Error::Read(path.to_path_buf(), error)),
        }
    }

    /// The key with this seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let id = id::sha256_hex(key.verifying_key().as_bytes());
        Self { key, id }
    }

    /// SHA-256 of the public key, in hex.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The raw public key in base64url.
    #[must_use]
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    /// The signature over `payload` in base64url.
    #[must_use]
    pub fn sign(&self, payload: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(payload.as_bytes()).to_bytes())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let key =
            SigningKey::from_pkcs8_pem(&file.private_key_pem).map_err(|e| format!("private key: {e}"))?;
        let identity = Self::from_seed(key.as_bytes());
        if identity.id == file.device_id {
            Ok(identity)
        } else {
            Err("the id is not that of the key".to_owned())
        }
    }

    fn create(path: &Path, clock: &Clock) -> Result<Self, Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| Error::Create(e.to_string()))?;
        let identity = Self::from_seed(&seed);
        let text = identity.to_file(clock.now()).map_err(Error::Create)?;
        // Two first runs may race; the file decides who this device is.
        atomic_file::create(path, text.as_bytes()).map_err(|e| Error::Write(path.to_path_buf(), e))?;
        fs::read_to_string(path)
            .map_err(|e| Error::Read(path.to_path_buf(), e))
            .and_then(|text| Self::parse(&text).map_err(|why| Error::Damaged(path.to_path_buf(), why)))
    }

    fn to_file(&self, now: i64) -> Result<String, String> {
        // Without the public key inside: older readers of PKCS#8 know version 1 only.
        let private = KeypairBytes { secret_key: *self.key.as_bytes(), public_key: None };
        let private = private.to_pkcs8_pem(LineEnding::LF).map_err(|e| e.to_string())?;
        let public = self.key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|e| e.to_string())?;
        let file = File {
            version: 1,
            device_id: self.id.clone(),
            public_key_pem: public,
            private_key_pem: private.as_str().to_owned(),
            created_at_ms: now,
        };
        serde_json::to_string_pretty(&file).map(|text| text + "\n").map_err(|e| e.to_string())
    }
}

/// The test vector of the protocol reference: seed 00 01 02 ... 1f.
#[cfg(test)]
pub(crate) fn vector() -> Identity {
    let mut seed = [0; 32];
    for (index, byte) in (0u8..).zip(seed.iter_mut()) {
        *byte = index;
    }
    Identity::from_seed(&seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_vector_holds() {
        let identity = vector();
        assert_eq!(identity.public_key(), "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg");
        assert_eq!(identity.id(), "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c");
        let payload = "v1|56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c|cli|cli|operator|operator.admin,operator.approvals,operator.pairing|1769500000000|t";
        assert_eq!(
            identity.sign(payload),
            "EJPbqSRy-LYzReFfg4suPKHqxJhhr_I1gsTar0BpgNfvHShQHYGAjFjHIP_Qp8lMAtkB8NHFkOTPDiknfmPuDw"
        );
    }

    #[test]
    fn the_file_round_trips_and_has_the_originals_form() {
        let text = vector().to_file(1_769_500_000_000).expect("encodes");
        let file: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        let keys: Vec<&String> = file.as_object().expect("is an object").keys().collect();
        assert_eq!(keys, ["version", "deviceId", "publicKeyPem", "privateKeyPem", "createdAtMs"]);
        // What Node writes for this key: version 1, 48 bytes of DER.
        assert_eq!(
            file["privateKeyPem"],
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n"
        );
        let again = Identity::parse(&text).expect("parses");
        assert_eq!(again.id(), vector().id());
    }

    #[test]
    fn first_runs_at_the_same_time_are_one_device() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("device.json");
        let together = std::sync::Barrier::new(8);
        let run = || {
            together.wait();
            let identity = Identity::load_or_create(&path, &Clock::manual(5)).expect("is made or read");
            identity.id().to_owned()
        };
        let ids: Vec<String> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
            runs.into_iter().map(|run| run.join().expect("no panic")).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }

    #[test]
    fn a_missing_file_is_made_once_and_a_damaged_one_is_kept() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("identity").join("device.json");
        let first = Identity::load_or_create(&path, &Clock::manual(5)).expect("is created");
        let second = Identity::load_or_create(&path, &Clock::manual(9)).expect("is read");
        assert_eq!(first.id(), second.id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::write(&path, "{\"version\":1").expect("is writable");
        assert!(matches!(Identity::load_or_create(&path, &Clock::manual(9)), Err(Error::Damaged(..))));
        assert_eq!(fs::read_to_string(&path).expect("is there"), "{\"version\":1");
    }
}
