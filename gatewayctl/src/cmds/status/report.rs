//! The report of `status`. Its JSON form is the original's, with `rpc.latencyMs`, `daemon` and `verdict` added.

use serde::Serialize;

use super::config::ConfigReport;
use super::daemon::Daemon;
use super::rpc::Rpc;
use super::verdict::Verdict;
use crate::ports::PortReport;
use crate::service::{Audit, Command, Extra, Runtime, Scope};

/// Everything `status` found out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The operating system's service.
    pub service: ServiceReport,
    /// The configuration as this shell and as the service see it.
    pub config: ConfigReport,
    /// Where the gateway listens.
    pub gateway: GatewayReport,
    /// Who is on that port.
    pub port: PortReport,
    /// Who is on the port this shell would use, when that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_cli: Option<PortReport>,
    /// Why the gateway is not there, from its log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Whether the control plane answered; absent when it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc: Option<Rpc>,
    /// Services under names that this product had or has elsewhere, and its own in the other scope.
    pub legacy_services: Vec<Extra>,
    /// Other services that look like a gateway.
    pub extra_services: Vec<Extra>,
    /// What the daemon says of itself; absent when it could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daemon: Option<Daemon>,
    /// What all of it means.
    pub verdict: Verdict,
}

/// The service.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceReport {
    /// Who manages it.
    pub label: &'static str,
    /// Whose it is.
    pub scope: Scope,
    /// Whether it is registered.
    pub loaded: bool,
    /// The manager's word for "registered".
    pub loaded_text: &'static str,
    /// The manager's word for the opposite.
    pub not_loaded_text: &'static str,
    /// The word that is true: one of the two, or `unknown`.
    pub state_text: &'static str,
    /// What it runs.
    pub command: Option<Command>,
    /// How it is.
    pub runtime: Runtime,
    /// What is unusual about it.
    pub config_audit: Audit,
}

/// Where the gateway listens.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayReport {
    /// The mode or address.
    pub bind_mode: String,
    /// The address a client on this machine uses.
    pub bind_host: String,
    /// The address of mode `custom`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_bind_host: Option<String>,
    /// The port.
    pub port: u16,
    /// Where the port is from: `running gateway`, `service args` or `env/config`.
    pub port_source: &'static str,
    /// What is connected to.
    pub probe_url: String,
    /// What to know about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe_note: Option<&'static str>,
    /// The gateway elsewhere that other commands ask, and that this report is not about.
    #[serde(skip)]
    pub elsewhere: Option<String>,
}
