//! The configuration as this shell and as the service see it: where the file is, and whether a gateway could start with
//! it.

use std::path::PathBuf;

use gateway_config::Issue;
use serde::Serialize;

/// Both views of the configuration.
#[derive(Debug, Serialize)]
pub struct ConfigReport {
    /// This shell's.
    pub cli: ConfigView,
    /// The service's.
    pub daemon: ConfigView,
    /// Whether they are different files.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mismatch: bool,
    /// Whether a change of the service's file waits to be confirmed.
    #[serde(skip)]
    pub on_trial: bool,
}

/// One view of the configuration.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigView {
    /// The file.
    pub path: PathBuf,
    /// Whether it is there.
    pub exists: bool,
    /// Whether the daemon could start with it.
    pub valid: bool,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// The control page's settings.
    pub control_ui: ControlUi,
}

/// The control page's settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlUi {
    /// Whether it is served.
    pub enabled: bool,
    /// Under which path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_path: Option<String>,
}
