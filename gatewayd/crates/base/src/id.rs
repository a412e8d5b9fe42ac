//! Random identifiers: UUIDs for connections and requests, 32 hex digits for device tokens.

/// A fresh lower-case UUID, version 4.
#[must_use]
pub fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// 32 hex digits of which 122 bits are random: a UUID without its dashes, the form of the original's tokens.
#[must_use]
pub fn token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// 24 bytes of the system's randomness as 48 hex digits: a shared token.
pub fn strong_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// SHA-256 of `bytes` as 64 lower-case hex digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(bytes))
}

/// Lower-case hex digits of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        out.push(char::from(DIGITS[usize::from(b >> 4)]));
        out.push(char::from(DIGITS[usize::from(b & 15)]));
    }
    out
}
