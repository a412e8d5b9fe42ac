//! TLS on the gateway's port (operations 2.6): the configured certificate, or one made here when asked for. Clients
//! pin the SHA-256 fingerprint of the certificate.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway_base::{atomic_file, id};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Where the certificate and its key are.
#[derive(Clone, Debug)]
pub struct Files {
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
    /// Make both when both are missing.
    pub generate: bool,
}

/// TLS, ready to accept.
#[derive(Clone)]
pub struct Tls {
    /// The server side.
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the certificate, 64 lower-case hex digits.
    pub fingerprint: String,
    /// Whether the certificate was made just now.
    pub generated: bool,
}

/// Why there is no TLS. The texts are those the original prints.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One or both files are missing and may not be made.
    #[error("gateway tls: cert/key missing ({})", .0.display())]
    Missing(PathBuf),
    /// Making a certificate failed.
    #[error("gateway tls: failed to generate cert ({0})")]
    Generate(String),
    /// A file could not be read or is not what it should be.
    #[error("gateway tls: failed to load cert ({path}: {reason})")]
    Load {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificate and key do not fit together.
    #[error("gateway tls: failed to enable ({0})")]
    Enable(#[from] rustls::Error),
}

/// Loads or makes the certificate.
pub fn load(files: &Files) -> Result<Tls, Error> {
    let (has_cert, has_key) = (files.cert.exists(), files.key.exists());
    let generated = match (has_cert, has_key) {
        (true, true) => false,
        (false, false) if files.generate => {
            generate(files)?;
            true
        }
        (false, _) => return Err(Error::Missing(files.cert.clone())),
        (_, false) => return Err(Error::Missing(files.key.clone())),
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|e| unloadable(&files.cert, &e))?;
    let leaf = chain.first().ok_or_else(|| unloadable(&files.cert, &"it holds no certificate"))?;
    let fingerprint = id::sha256_hex(leaf);
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| unloadable(&files.key, &e))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Tls { config: Arc::new(config), fingerprint, generated })
}

fn generate(files: &Files) -> Result<(), Error> {
    let failed = |e: &dyn std::fmt::Display| Error::Generate(e.to_string());
    let key = rcgen::KeyPair::generate().map_err(|e| failed(&e))?;
    let names = ["clawdbot-gateway", "localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = rcgen::CertificateParams::new(names).map_err(|e| failed(&e))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "clawdbot-gateway");
    let cert = params.self_signed(&key).map_err(|e| failed(&e))?;
    let write = |path: &Path, text: String| -> io::Result<()> { atomic_file::replace(path, text.as_bytes()) };
    write(&files.key, key.serialize_pem()).map_err(|e| failed(&e))?;
    write(&files.cert, cert.pem()).map_err(|e| failed(&e))
}

fn unloadable(path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::Load { path: path.display().to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_certificate_once_and_keeps_it() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let files = Files { cert: dir.path().join("c.pem"), key: dir.path().join("k.pem"), generate: true };
        let first = load(&files).expect("made");
        let again = load(&files).expect("loaded");
        assert!(first.generated && !again.generated);
        assert_eq!(first.fingerprint, again.fingerprint);
        assert_eq!(first.fingerprint.len(), 64);
    }

    #[test]
    fn one_missing_file_is_an_error_and_nothing_is_overwritten() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let files = Files { cert: dir.path().join("c.pem"), key: dir.path().join("k.pem"), generate: true };
        std::fs::write(&files.cert, "not a certificate").expect("written");
        assert!(matches!(load(&files), Err(Error::Missing(path)) if path == files.key));
        std::fs::write(&files.key, "not a key").expect("written");
        assert!(matches!(load(&files), Err(Error::Load { .. })));
        assert_eq!(std::fs::read(&files.cert).expect("kept"), b"not a certificate");
    }
}
