//! The commands on devices that were let in, or want to be.

use clap::{Args, Subcommand};

use super::options::ClientOptions;

/// Commands under `devices`.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Exit codes: 0 done; 1 failed, or unreachable; 3 no gateway runs here; 4 it refused.

Examples:
  gatewayctl devices list
  gatewayctl devices approve 401fdd1c-ca41-4ce4-9324-68756730f5c8
  gatewayctl devices rotate --device ID --role operator --scope operator.read")]
pub enum DevicesCommand {
    /// Requests that wait, and devices that are paired
    #[command(
        after_help = "Exit codes: 0 done; 1 failed, or unreachable; 3 no gateway runs here; 4 it refused.\n\nExample:\n  gatewayctl devices list --json"
    )]
    List {
        /// Which gateway to ask.
        #[command(flatten)]
        client: ClientOptions,
    },
    /// Let a device in
    #[command(
        after_help = "Exit codes: 0 done; 1 failed, or unreachable; 3 no gateway runs here; 4 it refused.\n\nExample:\n  gatewayctl devices approve 401fdd1c-ca41-4ce4-9324-68756730f5c8"
    )]
    Approve {
        /// The request, from `devices list`.
        request: String,
        /// Which gateway to ask.
        #[command(flatten)]
        client: ClientOptions,
    },
    /// Turn a device away
    #[command(
        after_help = "Exit codes: 0 done; 1 failed, or unreachable; 3 no gateway runs here; 4 it refused.\n\nExample:\n  gatewayctl devices reject 401fdd1c-ca41-4ce4-9324-68756730f5c8"
    )]
    Reject {
        /// The request, from `devices list`.
        request: String,
        /// Which gateway to ask.
        #[command(flatten)]
        client: ClientOptions,
    },
    /// Give a device a new token
    #[command(
        after_help = "Exit codes: 0 done; 1 failed, or unreachable; 3 no gateway runs here; 4 it refused.\n\nExample:\n  gatewayctl devices rotate --device ID --role operator --scope operator.read"
    )]
    Rotate {
        /// The device and its role.
        #[command(flatten)]
        device: DeviceArgs,
        /// What the new token may do; may be given several times.
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Which gateway to ask.
        #[command(flatten)]
        client: ClientOptions,
    },
    /// Take a device's token away
    ///
    /// A device whose record cannot be read loses the whole record; the gateway keeps a copy of it.
    #[command(
        after_help = "Exit codes: 0 done; 1 failed, or unreachable; 3 no gateway runs here; 4 it refused.\n\nExample:\n  gatewayctl devices revoke --device ID --role node"
    )]
    Revoke {
        /// The device and its role.
        #[command(flatten)]
        device: DeviceArgs,
        /// Which gateway to ask.
        #[command(flatten)]
        client: ClientOptions,
    },
}

/// One token of one device.
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// The device, from `devices list`.
    #[arg(long, value_name = "ID")]
    pub device: String,
    /// The role of the token.
    #[arg(long, value_name = "ROLE")]
    pub role: String,
}

impl DevicesCommand {
    /// The gateway the command is for.
    #[must_use]
    pub const fn client(&self) -> &ClientOptions {
        match self {
            Self::List { client }
            | Self::Approve { client, .. }
            | Self::Reject { client, .. }
            | Self::Rotate { client, .. }
            | Self::Revoke { client, .. } => client,
        }
    }
}
