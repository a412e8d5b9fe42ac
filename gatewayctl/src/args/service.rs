//! The commands on the operating system's service.

use clap::Args;
use gateway_base::secret::Secret;

/// Options that all of them share.
#[derive(Clone, Debug, Args)]
pub struct ServiceOptions {
    /// Linux: the service of the machine instead of this user's; takes root.
    #[arg(long)]
    pub system: bool,
    /// Print the files and commands, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

/// Options of `install`.
#[derive(Debug, Args)]
#[command(after_help = "\
The service starts at once, with the machine, and again when it fails. Its file holds no secret:
the token belongs in the configuration, and --token puts it there.
Exit codes: 0 it serves, or was installed before; 1 failed, with the reason.

Examples:
  gatewayctl install --dry-run            what would be written and run
  gatewayctl install --linger             stay when you log out, and start with the machine
  sudo gatewayctl install --system        a service of the machine that runs as you
  gatewayctl install --force              write the service file again
  gatewayctl --profile work install --port 19789")]
pub struct InstallArgs {
    /// The port [default: CLAWDBOT_GATEWAY_PORT, gateway.port, or 18789].
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Accepted for older scripts; there is no runtime to choose.
    #[arg(long, value_name = "NAME", value_parser = ["node", "bun"], hide = true)]
    pub runtime: Option<String>,
    /// Store this token as gateway.auth.token in the configuration first.
    #[arg(long, value_name = "TOKEN", value_parser = super::options::secret)]
    pub token: Option<Secret>,
    /// Write the service file again when it is there already.
    #[arg(long)]
    pub force: bool,
    /// Linux: let the user's services run on after log-out (loginctl enable-linger).
    #[arg(long, conflicts_with = "system")]
    pub linger: bool,
    /// With --system: the user it runs as [default: who called sudo].
    #[arg(long, value_name = "USER", requires = "system")]
    pub run_as: Option<String>,
    /// Stop and remove services under older names that use the same port.
    #[arg(long)]
    pub replace_old: bool,
    /// Scope and output.
    #[command(flatten)]
    pub options: ServiceOptions,
}

/// Options of `start`, `stop` and `restart`.
#[derive(Debug, Args)]
pub struct ControlArgs {
    /// Scope and output.
    #[command(flatten)]
    pub options: ServiceOptions,
}

/// Options of `uninstall`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 done, or there was no such service; 1 failed, with the reason.

Examples:
  gatewayctl uninstall                    stops and removes the service; all state stays
  gatewayctl uninstall --purge            also removes the state folder, with all conversations")]
pub struct UninstallArgs {
    /// Also remove the state folder with configuration, credentials and conversations.
    #[arg(long)]
    pub purge: bool,
    /// Scope and output.
    #[command(flatten)]
    pub options: ServiceOptions,
}
