//! The commands and their own options.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::config::ConfigCommand;
use super::devices::DevicesCommand;
use super::doctor::DoctorArgs;
use super::onboard::{DashboardArgs, OnboardArgs, SetupArgs};
use super::options::{ClientOptions, JsonOption, duration, millis};
use super::service::{ControlArgs, InstallArgs, UninstallArgs};
use super::top::TopArgs;
use super::upgrade::UpgradeArgs;
use super::watch::WatchArgs;

/// What `gatewayctl` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The service, the process, the port, and whether the gateway answers
    Status(StatusArgs),
    /// Whether the gateway is healthy; made to be a container's probe
    Health(HealthArgs),
    /// Every gateway that can be reached from here, with what each says of itself
    Probe(ProbeArgs),
    /// The gateways that announce themselves in the local network and in the tailnet
    Discover(DiscoverArgs),
    /// Set a gateway up: configuration, token, workspace, model key, service
    Onboard(Box<OnboardArgs>),
    /// Write a first configuration and the workspace, and ask nothing
    Setup(SetupArgs),
    /// The link to the gateway's page
    Dashboard(DashboardArgs),
    /// What is wrong with this installation, what comes of it, and what to do; repairs it too
    Doctor(DoctorArgs),
    /// Call a method of the control plane
    Call(CallArgs),
    /// Read the configuration again and say what was applied
    Reload(ReloadArgs),
    /// Stop or restart the gateway and watch it do so
    Shutdown(ShutdownArgs),
    /// Install the gateway as a service, and start it
    Install(InstallArgs),
    /// Start the service and wait until it serves
    #[command(
        after_help = "Exit codes: 0 done, or there is no such service; 1 failed, with the reason.\n\nExamples:\n  gatewayctl start\n  sudo gatewayctl start --system"
    )]
    Start(ControlArgs),
    /// Stop the service and wait until it is gone
    #[command(
        after_help = "Exit codes: 0 done, or there is no such service; 1 failed, with the reason.\n\nExamples:\n  gatewayctl stop\n  gatewayctl stop --dry-run"
    )]
    Stop(ControlArgs),
    /// Restart the service in one call and wait until it serves
    #[command(
        after_help = "Exit codes: 0 done, or there is no such service; 1 failed, with the reason.\n\nExamples:\n  gatewayctl restart\n  gatewayctl --profile work restart --json"
    )]
    Restart(ControlArgs),
    /// Put a new version in place, and take it back when it does not serve
    Upgrade(UpgradeArgs),
    /// Stop and remove the service
    Uninstall(UninstallArgs),
    /// What the gateway does right now: a dashboard in the terminal
    Top(TopArgs),
    /// The alarm: notices a dead or looping gateway and tells somebody, once an incident
    Watch(WatchArgs),
    /// The gateway's log
    Logs(LogsArgs),
    /// Look at and edit the configuration file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Paired devices and requests to pair
    #[command(subcommand)]
    Devices(DevicesCommand),
    /// What the assistant's turns have cost
    UsageCost(UsageCostArgs),
    /// Print the completion script of a shell
    #[command(
        after_help = "Exit codes: 0 done; 2 there is no such shell.\n\nExample:\n  gatewayctl completions bash > ~/.local/share/bash-completion/completions/gatewayctl"
    )]
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the manual page, or write the pages of all commands
    #[command(
        after_help = "Exit codes: 0 done; 1 the folder cannot be written.\n\nExamples:\n  gatewayctl man | man -l -\n  gatewayctl man --to ~/.local/share/man/man1"
    )]
    Man {
        /// Write a page for every command into this folder, instead of printing the first.
        #[arg(long, value_name = "FOLDER")]
        to: Option<std::path::PathBuf>,
    },
    /// Print the version, commit and build date
    #[command(after_help = "Exit codes: 0 done.\n\nExample:\n  gatewayctl version --json")]
    Version(JsonOption),
}

/// Options of `status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every state has one verdict, and every verdict one exit code:
  0   clients are served: running, on-trial, degraded, store-degraded, other-version,
      replaced, outside-service, two-gateways
  1   something is there and does not serve, or cannot be reached: starting, stopping,
      restarting, unhealthy, wedged, control-plane-silent, not-listening, no-identity,
      lock-held, unproven, unavailable, not-a-gateway, protocol-mismatch, tls-expected,
      tls-not-spoken, certificate-mismatch, certificate-untrusted, tls-failed,
      unreachable, nobody-there, unknown-host, no-answer
  2   the command line is wrong: bad-address
  3   no gateway runs here: not-running, not-installed, stopped, failed, latched,
      program-missing, port-taken, other-gateway
  4   it refused: refused, pairing-required, clock-skew, not-allowed, other-user
  78  the configuration file is broken: last-good-config (it runs), config-broken

Examples:
  gatewayctl status
  gatewayctl status --no-probe            the service and the process only
  gatewayctl status --json | jq -r .verdict.state
  gatewayctl status --url wss://studio:18789 --token \"$TOKEN\"")]
pub struct StatusArgs {
    /// Which gateway to ask.
    #[command(flatten)]
    pub client: ClientOptions,
    /// Do not connect to the control plane.
    #[arg(long)]
    pub no_probe: bool,
    /// Look for other gateway services in the system's folders too.
    #[arg(long)]
    pub deep: bool,
}

/// Options of `health`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 healthy, 1 not healthy, 3 not running, 4 refused.

Examples:
  gatewayctl health
  gatewayctl health --live                liveness: the process answers
  gatewayctl health --ready               readiness: false while starting and draining
  gatewayctl health --part store
  HEALTHCHECK CMD [\"/gatewayctl\", \"health\", \"--ready\"]")]
pub struct HealthArgs {
    /// Which gateway to ask.
    #[command(flatten)]
    pub client: ClientOptions,
    /// Only this part: config, listener, store, log, tailscale, channels, cron, nodes or memory.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["live", "ready", "startup"])]
    pub part: Option<String>,
    /// Only whether the process answers.
    #[arg(long, conflicts_with_all = ["ready", "startup"])]
    pub live: bool,
    /// Only whether clients are served; false while starting and draining.
    #[arg(long, conflicts_with = "startup")]
    pub ready: bool,
    /// Only whether the start is over.
    #[arg(long)]
    pub startup: bool,
    /// Also print the connection, the agents and their sessions.
    #[arg(long, alias = "debug")]
    pub verbose: bool,
}

/// Options of `probe`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 when a gateway is reachable, 1 when none is, 4 when one is there and refused.

With --ssh, or when gateway.remote names a host elsewhere, a tunnel is opened with the
system's ssh; it ends with the command. Keys and hosts are those of your ssh.

Examples:
  gatewayctl probe
  gatewayctl probe --ssh you@studio
  gatewayctl probe --url wss://studio:18789 --token \"$TOKEN\" --json")]
pub struct ProbeArgs {
    /// Probe this address first.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Reach a gateway through ssh, such as you@studio or studio:2222.
    #[arg(long, value_name = "TARGET")]
    pub ssh: Option<String>,
    /// The key for ssh.
    #[arg(long, value_name = "FILE")]
    pub ssh_identity: Option<String>,
    /// Without a target, reach the first gateway that is found on the network.
    #[arg(long)]
    pub ssh_auto: bool,
    /// The token to use for every target.
    #[arg(long, value_name = "TOKEN", value_parser = super::options::secret)]
    pub token: Option<gateway_base::secret::Secret>,
    /// The password to use for every target.
    #[arg(long, value_name = "PASSWORD", value_parser = super::options::secret)]
    pub password: Option<gateway_base::secret::Secret>,
    /// The time for everything, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "3000", value_parser = millis)]
    pub timeout: Duration,
    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

/// Options of `discover`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing that is found is authenticated: anybody in the network can say anything. Compare a
fingerprint before you trust it.

Exit codes: 0 also when there is none, 1 when the network cannot be asked.

Examples:
  gatewayctl discover
  gatewayctl discover --timeout 5000 --json")]
pub struct DiscoverArgs {
    /// How long to look in each domain, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "2000", value_parser = millis)]
    pub timeout: Duration,
    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

/// Options of `call`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 done; 1 failed, or unreachable; 3 no gateway runs here; 4 it refused.

Examples:
  gatewayctl call health
  gatewayctl call logs.tail --params '{\"limit\": 5}' --json
  gatewayctl call status --url ws://studio:18789 --token \"$TOKEN\"")]
pub struct CallArgs {
    /// The method.
    pub method: String,
    /// Its parameters.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub params: String,
    /// Wait for the last answer of methods that answer twice.
    #[arg(long)]
    pub expect_final: bool,
    /// Which gateway to ask.
    #[command(flatten)]
    pub client: ClientOptions,
}

/// Options of `reload`.
#[derive(Debug, Args)]
#[command(after_help = "\
A running gateway reads a changed file by itself; this does it now and says per key what came of it.

Exit codes: 0 the file is in force, or nothing changed; 1 failed; 3 no gateway runs here; 4 it is
another user's; 78 the file is broken, and the gateway goes on with what it has.

Examples:
  gatewayctl reload --dry-run             what would be applied, and what takes a restart
  gatewayctl reload")]
pub struct ReloadArgs {
    /// Only say what a reload would do.
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait for an answer, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "30000", value_parser = millis)]
    pub timeout: Duration,
    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

/// Options of `shutdown`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 done; 1 failed; 3 no gateway runs here; 4 it is another user's.

Examples:
  gatewayctl shutdown
  gatewayctl shutdown --restart --drain 10s")]
pub struct ShutdownArgs {
    /// Come back after the stop.
    #[arg(long)]
    pub restart: bool,
    /// How long running work may take to finish, such as 5s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub drain: Option<Duration>,
    /// Why, for the log and the clients.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

/// Options of `logs`.
#[derive(Debug, Args)]
#[command(after_help = "\
With --json every line is a document of its own: meta, log, raw or notice. Of a gateway that does
not run, the file is read as it was left.
Exit codes: 0 done; 1 failed, or unreachable; 4 the gateway refused.

Examples:
  gatewayctl logs --limit 50 --level warn
  gatewayctl logs --follow")]
pub struct LogsArgs {
    /// How many lines to begin with.
    #[arg(long, value_name = "N", default_value = "200", value_parser = clap::value_parser!(u32).range(0..=5000))]
    pub limit: u32,
    /// Keep printing new lines.
    #[arg(long, short = 'f')]
    pub follow: bool,
    /// Leave out what is less important.
    #[arg(long, value_enum)]
    pub level: Option<LevelArg>,
    /// How many bytes to read at most.
    #[arg(long, value_name = "N", default_value = "250000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_bytes: u32,
    /// How often to ask a remote gateway for new lines, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "1000", value_parser = millis)]
    pub interval: Duration,
    /// Full times and no colours, on a terminal too.
    #[arg(long)]
    pub plain: bool,
    /// Which gateway to ask.
    #[command(flatten)]
    pub client: ClientOptions,
}

/// The levels of `logs --level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LevelArg {
    /// Every step.
    Trace,
    /// For finding faults.
    Debug,
    /// What is worth knowing.
    Info,
    /// Something is off.
    Warn,
    /// Something failed.
    Error,
    /// The daemon stopped because of it.
    Fatal,
}

/// Options of `usage-cost`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 done; 1 failed, or unreachable; 3 no gateway runs here; 4 it refused.

Examples:
  gatewayctl usage-cost
  gatewayctl usage-cost --days 7 --json")]
pub struct UsageCostArgs {
    /// How many days to count.
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: u32,
    /// Which gateway to ask.
    #[command(flatten)]
    pub client: ClientOptions,
}

impl Command {
    /// Whether `--json` was given, known before anything runs so that every failure can be a document.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        match self {
            Self::Status(a) => a.client.json,
            Self::Health(a) => a.client.json,
            Self::Probe(a) => a.json,
            Self::Discover(a) => a.json,
            Self::Onboard(a) => a.json,
            Self::Setup(a) => a.json,
            Self::Dashboard(a) => a.json,
            Self::Doctor(a) => a.json,
            Self::Call(a) => a.client.json,
            Self::Reload(a) => a.json,
            Self::Shutdown(a) => a.json,
            Self::Install(a) => a.options.json,
            Self::Start(a) | Self::Stop(a) | Self::Restart(a) => a.options.json,
            Self::Upgrade(a) => a.options.json,
            Self::Uninstall(a) => a.options.json,
            Self::Top(a) => a.json,
            Self::Watch(a) => a.is_json(),
            Self::Logs(a) => a.client.json,
            Self::Config(a) => a.is_json(),
            Self::Devices(a) => a.client().json,
            Self::UsageCost(a) => a.client.json,
            Self::Version(json) => json.json,
            Self::Completions { .. } | Self::Man { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::args::Cli;

    fn check(command: &clap::Command) {
        for one in command.get_subcommands() {
            let help = one.get_after_help().map(ToString::to_string).unwrap_or_default();
            let tells_codes = help.contains("Exit codes: ") || help.contains("one exit code:");
            assert!(help.contains("Example") && tells_codes, "{}: {help:?}", one.get_name());
            let example = format!("gatewayctl {}", command.get_name().replace("gatewayctl", ""));
            assert!(help.contains(example.trim()), "{}: {help:?}", one.get_name());
            check(one);
        }
    }

    #[test]
    fn every_command_has_an_example_and_tells_its_exit_codes() {
        check(&Cli::command());
    }
}
