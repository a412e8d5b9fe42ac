//! The root, the options that several commands share, and how their values are checked.

use std::time::Duration;

use clap::{Args, Parser};
use gateway_base::secret::Secret;

use super::commands::Command;

/// Exit codes, as `--help` prints them. They are those of [`crate::exit::Exit`].
pub const AFTER_HELP: &str = "\
Exit codes:
  0   done; for health and probe: healthy, reachable
  1   failed, or unreachable, or unhealthy
  2   the command line is wrong
  3   no gateway runs here
  4   the gateway refused: secret, pairing, scope, or another user's socket
  78  the configuration file is broken, or the edit would break it
gatewayd itself ends with 0 (asked to stop), 1 (failed), 69 (port or lock taken) or
78 (configuration).

Examples:
  gatewayctl status                       what runs here, and does it answer
  gatewayctl call health --json           any method of the control plane
  gatewayctl config set gateway.port 18790
  gatewayctl shutdown --restart --drain 10s
  gatewayctl --profile work status        the gateway of another profile

The older spelling works too: `gatewayctl gateway status` is `gatewayctl status`, and
`gatewayctl gateway` (or `gateway run`) becomes gatewayd with the same flags. Called under
the name clawdbot, the program takes the same words.";

/// Looks at, asks, configures and stops a gateway.
#[derive(Debug, Parser)]
#[command(name = "gatewayctl", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(disable_version_flag = true, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// Same as --profile dev: state in ~/.clawdbot-dev, port 19001.
    #[arg(long)]
    pub dev: bool,

    /// Use the gateway of this profile: state in ~/.clawdbot-NAME.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    pub profile: Option<String>,

    /// No colours, as with NO_COLOR.
    #[arg(long, global = true)]
    pub no_color: bool,

    /// Print the version.
    #[arg(short = 'V', short_alias = 'v', long, action = clap::ArgAction::Version)]
    version: Option<bool>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

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
    use clap::CommandFactory;

    use super::*;
    use crate::exit::Exit;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_exit_code_is_in_the_help() {
        for exit in [Exit::Ok, Exit::Failed, Exit::Usage, Exit::NotRunning, Exit::Refused, Exit::BadConfig] {
            assert!(AFTER_HELP.contains(&format!("\n  {:<3} ", exit.code())), "{exit:?}");
        }
    }

    #[test]
    fn times_are_checked_whole() {
        assert_eq!(millis("1500"), Ok(Duration::from_millis(1500)));
        for bad in ["0", "-1", "1.5", "10s", "", "99999999999999999999"] {
            assert!(millis(bad).is_err(), "{bad}");
        }
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("250"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in ["s", "5h", "é", "18446744073709551615m"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
