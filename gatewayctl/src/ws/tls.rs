//! Encryption towards a gateway: the system's authorities, or exactly one certificate when its fingerprint is known.

use std::sync::Arc;

use gateway_base::id::sha256_hex;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use super::error::Error;
use crate::authorities;

/// A connector that trusts the certificate with this fingerprint and no other, or the system's authorities.
pub fn connector(pin: Option<&str>) -> Result<TlsConnector, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::Tls(e.to_string()))?;
    let config = match pin {
        Some(pin) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned { pin: normalise_fingerprint(pin), provider }))
            .with_no_client_auth(),
        None => builder.with_root_certificates(system_roots()?).with_no_client_auth(),
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A fingerprint as people write it, as 64 lower-case hex digits: `sha256:` and everything but digits is dropped.
#[must_use]
pub fn normalise_fingerprint(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("sha-256:")).unwrap_or(&text);
    text.chars().filter(char::is_ascii_hexdigit).collect()
}

/// The fingerprint of the first certificate in a PEM text.
#[must_use]
pub fn fingerprint_of_pem(pem: &[u8]) -> Option<String> {
    CertificateDer::from_pem_slice(pem).ok().map(|certificate| sha256_hex(&certificate))
}

fn system_roots() -> Result<RootCertStore, Error> {
    authorities::of_system().ok_or_else(|| {
        Error::Tls("this system has no certificate authorities; set gateway.remote.tlsFingerprint".to_owned())
    })
}

#[derive(Debug)]
struct Pinned {
    pin: String,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let found = sha256_hex(end_entity);
        if found == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        Err(TlsError::General(format!(
            "the gateway's certificate has the fingerprint {found}, not {}; check gateway.remote.tlsFingerprint",
            self.pin
        )))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_people_write_them() {
        let plain = "ab".repeat(32);
        let typed = format!("SHA256:{}", vec!["AB"; 32].join(":"));
        assert_eq!(normalise_fingerprint(&typed), plain);
        assert_eq!(normalise_fingerprint(&plain), plain);
    }

    #[test]
    fn nonsense_has_no_fingerprint() {
        assert_eq!(fingerprint_of_pem(b"-----BEGIN CERTIFICATE-----\nnonsense"), None);
        assert_eq!(fingerprint_of_pem(b""), None);
    }

    #[test]
    fn a_pin_trusts_one_certificate_and_names_the_other() {
        let (ours, other) = (CertificateDer::from(vec![1, 2, 3]), CertificateDer::from(vec![4]));
        let provider = Arc::new(ring::default_provider());
        let pinned = Pinned { pin: sha256_hex(&ours), provider };
        let name = ServerName::try_from("studio").expect("is a name");
        let verify = |cert: &CertificateDer<'_>| {
            pinned.verify_server_cert(cert, &[], &name, &[], UnixTime::since_unix_epoch(Default::default()))
        };
        assert!(verify(&ours).is_ok());
        let error = verify(&other).expect_err("is another certificate").to_string();
        assert!(
            error.contains(&sha256_hex(&other)) && error.contains("gateway.remote.tlsFingerprint"),
            "{error}"
        );
    }
}
