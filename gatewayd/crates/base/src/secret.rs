//! A secret that cannot be printed, serialised or compared early. Reading it takes a visible call, and comparing
//! it takes the same time whatever the guess (rules R22 and R24).

use std::fmt;

use sha2::Digest;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A token or password in memory. `Debug` shows only that there is one; there is no `Display`.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that must send or hash it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing but white space is in it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// Whether `guess` is this secret, in time that depends on neither.
    #[must_use]
    pub fn matches(&self, guess: &str) -> bool {
        same_secret(self.0.as_bytes(), guess.as_bytes())
    }
}

/// The one comparison of secrets: SHA-256 of both, then a constant-time compare of the fixed-length digests.
#[must_use]
pub fn same_secret(a: &[u8], b: &[u8]) -> bool {
    sha2::Sha256::digest(a).as_slice().ct_eq(sha2::Sha256::digest(b).as_slice()).into()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }
}

impl Eq for Secret {}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_cannot_be_printed_and_compares_whole() {
        let s = Secret::new("hunter2");
        assert_eq!(format!("{s:?}"), "Secret(..)");
        assert!(s.matches("hunter2"));
        assert!(!s.matches("hunter"));
        assert!(!s.matches(""));
    }
}
