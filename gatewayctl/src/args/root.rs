//! The root of the command line: what stands before the command, and the end of the help.

use clap::Parser;

use super::commands::Command;

/// Version, commit and build date; the latter two come from the build script.
pub const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("GATEWAYD_COMMIT"),
    ", built ",
    env!("GATEWAYD_BUILD_DATE"),
    ")"
);

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
  gatewayctl install --linger             run as a service, also after log-out
  gatewayctl status                       what runs here, and does it answer
  gatewayctl call health --json           any method of the control plane
  gatewayctl config set gateway.port 18790
  gatewayctl shutdown --restart --drain 10s
  gatewayctl --profile work status        the gateway of another profile

The older spelling works too: `gatewayctl gateway status` is `gatewayctl status`, and
`gatewayctl gateway` (or `gateway run`) becomes gatewayd with the same flags. Called under
the name clawdbot, the program takes the same words.";

/// Installs, starts, looks at, asks, configures and stops a gateway.
#[derive(Debug, Parser)]
#[command(name = "gatewayctl", version = VERSION, after_help = AFTER_HELP, max_term_width = 100)]
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

    /// Print version, commit and build date.
    #[arg(short = 'V', short_alias = 'v', long, action = clap::ArgAction::Version)]
    version: Option<bool>,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
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
}
