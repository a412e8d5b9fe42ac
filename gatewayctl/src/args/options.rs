//! The options that several commands share, and how their values are checked.

use std::time::Duration;

use clap::Args;
use gateway_base::secret::Secret;

/// Which gateway to ask, and with what.
#[derive(Clone, Debug, Args)]
pub struct ClientOptions {
    /// Ask the gateway at this address over WebSocket, such as wss://host:18789.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// The gateway's token. It is used as given or the command fails.
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    pub token: Option<Secret>,

    /// The gateway's password. It is used as given or the command fails.
    #[arg(long, value_name = "PASSWORD", value_parser = secret)]
    pub password: Option<Secret>,

    /// How long to wait for an answer, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "10000", value_parser = millis)]
    pub timeout: Duration,

    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

impl ClientOptions {
    /// Whether the command line itself names a gateway or a secret: then the control plane is asked, as a remote
    /// client would, and the local socket is not.
    #[must_use]
    pub const fn is_explicit(&self) -> bool {
        self.url.is_some() || self.token.is_some() || self.password.is_some()
    }
}

/// `--json` alone, for commands that need no gateway.
#[derive(Clone, Copy, Debug, Args)]
pub struct JsonOption {
    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

#[allow(clippy::unnecessary_wraps, reason = "the form clap asks for")]
pub(super) fn secret(text: &str) -> Result<Secret, String> {
    if text.trim().is_empty() { Err("the secret is blank".to_owned()) } else { Ok(Secret::new(text)) }
}

/// Milliseconds as the original takes them: a positive whole number.
pub(super) fn millis(text: &str) -> Result<Duration, String> {
    match text.parse::<u64>() {
        Ok(ms @ 1..=86_400_000) => Ok(Duration::from_millis(ms)),
        Ok(1..) => Err("must be at most 86400000 (milliseconds of a day)".to_owned()),
        _ => Err("must be a positive integer (milliseconds)".to_owned()),
    }
}

/// A length of time such as `500ms`, `5s`, `2m`; a bare number counts milliseconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return Err("use a number with ms, s or m, such as 5s".to_owned()),
    };
    let ms = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).filter(|ms| *ms <= 86_400_000);
    ms.map(Duration::from_millis)
        .ok_or_else(|| "use a number with ms, s or m, up to a day, such as 5s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_checked_whole() {
        assert_eq!(millis("1500"), Ok(Duration::from_millis(1500)));
        for bad in ["0", "-1", "1.5", "10s", "", "99999999999999999999"] {
            assert!(millis(bad).is_err(), "{bad}");
        }
        assert!(millis("86400000").is_ok());
        assert!(millis("86400001").is_err_and(|why| why.contains("at most 86400000")));
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("250"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in ["s", "5h", "é", "18446744073709551615m"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
