//! The shared secret: what was configured, what was offered, and whether they are the same (ws-protocol 2.5.2). The
//! device's own token is a second way in that the caller tries afterwards, because only the device store knows it.

use gateway_base::secret::Secret;

use super::failure::Reason;

/// How this gateway authenticates, with the secret to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// No secret; the gateway listens on loopback only (rule R23).
    None,
    /// A shared token; `None` when it was asked for and is not configured.
    Token(Option<Secret>),
    /// A shared password; `None` when it was asked for and is not configured.
    Password(Option<Secret>),
}

impl Mode {
    /// The mode's name in the configuration.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token(_) => "token",
            Self::Password(_) => "password",
        }
    }
}

/// What a client sent in `auth`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Offered<'a> {
    /// Shared token or device token.
    pub token: Option<&'a str>,
    /// Shared password.
    pub password: Option<&'a str>,
}

impl<'a> Offered<'a> {
    /// The token, unless it is empty; an empty one counts as none.
    #[must_use]
    pub fn token(&self) -> Option<&'a str> {
        self.token.filter(|t| !t.is_empty())
    }

    /// The password, unless it is empty.
    #[must_use]
    pub fn password(&self) -> Option<&'a str> {
        self.password.filter(|p| !p.is_empty())
    }
}

impl std::fmt::Debug for Offered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |given: Option<&str>| given.map(|_| "(..)");
        f.debug_struct("Offered")
            .field("token", &shown(self.token))
            .field("password", &shown(self.password))
            .finish()
    }
}

/// What let a connection in; it says how much the connection may have and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Nothing is asked for.
    None,
    /// The shared token.
    Token,
    /// The shared password.
    Password,
    /// A name of the tailnet that this machine's Tailscale confirmed.
    Tailscale,
    /// The device's own token; such a session ends when that token is rotated or revoked.
    DeviceToken,
}

/// Compares what was offered with the shared secret.
pub fn decide(mode: &Mode, offered: &Offered<'_>) -> Result<Method, Reason> {
    match mode {
        Mode::None => Ok(Method::None),
        Mode::Token(secret) => {
            let secret = usable(secret.as_ref()).ok_or(Reason::TokenMissingConfig)?;
            let token = offered.token().ok_or(Reason::TokenMissing)?;
            if secret.matches(token) { Ok(Method::Token) } else { Err(Reason::TokenMismatch) }
        }
        Mode::Password(secret) => {
            let secret = usable(secret.as_ref()).ok_or(Reason::PasswordMissingConfig)?;
            let password = offered.password().ok_or(Reason::PasswordMissing)?;
            if secret.matches(password) { Ok(Method::Password) } else { Err(Reason::PasswordMismatch) }
        }
    }
}

/// A blank secret protects nothing, so it counts as not configured.
fn usable(secret: Option<&Secret>) -> Option<&Secret> {
    secret.filter(|s| !s.is_blank())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered<'a>(token: Option<&'a str>, password: Option<&'a str>) -> Offered<'a> {
        Offered { token, password }
    }

    #[test]
    fn every_mode_against_every_offer() {
        let token = Mode::Token(Some(Secret::new("t")));
        let password = Mode::Password(Some(Secret::new("p")));
        let cases = [
            (&Mode::None, None, None, Ok(Method::None)),
            (&Mode::None, Some("x"), Some("y"), Ok(Method::None)),
            (&token, Some("t"), None, Ok(Method::Token)),
            (&token, Some("T"), None, Err(Reason::TokenMismatch)),
            (&token, Some("t "), None, Err(Reason::TokenMismatch)),
            (&token, Some(""), None, Err(Reason::TokenMissing)),
            (&token, None, Some("t"), Err(Reason::TokenMissing)),
            (&password, None, Some("p"), Ok(Method::Password)),
            (&password, Some("dummy"), Some("p"), Ok(Method::Password)),
            (&password, Some("p"), None, Err(Reason::PasswordMissing)),
            (&password, Some("p"), Some("q"), Err(Reason::PasswordMismatch)),
            (&Mode::Token(None), Some("t"), None, Err(Reason::TokenMissingConfig)),
            (&Mode::Password(None), None, Some("p"), Err(Reason::PasswordMissingConfig)),
        ];
        for (mode, token, password, want) in cases {
            assert_eq!(decide(mode, &offered(token, password)), want, "{mode:?} {token:?} {password:?}");
        }
    }

    #[test]
    fn a_blank_secret_lets_nobody_in() {
        let blank = Mode::Token(Some(Secret::new(" ")));
        assert_eq!(decide(&blank, &offered(Some(" "), None)), Err(Reason::TokenMissingConfig));
    }
}
