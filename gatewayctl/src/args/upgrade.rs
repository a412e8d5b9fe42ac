//! The command that puts a new version in the place of the old one.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::options::duration;
use super::service::ServiceOptions;

/// Options of `upgrade`.
#[derive(Debug, Args)]
#[command(after_help = "\
First the new program is asked, beside the gateway that serves: whether it runs here, which version it is, and whether
it would start with the arguments and the configuration of this gateway. When it would not, nothing is changed. Then it
takes the place of the old one, which is kept beside it as gatewayd.previous, and the gateway restarts without refusing
a client. When the new version does not serve in time, the old one is put back and started again.

The work is done by a process of its own: closing the terminal or ending this command does not leave it half done. After
a power cut the next start runs the new version, and the next `upgrade` says so.

Exit codes: 0 the new version serves, or it did before; 1 failed, with the reason, and the old version serves;
3 there is no gateway to upgrade.

Examples:
  gatewayctl upgrade --binary ./gatewayd
  gatewayctl upgrade --binary ./gatewayd --dry-run    only ask the new program
  gatewayctl upgrade --rollback                       back to gatewayd.previous
  sudo gatewayctl upgrade --system --binary ./gatewayd")]
pub struct UpgradeArgs {
    /// The new gatewayd.
    #[arg(long, value_name = "PATH", required_unless_present = "rollback")]
    pub binary: Option<PathBuf>,
    /// Go back to the version that was kept.
    #[arg(long, conflicts_with = "binary")]
    pub rollback: bool,
    /// How long the new version may take to serve, such as 30s.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub wait: Duration,
    /// Scope and output.
    #[command(flatten)]
    pub options: ServiceOptions,
}
