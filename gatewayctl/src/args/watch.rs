//! The command line of `watch`, the alarm that does not depend on the daemon.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use gateway_base::secret::Secret;

use super::options::duration;
use super::service::ServiceOptions;

/// Options of `watch`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
One look by default, such as for cron. A gateway that was stopped on purpose is no incident. Each
incident is told once, and again only to those who could not be told; what is known about it
stays in <state folder>/watch.
A program gets the incident as JSON on standard input and in GATEWAY_WATCH_EVENT, _KIND,
_SUMMARY, _SINCE, _LAST_ERROR, _NEXT, _HOST, _PROFILE, _INCIDENT and _TEXT. A webhook gets the
same JSON, with the text in `text` and `content` too, as chat services want it.
Exit codes: 0 healthy or stopped on purpose; 1 wedged, degraded, or somebody could not be told;
3 dead or looping; 4 the gateway is another user's; 78 the file of --settings cannot be used.

Examples:
  gatewayctl watch                        look once and say what was found
  gatewayctl watch --every 30s --notify   keep looking, and show alarms on the desktop
  gatewayctl watch install --webhook-file ~/hook.url --on-recovery
  gatewayctl watch install --every 1m --exec mail -s 'gateway' you@example.com
  gatewayctl watch status                 is it installed, what did it see, who was not told
  gatewayctl watch uninstall")]
pub struct WatchArgs {
    /// What to do with the timer.
    #[command(subcommand)]
    pub action: Option<WatchAction>,
    /// What is an incident, and who is told.
    #[command(flatten)]
    pub alarm: AlarmOptions,
    /// Keep looking in the foreground, with this pause, such as 30s.
    #[arg(long, value_name = "TIME", value_parser = pause)]
    pub every: Option<Duration>,
    /// Look with the settings in this file, as `watch install` writes it; - is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "AlarmOptions")]
    pub settings: Option<PathBuf>,
    /// Print one JSON document, or with --every one a line.
    #[arg(long)]
    pub json: bool,
}

/// What is an incident, and who is told of it.
#[derive(Clone, Debug, Args)]
pub struct AlarmOptions {
    /// Run this program, without a shell; what follows are its arguments, up to a `;`.
    #[arg(long, value_names = ["PROGRAM", "ARGS"], num_args = 1.., allow_hyphen_values = true, value_terminator = ";")]
    pub exec: Vec<String>,
    /// Send a POST request to this address.
    #[arg(long, value_name = "URL", value_parser = super::options::secret)]
    pub webhook: Option<Secret>,
    /// The same, with the address read from this file, so that no list of processes shows it.
    #[arg(long, value_name = "FILE", conflicts_with = "webhook")]
    pub webhook_file: Option<PathBuf>,
    /// Headers of that request from this file, one `Name: value` a line.
    #[arg(long, value_name = "FILE")]
    pub header_file: Option<PathBuf>,
    /// Show a notification on the desktop.
    #[arg(long)]
    pub notify: bool,
    /// Tell the end of an incident too.
    #[arg(long)]
    pub on_recovery: bool,
    /// A gateway that works with something missing is an incident too.
    #[arg(long)]
    pub degraded: bool,
    /// How long it must be silent before that counts.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub after: Duration,
    /// More restarts than this, within the time of --within, are a loop.
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub restarts: u32,
    /// The time in which restarts are counted.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = pause)]
    pub within: Duration,
    /// How many good looks in a row end an incident.
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub settle: u32,
}

/// What to do with the timer.
#[derive(Debug, Subcommand)]
pub enum WatchAction {
    /// Look by a timer of the service manager, from now on and after every start of the machine
    Install(WatchInstallArgs),
    /// Remove the timer and everything it knows
    #[command(
        after_help = "Exit codes: 0 done, or there was none; 1 failed, with the reason.\n\nExamples:\n  gatewayctl watch uninstall\n  gatewayctl watch uninstall --dry-run"
    )]
    Uninstall(WatchUninstallArgs),
    /// Whether the timer is there, what the last look found, and who could not be told
    #[command(
        after_help = "Exit codes: 0 the timer runs; 1 it is installed and does not run, or somebody could not be told;\n3 it is not installed.\n\nExample:\n  gatewayctl watch status --json"
    )]
    Status(WatchStatusArgs),
}

/// Options of `watch install`.
#[derive(Debug, Args)]
#[command(after_help = "\
Settings go into a file that only you can read; the timer's own file holds none of them. Doing it
again with other settings replaces them.
Exit codes: 0 it looks from now on, or did before; 1 failed, with the reason.

Examples:
  gatewayctl watch install --notify --on-recovery
  gatewayctl watch install --webhook-file ~/hook.url --header-file ~/hook.headers
  sudo gatewayctl watch install --system --exec /usr/local/bin/page-me
  gatewayctl watch install --dry-run --notify")]
pub struct WatchInstallArgs {
    /// What is an incident, and who is told.
    #[command(flatten)]
    pub alarm: AlarmOptions,
    /// The pause between two looks; on Windows at least 1m.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = pause)]
    pub every: Duration,
    /// Scope and output.
    #[command(flatten)]
    pub options: ServiceOptions,
}

/// Options of `watch uninstall`.
#[derive(Debug, Args)]
pub struct WatchUninstallArgs {
    /// Scope and output.
    #[command(flatten)]
    pub options: ServiceOptions,
}

/// Options of `watch status`.
#[derive(Debug, Args)]
pub struct WatchStatusArgs {
    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

impl WatchArgs {
    /// Whether the answer is JSON.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        match &self.action {
            None => self.json,
            Some(WatchAction::Install(args)) => args.options.json,
            Some(WatchAction::Uninstall(args)) => args.options.json,
            Some(WatchAction::Status(args)) => args.json,
        }
    }
}

/// A time of at least a second.
fn pause(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time < Duration::from_secs(1) { Err("must be at least 1s".to_owned()) } else { Ok(time) }
}
