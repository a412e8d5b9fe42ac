//! The certificate authorities this system trusts, for everything the controller says over TLS.

use tokio_rustls::rustls::RootCertStore;

/// The system's authorities; none when there is not one that can be used.
#[must_use]
pub fn of_system() -> Option<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    (!roots.is_empty()).then_some(roots)
}
