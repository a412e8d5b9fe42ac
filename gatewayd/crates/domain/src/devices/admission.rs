//! What a device that connects asks for, and what it and those who manage it are answered.

use gateway_base::clock::UnixMs;
use gateway_base::secret::Secret;

use super::identity::Identity;
use super::meta::Meta;

/// A device that connects, after its signature and its credential were checked.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Who it is.
    pub identity: Identity,
    /// What it says about itself.
    pub meta: Meta,
    /// The effective role.
    pub role: String,
    /// The effective scopes.
    pub scopes: Vec<String>,
    /// Whether it is on this machine and so may be paired without asking.
    pub is_local: bool,
}

/// The answer to an [`Admission`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is paired; here is its token.
    Paired(Issued),
    /// A person has to approve this request first.
    PairingRequired {
        /// The waiting request.
        request_id: String,
    },
}

/// A token handed to its device or to the one who rotated it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Whose it is.
    pub device_id: String,
    /// For which role.
    pub role: String,
    /// The token.
    pub token: Secret,
    /// What it grants.
    pub scopes: Vec<String>,
    /// When it was made.
    pub issued_at_ms: UnixMs,
}

/// A revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Whose token.
    pub device_id: String,
    /// For which role.
    pub role: String,
    /// Since when.
    pub revoked_at_ms: UnixMs,
}

/// Sessions that this device opened in this role with its token must end: the token was rotated or revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalidated {
    /// The device.
    pub device_id: String,
    /// The role.
    pub role: String,
}
