//! The first request: who this client is, what it may want, and the signature that proves it. The identities are
//! those of the original's command line.

use gateway_base::clock::Clock;
use gateway_wire::version::PROTOCOL;
use serde_json::{Value, json};

use crate::identity::Identity;
use crate::target::Secrets;

/// In which of the original's two roles we come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One call; not shown in the presence list.
    Cli,
    /// A look from outside; shown in the presence list.
    Probe,
}

pub(super) const ROLE: &str = "operator";
const CLIENT: &str = "cli";

impl Mode {
    const fn word(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Probe => "probe",
        }
    }

    const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Cli => &["operator.admin", "operator.approvals", "operator.pairing"],
            Self::Probe => &["operator.admin"],
        }
    }
}

/// The parameters of `connect`, signed for this connection's `nonce`. `scopes` replace those of the mode.
#[must_use]
pub fn params(
    mode: Mode,
    scopes: Option<&[String]>,
    identity: &Identity,
    secrets: &Secrets,
    nonce: Option<&str>,
    clock: &Clock,
) -> Value {
    let token = secrets.token.as_ref().map(|t| t.expose()).unwrap_or_default();
    let signed_at = clock.now();
    let scopes = scopes.map_or_else(|| mode.scopes().join(","), |scopes| scopes.join(","));
    let payload = signature_payload(mode, &scopes, identity.id(), signed_at, token, nonce);
    let mut device = json!({
        "id": identity.id(),
        "publicKey": identity.public_key(),
        "signature": identity.sign(&payload),
        "signedAt": signed_at,
    });
    if let Some(nonce) = nonce {
        device["nonce"] = nonce.into();
    }
    let mut params = json!({
        "minProtocol": PROTOCOL,
        "maxProtocol": PROTOCOL,
        "client": {
            "id": CLIENT,
            "version": env!("CARGO_PKG_VERSION"),
            "platform": platform(),
            "mode": mode.word(),
            "instanceId": gateway_base::id::uuid(),
        },
        "caps": [],
        "role": ROLE,
        "scopes": scopes.split(',').collect::<Vec<_>>(),
        "device": device,
    });
    let mut auth = serde_json::Map::new();
    if !token.is_empty() {
        auth.insert("token".to_owned(), token.into());
    }
    if let Some(password) = &secrets.password {
        auth.insert("password".to_owned(), password.expose().into());
    }
    if !auth.is_empty() {
        params["auth"] = auth.into();
    }
    params
}

/// The text that the device signs: version 2 with a nonce, version 1 without.
#[must_use]
fn signature_payload(
    mode: Mode,
    scopes: &str,
    id: &str,
    signed_at: i64,
    token: &str,
    nonce: Option<&str>,
) -> String {
    let word = mode.word();
    let version = if nonce.is_some() { "v2" } else { "v1" };
    let mut text = format!("{version}|{id}|{CLIENT}|{word}|{ROLE}|{scopes}|{signed_at}|{token}");
    if let Some(nonce) = nonce {
        text.push('|');
        text.push_str(nonce);
    }
    text
}

/// The platform in the words of the original's runtime.
const fn platform() -> &'static str {
    if cfg!(target_os = "macos") {
        "darwin"
    } else if cfg!(windows) {
        "win32"
    } else {
        "linux"
    }
}

#[cfg(test)]
mod tests {
    use gateway_base::secret::Secret;

    use super::*;
    use crate::identity::vector;

    const ALL: &str = "operator.admin,operator.approvals,operator.pairing";
    const NONCE: &str = "6f1e2d3c-0000-4000-8000-000000000001";

    #[test]
    fn the_payloads_are_those_of_the_reference() {
        let identity = vector();
        let v1 = signature_payload(Mode::Cli, ALL, identity.id(), 1_769_500_000_000, "t", None);
        assert_eq!(
            v1,
            "v1|56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c|cli|cli|operator|operator.admin,operator.approvals,operator.pairing|1769500000000|t"
        );
        let v2 = signature_payload(Mode::Cli, ALL, identity.id(), 1_769_500_000_000, "t", Some(NONCE));
        assert_eq!(
            identity.sign(&v2),
            "Z4WZnm0o7zQrYY9HnOXlsJMfNcEONe497o2I0WMDiNkapXWxkXF2kb_bSP4_1wH8urbWFRyyk2u5fT-7a-SdCg"
        );
    }

    #[test]
    fn the_parameters_are_signed_and_carry_the_secrets_given() {
        let secrets =
            Secrets { token: Some(Secret::new("t")), password: Some(Secret::new("p")), explicit: true };
        let clock = Clock::manual(1_769_500_000_000);
        let params = params(Mode::Cli, None, &vector(), &secrets, Some(NONCE), &clock);
        assert_eq!(
            params["device"]["signature"],
            "Z4WZnm0o7zQrYY9HnOXlsJMfNcEONe497o2I0WMDiNkapXWxkXF2kb_bSP4_1wH8urbWFRyyk2u5fT-7a-SdCg"
        );
        assert_eq!(params["auth"], json!({"token": "t", "password": "p"}));
        assert_eq!(params["device"]["nonce"], NONCE);
        let bare = super::params(Mode::Probe, None, &vector(), &Secrets::default(), None, &clock);
        assert!(bare.get("auth").is_none() && bare["device"].get("nonce").is_none());
        assert_eq!(bare["scopes"], json!(["operator.admin"]));
        let issued = ["operator.read".to_owned()];
        let narrow = super::params(Mode::Probe, Some(&issued), &vector(), &Secrets::default(), None, &clock);
        assert_eq!(narrow["scopes"], json!(["operator.read"]));
    }
}
