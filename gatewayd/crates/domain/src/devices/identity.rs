//! A device proves itself by an Ed25519 signature over what it asks for (ws-protocol 2.7). Its id is the hash of its
//! key, so an id cannot be borrowed; the signature covers this connection's challenge, so it cannot be replayed.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::{Signature, VerifyingKey};
use gateway_base::clock::UnixMs;
use gateway_base::id;

/// How far the device's clock may be off.
pub const MAX_SKEW_MS: u64 = 600_000;

/// Longest key or signature that is looked at; honest ones have under 200 characters.
const MAX_ENCODED: usize = 2_048;

/// What a client says about its device.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// `device.id`.
    pub id: &'a str,
    /// `device.publicKey`.
    pub public_key: &'a str,
    /// `device.signature`.
    pub signature: &'a str,
    /// `device.signedAt`.
    pub signed_at: UnixMs,
    /// `device.nonce`.
    pub nonce: Option<&'a str>,
}

/// What the signature must cover, as this connection knows it.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// `client.id`.
    pub client_id: &'a str,
    /// `client.mode`.
    pub client_mode: &'a str,
    /// The effective role.
    pub role: &'a str,
    /// The scopes as requested, in the order sent.
    pub scopes: &'a [String],
    /// `auth.token` as sent.
    pub token: Option<&'a str>,
    /// The challenge of this connection.
    pub challenge: &'a str,
    /// Whether the peer is on this machine; only then may it sign without the challenge.
    pub is_local: bool,
    /// The time.
    pub now: UnixMs,
}

/// A device that proved possession of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Lower-case hex SHA-256 of the raw key.
    pub device_id: String,
    /// The raw key, base64url without padding.
    pub public_key: String,
}

/// Why a claim was refused; the texts are those clients know (ws-protocol 2.3, rows 9 to 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The id does not belong to the key.
    #[error("device identity mismatch")]
    IdentityMismatch,
    /// Signed too long ago, or in the future.
    #[error("device signature expired")]
    SignatureExpired,
    /// A remote peer must sign the challenge.
    #[error("device nonce required")]
    NonceRequired,
    /// Another connection's challenge was signed.
    #[error("device nonce mismatch")]
    NonceMismatch,
    /// The signature does not fit.
    #[error("device signature invalid")]
    SignatureInvalid,
    /// The key is not an Ed25519 key.
    #[error("device public key invalid")]
    PublicKeyInvalid,
}

/// Checks a claim in the order of the reference.
pub fn verify(claim: &Claim<'_>, terms: &Terms<'_>) -> Result<Identity, Error> {
    let raw = decode_key(claim.public_key).ok_or(Error::IdentityMismatch)?;
    let device_id = id::sha256_hex(&raw);
    if device_id != claim.id {
        return Err(Error::IdentityMismatch);
    }
    if claim.signed_at.abs_diff(terms.now) > MAX_SKEW_MS {
        return Err(Error::SignatureExpired);
    }
    let nonce = claim.nonce.map(str::trim).filter(|n| !n.is_empty());
    match nonce {
        None if !terms.is_local => return Err(Error::NonceRequired),
        Some(nonce) if nonce != terms.challenge => return Err(Error::NonceMismatch),
        _ => {}
    }
    let raw: [u8; 32] = raw.try_into().map_err(|_| Error::SignatureInvalid)?;
    let payload = payload(claim, terms, nonce);
    if !signed_by(&raw, payload.as_bytes(), claim.signature) {
        return Err(Error::SignatureInvalid);
    }
    Ok(Identity { device_id, public_key: BASE64URL.encode(raw) })
}

/// The text that is signed: version 2 with the challenge, version 1 without.
#[must_use]
pub fn payload(claim: &Claim<'_>, terms: &Terms<'_>, nonce: Option<&str>) -> String {
    let version = if nonce.is_some() { "v2" } else { "v1" };
    let mut text = format!(
        "{version}|{}|{}|{}|{}|{}|{}|{}",
        claim.id,
        terms.client_id,
        terms.client_mode,
        terms.role,
        terms.scopes.join(","),
        claim.signed_at,
        terms.token.unwrap_or_default(),
    );
    if let Some(nonce) = nonce {
        text.push('|');
        text.push_str(nonce);
    }
    text
}

/// The id and the normal form of a public key, for records that come from elsewhere.
pub fn of_public_key(text: &str) -> Result<Identity, Error> {
    let raw: [u8; 32] =
        decode_key(text).and_then(|raw| raw.try_into().ok()).ok_or(Error::PublicKeyInvalid)?;
    VerifyingKey::from_bytes(&raw).map_err(|_| Error::PublicKeyInvalid)?;
    Ok(Identity { device_id: id::sha256_hex(&raw), public_key: BASE64URL.encode(raw) })
}

/// Strict verification: weak keys and non-canonical signatures, which fit many messages, are refused.
fn signed_by(key: &[u8; 32], message: &[u8], signature: &str) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(key) else { return false };
    let Some(bytes) = decode_base64(signature) else { return false };
    let Ok(signature) = Signature::from_slice(&bytes) else { return false };
    key.verify_strict(message, &signature).is_ok()
}

/// base64url without padding, as the wire writes it; what does not fit exactly is still read.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_ENCODED {
        return None;
    }
    let url_safe: String = text
        .trim()
        .chars()
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    BASE64URL.decode(url_safe).ok()
}

/// The raw bytes of a key: base64url, or the PEM form of its `SubjectPublicKeyInfo`.
fn decode_key(text: &str) -> Option<Vec<u8>> {
    /// DER of everything in an Ed25519 `SubjectPublicKeyInfo` before the 32 key bytes.
    const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    if text.len() > MAX_ENCODED {
        return None;
    }
    if !text.contains("BEGIN") {
        return decode_base64(text);
    }
    let body: String = text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
    let der = decode_base64(&body)?;
    der.strip_prefix(&SPKI_PREFIX).filter(|raw| raw.len() == 32).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    const KEY: &str = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg";
    const ID: &str = "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c";
    const NONCE: &str = "6f1e2d3c-0000-4000-8000-000000000001";
    const AT: UnixMs = 1_769_500_000_000;
    const V1: &str = "EJPbqSRy-LYzReFfg4suPKHqxJhhr_I1gsTar0BpgNfvHShQHYGAjFjHIP_Qp8lMAtkB8NHFkOTPDiknfmPuDw";
    const V2: &str = "Z4WZnm0o7zQrYY9HnOXlsJMfNcEONe497o2I0WMDiNkapXWxkXF2kb_bSP4_1wH8urbWFRyyk2u5fT-7a-SdCg";
    const NODE: &str =
        "6s3MK_P2DjH86pD2YdMFyc6Yd2viI8DbNo-bBibLPBr1tgDK-KyMdaVRx0OAitmG6KSp8hjKJQYeSDjf5N7NAg";

    fn cli_scopes() -> Vec<String> {
        ["operator.admin", "operator.approvals", "operator.pairing"].map(str::to_owned).to_vec()
    }

    fn claim<'a>(signature: &'a str, nonce: Option<&'a str>) -> Claim<'a> {
        Claim { id: ID, public_key: KEY, signature, signed_at: AT, nonce }
    }

    fn cli(scopes: &[String]) -> Terms<'_> {
        Terms {
            client_id: "cli",
            client_mode: "cli",
            role: "operator",
            scopes,
            token: Some("t"),
            challenge: NONCE,
            is_local: true,
            now: AT,
        }
    }

    fn pem() -> String {
        let mut der = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        der.extend(decode_base64(KEY).expect("key"));
        let body = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
    }

    #[test]
    fn the_published_vectors_verify() {
        let scopes = cli_scopes();
        let want = Ok(Identity { device_id: ID.to_owned(), public_key: KEY.to_owned() });
        assert_eq!(verify(&claim(V1, None), &cli(&scopes)), want);
        let remote = Terms { is_local: false, ..cli(&scopes) };
        assert_eq!(verify(&claim(V2, Some(NONCE)), &remote), want);
        let node = Terms {
            client_id: "node-host",
            client_mode: "node",
            role: "node",
            scopes: &[],
            token: None,
            ..remote
        };
        assert_eq!(verify(&claim(NODE, Some(NONCE)), &node), want);
        assert_eq!(
            payload(&claim("", None), &node, Some(NONCE)),
            format!("v2|{ID}|node-host|node|node||{AT}||{NONCE}")
        );
    }

    #[test]
    fn each_row_has_its_failure_in_order() {
        let scopes = cli_scopes();
        let local = cli(&scopes);
        let remote = Terms { is_local: false, ..local };
        let good = claim(V1, None);
        let cases = [
            (Claim { id: "x", ..good }, local, Error::IdentityMismatch),
            (Claim { public_key: "AAAA", ..good }, local, Error::IdentityMismatch),
            (Claim { public_key: "§§", ..good }, local, Error::IdentityMismatch),
            (Claim { id: "x", signed_at: 0, ..good }, remote, Error::IdentityMismatch),
            (Claim { signed_at: AT - 600_001, ..good }, local, Error::SignatureExpired),
            (Claim { signed_at: AT + 600_001, ..good }, local, Error::SignatureExpired),
            (Claim { signed_at: i64::MAX, ..good }, local, Error::SignatureExpired),
            (Claim { signed_at: i64::MIN, ..good }, local, Error::SignatureExpired),
            (good, remote, Error::NonceRequired),
            (claim(V1, Some("  ")), remote, Error::NonceRequired),
            (claim(V2, Some("other")), local, Error::NonceMismatch),
            (claim(V2, Some("other")), remote, Error::NonceMismatch),
            (claim(V1, Some(NONCE)), local, Error::SignatureInvalid),
            (claim(V2, None), local, Error::SignatureInvalid),
            (claim("", None), local, Error::SignatureInvalid),
            (claim("§", None), local, Error::SignatureInvalid),
            (Claim { signed_at: AT + 1, ..good }, local, Error::SignatureInvalid),
        ];
        for (claim, terms, error) in cases {
            assert_eq!(verify(&claim, &terms), Err(error), "{claim:?}");
        }
    }

    #[test]
    fn nothing_signed_can_be_changed() {
        let scopes = cli_scopes();
        let fewer = cli_scopes()[..1].to_vec();
        let good = cli(&scopes);
        let changed = [
            Terms { client_id: "test", ..good },
            Terms { client_mode: "ui", ..good },
            Terms { role: "node", ..good },
            Terms { scopes: &fewer, ..good },
            Terms { token: None, ..good },
            Terms { token: Some("u"), ..good },
        ];
        for terms in changed {
            assert_eq!(verify(&claim(V1, None), &terms), Err(Error::SignatureInvalid), "{terms:?}");
        }
    }

    #[test]
    fn keys_and_signatures_come_in_several_spellings() {
        let scopes = cli_scopes();
        let terms = cli(&scopes);
        let standard = |s: &str| format!("{}==", s.replace('-', "+").replace('_', "/"));
        let padded = format!("{}=", KEY.replace('_', "/"));
        for key in [KEY.to_owned(), padded, pem()] {
            let signature = standard(V1);
            let claim = Claim { public_key: &key, ..claim(&signature, None) };
            assert_eq!(verify(&claim, &terms).map(|i| i.public_key), Ok(KEY.to_owned()), "{key}");
        }
        assert_eq!(of_public_key(&pem()).map(|i| i.device_id), Ok(ID.to_owned()));
        assert_eq!(of_public_key("AAAA"), Err(Error::PublicKeyInvalid));
        assert_eq!(of_public_key("-----BEGIN PUBLIC KEY-----"), Err(Error::PublicKeyInvalid));
    }

    #[test]
    fn a_weak_key_that_fits_every_message_is_refused() {
        let mut raw = [0_u8; 32];
        raw[0] = 1;
        let key = BASE64URL.encode(raw);
        let id = id::sha256_hex(&raw);
        let mut signature = [0_u8; 64];
        signature[0] = 1;
        let signature = BASE64URL.encode(signature);
        let claim = Claim { id: &id, public_key: &key, signature: &signature, signed_at: AT, nonce: None };
        assert_eq!(verify(&claim, &cli(&[])), Err(Error::SignatureInvalid));
    }

    #[test]
    fn an_odd_key_length_is_an_invalid_signature() {
        let key = BASE64URL.encode([7_u8; 33]);
        let id = id::sha256_hex(&[7_u8; 33]);
        let claim = Claim { id: &id, public_key: &key, ..claim(V1, None) };
        assert_eq!(verify(&claim, &cli(&[])), Err(Error::SignatureInvalid));
    }

    #[test]
    fn a_fresh_key_signs_and_verifies() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let public = BASE64URL.encode(key.verifying_key().to_bytes());
        let id = id::sha256_hex(key.verifying_key().as_bytes());
        let terms = cli(&[]);
        let unsigned =
            Claim { id: &id, public_key: &public, signature: "", signed_at: AT, nonce: Some(NONCE) };
        let signature =
            BASE64URL.encode(key.sign(payload(&unsigned, &terms, Some(NONCE)).as_bytes()).to_bytes());
        assert!(verify(&Claim { signature: &signature, ..unsigned }, &terms).is_ok());
    }
}
