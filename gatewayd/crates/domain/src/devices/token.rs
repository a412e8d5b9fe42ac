//! Device tokens. A token is derived: the first 32 hex digits of HMAC-SHA256 over device, role and a fresh nonce,
//! under a key that only this gateway's store has. So the same token can be handed to a device each time it connects,
//! although the record holds nothing but the nonce and the token's SHA-256, and a copy of the records alone lets
//! nobody in. Tokens of an imported state keep their given text, because nothing else would match them.

use gateway_base::clock::UnixMs;
use gateway_base::id;
use gateway_base::secret::{Secret, same_secret};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::error::TokenError;
use super::scopes;

/// Hex digits of a token, as in the original.
const TOKEN_DIGITS: usize = 32;

/// A token as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// What proves it.
    #[serde(flatten)]
    pub proof: Proof,
    /// Sorted scopes it grants.
    pub scopes: Vec<String>,
    /// When the first token of this role was made.
    pub created_at_ms: UnixMs,
    /// When this one replaced another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at_ms: Option<UnixMs>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_ms: Option<UnixMs>,
    /// When it last let its device in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at_ms: Option<UnixMs>,
}

/// How a stored token is recognised.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", untagged)]
pub enum Proof {
    /// Made here.
    Minted {
        /// What makes this token differ from the one before.
        nonce: String,
        /// SHA-256 of the token, hex.
        sha256: String,
    },
    /// Taken over from the original's files.
    Imported {
        /// The token itself.
        token: String,
    },
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Minted { .. } => "Minted(..)",
            Self::Imported { .. } => "Imported(..)",
        })
    }
}

/// The gateway's own key for deriving tokens.
#[derive(Clone, Debug)]
pub struct ServerKey(Secret);

impl ServerKey {
    /// A fresh key of 244 random bits.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::new(id::token() + &id::token()))
    }

    /// A stored key.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// Its text, for the store.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    fn derive(&self, device_id: &str, role: &str, nonce: &str) -> Secret {
        #[allow(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.expose().as_bytes()).expect("any key length fits");
        for part in ["gateway device token v1", device_id, role, nonce] {
            // The length in front keeps two different lists from running together into one text.
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        let mut digits = id::hex(&mac.finalize().into_bytes());
        digits.truncate(TOKEN_DIGITS);
        Secret::new(digits)
    }
}

impl Token {
    /// Makes a new token for `role`, in place of `old`.
    #[must_use]
    pub fn mint(
        key: &ServerKey,
        device_id: &str,
        role: &str,
        scopes: &[String],
        old: Option<&Self>,
        now: UnixMs,
    ) -> Self {
        let nonce = id::token();
        let sha256 = id::sha256_hex(key.derive(device_id, role, &nonce).expose().as_bytes());
        Self {
            proof: Proof::Minted { nonce, sha256 },
            scopes: scopes::normal(scopes),
            created_at_ms: old.map_or(now, |old| old.created_at_ms),
            rotated_at_ms: old.map(|_| now),
            revoked_at_ms: None,
            last_used_at_ms: old.and_then(|old| old.last_used_at_ms),
        }
    }

    /// The token's text, unless it was made under another key.
    #[must_use]
    pub fn text(&self, key: &ServerKey, device_id: &str, role: &str) -> Option<Secret> {
        match &self.proof {
            Proof::Imported { token } => Some(Secret::new(token.clone())),
            Proof::Minted { nonce, .. } => {
                let token = key.derive(device_id, role, nonce);
                self.matches(token.expose()).then_some(token)
            }
        }
    }

    /// Whether `guess` is this token and grants all of `wanted`.
    pub fn verify(&self, guess: &str, wanted: &[String]) -> Result<(), TokenError> {
        if self.revoked_at_ms.is_some() {
            return Err(TokenError::TokenRevoked);
        }
        if !self.matches(guess) {
            return Err(TokenError::TokenMismatch);
        }
        if !scopes::contains(&self.scopes, wanted) {
            return Err(TokenError::ScopeMismatch);
        }
        Ok(())
    }

    /// When this very token came into being.
    #[must_use]
    pub fn issued_at_ms(&self) -> UnixMs {
        self.rotated_at_ms.unwrap_or(self.created_at_ms)
    }

    fn matches(&self, guess: &str) -> bool {
        match &self.proof {
            Proof::Minted { sha256, .. } => {
                same_secret(sha256.as_bytes(), id::sha256_hex(guess.as_bytes()).as_bytes())
            }
            Proof::Imported { token } => !token.is_empty() && same_secret(token.as_bytes(), guess.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(|&s| s.to_owned()).collect()
    }

    #[test]
    fn a_minted_token_can_be_told_again_but_is_not_in_the_record() {
        let key = ServerKey::generate();
        let token = Token::mint(&key, "d", "operator", &list(&["b", "a"]), None, 5);
        let text = token.text(&key, "d", "operator").expect("our key");
        assert_eq!(text.expose().len(), 32);
        assert!(text.expose().bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
        assert_eq!(token.verify(text.expose(), &list(&["a"])), Ok(()));
        let stored = serde_json::to_string(&token).expect("json");
        assert!(!stored.contains(text.expose()) && !format!("{token:?}").contains(text.expose()));
        assert_eq!(serde_json::from_str::<Token>(&stored).expect("json"), token);
        assert_eq!(token.text(&ServerKey::generate(), "d", "operator"), None, "another key");
        assert_eq!(token.text(&key, "d", "node"), None, "another role");
    }

    #[test]
    fn the_derivation_is_frozen() {
        let key = ServerKey::from_text("k".to_owned());
        assert_eq!(key.derive("d", "operator", "n").expose(), "05714d47961dc002017058a9483000a5");
        assert_ne!(key.derive("do", "perator", "n"), key.derive("d", "operator", "n"));
    }

    #[test]
    fn refusals_have_their_reason() {
        let key = ServerKey::generate();
        let mut token = Token::mint(&key, "d", "operator", &list(&["operator.read"]), None, 5);
        let text = token.text(&key, "d", "operator").expect("our key");
        assert_eq!(token.verify("x", &[]), Err(TokenError::TokenMismatch));
        assert_eq!(token.verify(text.expose(), &list(&["operator.admin"])), Err(TokenError::ScopeMismatch));
        assert_eq!(token.verify(text.expose(), &[]), Ok(()));
        token.revoked_at_ms = Some(6);
        assert_eq!(token.verify(text.expose(), &[]), Err(TokenError::TokenRevoked));
        let next = Token::mint(&key, "d", "operator", &[], Some(&token), 9);
        assert_eq!((next.created_at_ms, next.issued_at_ms(), next.revoked_at_ms), (5, 9, None));
        assert_eq!(next.verify(text.expose(), &[]), Err(TokenError::TokenMismatch), "the old one is void");
    }

    #[test]
    fn an_imported_token_keeps_working() {
        let json =
            r#"{"token":"b7b00350f9d44970bd6df66124681806","scopes":["operator.admin"],"createdAtMs":1}"#;
        let token: Token = serde_json::from_str(json).expect("json");
        assert_eq!(token.verify("b7b00350f9d44970bd6df66124681806", &list(&["operator.admin"])), Ok(()));
        let text = token.text(&ServerKey::generate(), "d", "operator").expect("text");
        assert_eq!(text.expose(), "b7b00350f9d44970bd6df66124681806");
        let empty: Token = serde_json::from_str(r#"{"token":"","scopes":[],"createdAtMs":1}"#).expect("json");
        assert_eq!(empty.verify("", &[]), Err(TokenError::TokenMismatch));
    }
}
