//! The commands on the configuration file.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::options::{JsonOption, duration};

/// Commands under `config`.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Edits keep comments, order and ${VAR} references; a running gateway picks the file up by itself.

Exit codes: 0 done; 1 failed; 3 no gateway runs here and it takes one; 78 the file is broken.

Examples:
  gatewayctl config get gateway.port
  gatewayctl config set gateway.bind lan
  gatewayctl config set 'agents.list[0].id' main
  gatewayctl config explain gateway.reload.mode
  gatewayctl config apply new.json5 --confirm-within 60s
  gatewayctl config diff && gatewayctl config rollback")]
pub enum ConfigCommand {
    /// Print the value in force of a key; secrets in clear
    #[command(
        after_help = "Exit codes: 0 done; 1 the file does not set it; 78 the file is broken.\n\nExamples:\n  gatewayctl config get gateway.port\n  gatewayctl config get agents.list --json"
    )]
    Get {
        /// The key, such as `gateway.port` or `agents.list[0].id`.
        path: String,
        /// Print JSON, strings too.
        #[command(flatten)]
        json: JsonOption,
    },
    /// Set a key in the file
    #[command(
        after_help = "Exit codes: 0 done; 1 failed; 78 the file is broken, or would be, and nothing was written.\n\nExamples:\n  gatewayctl config set gateway.bind lan\n  gatewayctl config set gateway.trustedProxies '[\"10.0.0.1\"]' --json"
    )]
    Set {
        /// The key.
        path: String,
        /// The value: JSON5 if it parses, else the text itself.
        #[arg(allow_hyphen_values = true)]
        value: String,
        /// The value must be JSON5, and the answer is one JSON document.
        #[command(flatten)]
        json: JsonOption,
    },
    /// Remove a key from the file
    #[command(
        after_help = "Exit codes: 0 done; 1 the file does not set it; 78 the file is broken, or would be, and nothing was written.\n\nExample:\n  gatewayctl config unset gateway.port"
    )]
    Unset {
        /// The key.
        path: String,
        /// One JSON document.
        #[command(flatten)]
        json: JsonOption,
    },
    /// Check the file as the daemon would at its start
    #[command(
        after_help = "Exit codes: 0 the daemon takes it; 78 it does not.\n\nExample:\n  gatewayctl config validate --json"
    )]
    Validate {
        /// One JSON document.
        #[command(flatten)]
        json: JsonOption,
    },
    /// Print the JSON Schema of the file
    #[command(
        after_help = "Exit codes: 0 done.\n\nExample:\n  gatewayctl config schema > clawdbot.schema.json"
    )]
    Schema,
    /// Type, default, allowed values, reload class and meaning of a key
    #[command(
        after_help = "Exit codes: 0 done; 1 there is no such key.\n\nExample:\n  gatewayctl config explain gateway.reload.mode"
    )]
    Explain {
        /// The key.
        path: String,
        /// One JSON document.
        #[command(flatten)]
        json: JsonOption,
    },
    /// Print where the file is
    #[command(after_help = "Exit codes: 0 done.\n\nExample:\n  gatewayctl config file")]
    File {
        /// One JSON document.
        #[command(flatten)]
        json: JsonOption,
    },
    /// Replace the whole file; with --confirm-within it is taken back by itself unless you confirm it
    Apply(ApplyArgs),
    /// Keep the change that `apply --confirm-within` made
    #[command(
        after_help = "Exit codes: 0 it stays; 1 no change waits; 3 no gateway runs here; 4 it is another user's.\n\nExample:\n  gatewayctl config confirm"
    )]
    Confirm {
        /// One JSON document.
        #[command(flatten)]
        json: JsonOption,
    },
    /// Take back the change that waits to be confirmed, or go back to a copy from `config history`
    #[command(after_help = "\
Without a number: takes back the change that waits to be confirmed; when none waits, goes back to
copy 1. The present file becomes copy 1, so a second rollback undoes the first.

Exit codes: 0 done; 1 failed, or there is no such copy; 78 the copy is broken.

Examples:
  gatewayctl config rollback
  gatewayctl config rollback 3")]
    Rollback {
        /// The number of the copy.
        #[arg(value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
        number: Option<u8>,
        /// One JSON document.
        #[command(flatten)]
        json: JsonOption,
    },
    /// The copies of the file, with what was changed after each
    #[command(
        after_help = "Exit codes: 0 done, also when there is none; 1 failed.\n\nExample:\n  gatewayctl config history"
    )]
    History {
        /// One JSON document.
        #[command(flatten)]
        json: JsonOption,
    },
    /// What differs between two versions of the file, key by key; secrets are masked
    #[command(after_help = "\
A version is a number from `config history`, or `now` for the file itself.

Exit codes: 0 done; 1 failed, or there is no such copy; 78 a version is broken.

Examples:
  gatewayctl config diff        what the last change changed
  gatewayctl config diff 3      all that was changed since copy 3
  gatewayctl config diff 3 2    what was changed between them")]
    Diff {
        /// The older version.
        #[arg(value_name = "A", default_value = "1")]
        from: Version,
        /// The newer version.
        #[arg(value_name = "B", default_value = "now")]
        to: Version,
        /// One JSON document.
        #[command(flatten)]
        json: JsonOption,
    },
}

/// Options of `config apply`.
#[derive(Debug, Args)]
#[command(after_help = "\
With --confirm-within the running gateway puts the change in force at once and takes it back when
it is not confirmed in time, when health drops, when it cannot start with it, or when it dies
meanwhile. It needs a running gateway: nobody else could take the change back.

Exit codes: 0 done; 1 failed; 3 no gateway runs here to try it; 78 the new file is broken, and
nothing was written.

Examples:
  gatewayctl config apply new.json5 --confirm-within 60s
  gatewayctl config confirm               when you can still get in
  gatewayctl config apply - < new.json5   at once and for good")]
pub struct ApplyArgs {
    /// The file with the whole new configuration; - reads it from standard input.
    pub file: PathBuf,
    /// How long to wait for `config confirm` before the change is taken back, such as 60s or 5m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub confirm_within: Option<Duration>,
    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

/// One version of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The file itself.
    Now,
    /// A numbered copy; 1 is the newest.
    Copy(usize),
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.parse()) {
            ("now", _) => Ok(Self::Now),
            (_, Ok(number @ 1..)) => Ok(Self::Copy(number)),
            _ => Err("use a number from `config history`, or now".to_owned()),
        }
    }
}

impl ConfigCommand {
    /// Whether `--json` was given.
    pub(super) const fn is_json(&self) -> bool {
        match self {
            Self::Get { json, .. }
            | Self::Set { json, .. }
            | Self::Unset { json, .. }
            | Self::Validate { json }
            | Self::Explain { json, .. }
            | Self::File { json }
            | Self::Confirm { json }
            | Self::Rollback { json, .. }
            | Self::History { json }
            | Self::Diff { json, .. } => json.json,
            Self::Apply(args) => args.json,
            Self::Schema => true,
        }
    }
}
