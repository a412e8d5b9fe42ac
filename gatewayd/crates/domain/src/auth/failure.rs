//! The sentences a refused client reads (ws-protocol 2.5.3). Clients show them to people, so each names the next step
//! for the kind of client that asks.

use std::fmt;
use std::time::Duration;

/// Why authentication failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No token was sent.
    TokenMissing,
    /// Another token was sent.
    TokenMismatch,
    /// Token mode without a token to compare with.
    TokenMissingConfig,
    /// No password was sent.
    PasswordMissing,
    /// Another password was sent.
    PasswordMismatch,
    /// Password mode without a password to compare with.
    PasswordMissingConfig,
    /// Tailscale is trusted, but nobody was named.
    TailscaleUserMissing,
    /// Tailscale is trusted, but the request did not come through its proxy.
    TailscaleProxyMissing,
    /// This machine's Tailscale could not say who is behind the forwarded address.
    TailscaleWhoisFailed,
    /// The forwarded address belongs to somebody else than the header says.
    TailscaleUserMismatch,
    /// Too many wrong credentials from there; nothing was compared.
    TooMany(Duration),
}

impl Reason {
    /// A stable word for logs and counters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TokenMissing => "token_missing",
            Self::TokenMismatch => "token_mismatch",
            Self::TokenMissingConfig => "token_missing_config",
            Self::PasswordMissing => "password_missing",
            Self::PasswordMismatch => "password_mismatch",
            Self::PasswordMissingConfig => "password_missing_config",
            Self::TailscaleUserMissing => "tailscale_user_missing",
            Self::TailscaleProxyMissing => "tailscale_proxy_missing",
            Self::TailscaleWhoisFailed => "tailscale_whois_failed",
            Self::TailscaleUserMismatch => "tailscale_user_mismatch",
            Self::TooMany(_) => "too_many_attempts",
        }
    }

    /// Whether a credential was sent and was wrong; only that counts against a peer (rule R22).
    #[must_use]
    pub const fn is_wrong_credential(self) -> bool {
        matches!(self, Self::TokenMismatch | Self::PasswordMismatch)
    }

    /// The sentence for this kind of client.
    #[must_use]
    pub fn text(self, audience: Audience) -> String {
        Text { reason: self, audience }.to_string()
    }
}

/// Which hint helps the one who reads the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The command line, which has its own copy of the secret in its config.
    CommandLine,
    /// The web page.
    ControlUi,
    /// Any other client.
    Other,
}

impl Audience {
    /// The audience behind a client's id and mode, as the connect parameters spell them.
    #[must_use]
    pub fn of(client_id: &str, client_mode: &str) -> Self {
        match (client_id, client_mode) {
            (_, "cli") => Self::CommandLine,
            ("clawdbot-control-ui" | "webchat-ui", _) | (_, "webchat") => Self::ControlUi,
            _ => Self::Other,
        }
    }

    const fn token_hint(self) -> &'static str {
        match self {
            Self::CommandLine => "set gateway.remote.token to match gateway.auth.token",
            Self::ControlUi => "open a tokenized dashboard URL or paste token in Control UI settings",
            Self::Other => "provide gateway auth token",
        }
    }

    const fn password_hint(self) -> &'static str {
        match self {
            Self::CommandLine => "set gateway.remote.password to match gateway.auth.password",
            Self::ControlUi => "enter the password in Control UI settings",
            Self::Other => "provide gateway auth password",
        }
    }
}

struct Text {
    reason: Reason,
    audience: Audience,
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, hint) = match self.reason {
            Reason::TokenMissing => ("gateway token missing", self.audience.token_hint()),
            Reason::TokenMismatch => ("gateway token mismatch", self.audience.token_hint()),
            Reason::TokenMissingConfig => {
                ("gateway token not configured on gateway", "set gateway.auth.token")
            }
            Reason::PasswordMissing => ("gateway password missing", self.audience.password_hint()),
            Reason::PasswordMismatch => ("gateway password mismatch", self.audience.password_hint()),
            Reason::PasswordMissingConfig => {
                ("gateway password not configured on gateway", "set gateway.auth.password")
            }
            Reason::TailscaleUserMissing => {
                ("tailscale identity missing", "use Tailscale Serve auth or gateway token/password")
            }
            Reason::TailscaleProxyMissing => {
                ("tailscale proxy headers missing", "use Tailscale Serve or gateway token/password")
            }
            Reason::TailscaleWhoisFailed => {
                ("tailscale identity check failed", "use Tailscale Serve auth or gateway token/password")
            }
            Reason::TailscaleUserMismatch => {
                ("tailscale identity mismatch", "use Tailscale Serve auth or gateway token/password")
            }
            Reason::TooMany(wait) => {
                let seconds = wait.as_millis().div_ceil(1000).max(1);
                return write!(
                    f,
                    "unauthorized: too many wrong credentials from this address (try again in {seconds} s)"
                );
            }
        };
        write!(f, "unauthorized: {what} ({hint})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_clients_know() {
        let cases = [
            (
                Reason::TokenMissing,
                Audience::of("cli", "cli"),
                "unauthorized: gateway token missing (set gateway.remote.token to match gateway.auth.token)",
            ),
            (
                Reason::TokenMismatch,
                Audience::of("clawdbot-control-ui", "ui"),
                "unauthorized: gateway token mismatch (open a tokenized dashboard URL or paste token in Control UI settings)",
            ),
            (
                Reason::TokenMismatch,
                Audience::of("clawdbot-macos", "ui"),
                "unauthorized: gateway token mismatch (provide gateway auth token)",
            ),
            (
                Reason::PasswordMissing,
                Audience::of("cli", "cli"),
                "unauthorized: gateway password missing (set gateway.remote.password to match gateway.auth.password)",
            ),
            (
                Reason::PasswordMismatch,
                Audience::of("webchat-ui", "ui"),
                "unauthorized: gateway password mismatch (enter the password in Control UI settings)",
            ),
            (
                Reason::PasswordMismatch,
                Audience::of("webchat", "webchat"),
                "unauthorized: gateway password mismatch (enter the password in Control UI settings)",
            ),
            (
                Reason::PasswordMissing,
                Audience::of("test", "test"),
                "unauthorized: gateway password missing (provide gateway auth password)",
            ),
            (
                Reason::TokenMissingConfig,
                Audience::Other,
                "unauthorized: gateway token not configured on gateway (set gateway.auth.token)",
            ),
            (
                Reason::PasswordMissingConfig,
                Audience::Other,
                "unauthorized: gateway password not configured on gateway (set gateway.auth.password)",
            ),
            (
                Reason::TailscaleUserMissing,
                Audience::Other,
                "unauthorized: tailscale identity missing (use Tailscale Serve auth or gateway token/password)",
            ),
            (
                Reason::TailscaleProxyMissing,
                Audience::Other,
                "unauthorized: tailscale proxy headers missing (use Tailscale Serve or gateway token/password)",
            ),
            (
                Reason::TailscaleWhoisFailed,
                Audience::Other,
                "unauthorized: tailscale identity check failed (use Tailscale Serve auth or gateway token/password)",
            ),
            (
                Reason::TailscaleUserMismatch,
                Audience::Other,
                "unauthorized: tailscale identity mismatch (use Tailscale Serve auth or gateway token/password)",
            ),
            (
                Reason::TooMany(Duration::from_millis(41_200)),
                Audience::Other,
                "unauthorized: too many wrong credentials from this address (try again in 42 s)",
            ),
        ];
        for (reason, audience, text) in cases {
            assert_eq!(reason.text(audience), text);
            assert!(reason.text(audience).len() < 123, "fits a close frame unless it is the page's");
        }
    }
}
