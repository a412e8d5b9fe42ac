//! Who the generated clients say they are. A plain command-line client leaves no trace in the presence list, a
//! tracked one does, and one with a device signs the challenge.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use gateway_base::clock::Clock;
use sha2::{Digest, Sha256};

/// The shared secret that every measured server is started with.
pub const TOKEN: &str = "bench-token";

/// The kind of client that a connection presents itself as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Mode `cli` with the shared token: not listed as present.
    Cli,
    /// Mode `backend` with the shared token, listed as present under this number.
    Tracked(usize),
    /// Mode `cli` with the shared token and a signature by the device of this number.
    Device(usize),
}

/// A device identity: its key and the names that follow from it.
pub struct Device {
    key: SigningKey,
    id: String,
    public_key: String,
}

impl Device {
    /// The device whose private key is made of `seed`.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        use std::fmt::Write;
        let key = SigningKey::from_bytes(&seed);
        let public = key.verifying_key().to_bytes();
        let mut id = String::with_capacity(64);
        for byte in Sha256::digest(public) {
            let _ = write!(id, "{byte:02x}");
        }
        Self { key, id, public_key: URL_SAFE_NO_PAD.encode(public) }
    }

    fn sign(&self, payload: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(payload.as_bytes()).to_bytes())
    }

    /// The `device` object of a connect request that answers `nonce`.
    fn claim(&self, now: i64, nonce: &str) -> String {
        let Self { id, public_key, .. } = self;
        let signature = self.sign(&format!("v2|{id}|cli|cli|operator|operator.admin|{now}|{TOKEN}|{nonce}"));
        format!(
            r#","device":{{"id":"{id}","publicKey":"{public_key}","signature":"{signature}","signedAt":{now},"nonce":"{nonce}"}}"#
        )
    }
}

/// The connect request that answers the challenge `nonce`.
pub(super) fn connect_request(login: Login, devices: &[Device], nonce: &str) -> String {
    let client = match login {
        Login::Cli | Login::Device(_) => {
            r#""id":"cli","version":"bench","platform":"linux","mode":"cli""#.to_owned()
        }
        Login::Tracked(number) => format!(
            r#""id":"gateway-client","version":"bench","platform":"linux","mode":"backend","instanceId":"bench-{number}""#
        ),
    };
    let device = match login {
        Login::Device(number) if !devices.is_empty() => {
            devices[number % devices.len()].claim(Clock::system().now(), nonce)
        }
        _ => String::new(),
    };
    format!(
        r#"{{"type":"req","id":"hello","method":"connect","params":{{"minProtocol":3,"maxProtocol":3,"client":{{{client}}},"caps":[],"auth":{{"token":"{TOKEN}"}},"role":"operator","scopes":["operator.admin"]{device}}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference_device() -> Device {
        let mut seed = [0; 32];
        seed.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
        Device::from_seed(seed)
    }

    #[test]
    fn identity_matches_the_protocol_vectors() {
        let device = reference_device();
        assert_eq!(device.public_key, "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg");
        assert_eq!(device.id, "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c");
        let payload = format!(
            "v2|{}|cli|cli|operator|operator.admin,operator.approvals,operator.pairing|1769500000000|t|6f1e2d3c-0000-4000-8000-000000000001",
            device.id
        );
        let signature =
            "Z4WZnm0o7zQrYY9HnOXlsJMfNcEONe497o2I0WMDiNkapXWxkXF2kb_bSP4_1wH8urbWFRyyk2u5fT-7a-SdCg";
        assert_eq!(device.sign(&payload), signature);
    }

    #[test]
    fn every_login_is_one_json_document() {
        let devices = [reference_device()];
        for login in [Login::Cli, Login::Tracked(7), Login::Device(3)] {
            let text = connect_request(login, &devices, "n-1");
            let request: serde_json::Value = serde_json::from_str(&text).unwrap();
            let params = &request["params"];
            assert_eq!(params["auth"]["token"], TOKEN);
            assert_eq!(params["device"]["nonce"] == "n-1", matches!(login, Login::Device(_)), "{text}");
            assert_eq!(params["client"]["instanceId"] == "bench-7", login == Login::Tracked(7), "{text}");
        }
    }
}
