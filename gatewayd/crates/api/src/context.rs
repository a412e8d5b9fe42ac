//! The handles a method may ask, and the two ports through which methods reach what only the daemon's root can do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_config::live::Live;
use gateway_domain::auth::limiter::Limiter;
use gateway_domain::auth::locality::TrustedProxies;
use gateway_domain::auth::secret::Mode;
use gateway_domain::auth::tailnet::Identities;
use gateway_domain::ports::BoxFuture;
use tokio::time::Instant;

/// What access depends on, read anew for every connection; a reload swaps it whole.
#[derive(Clone, Debug)]
pub struct Access {
    /// How clients authenticate.
    pub mode: Mode,
    /// Whether people of the tailnet may come in by name.
    pub allow_tailscale: bool,
    /// Proxies whose headers are believed.
    pub proxies: TrustedProxies,
    /// Origins of web pages that may connect besides the gateway's own.
    pub origins: Vec<String>,
    /// Whether the control UI may connect without a device identity.
    pub insecure_control_ui: bool,
    /// This machine's own tailnet addresses.
    pub own_tailnet: Vec<std::net::IpAddr>,
}

/// What the daemon says about itself.
#[derive(Clone, Debug)]
pub struct About {
    /// Version for `hello-ok`.
    pub version: String,
    /// Commit it was built from.
    pub commit: Option<String>,
    /// Host name.
    pub host: String,
    /// The config file, absolute.
    pub config_path: String,
    /// The state folder, absolute.
    pub state_dir: String,
    /// The log file, which a reload may move.
    pub log_file: Arc<ArcSwap<PathBuf>>,
    /// When it started.
    pub started: Instant,
}

/// What a reload of the configuration did, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Keys that are in force now.
    pub applied: Vec<String>,
    /// Parts that were started anew, with the keys that asked for it.
    pub restarted: Vec<(String, String)>,
    /// Keys that were not applied, with the reason.
    pub refused: Vec<(String, String)>,
    /// Keys that only a restart of the daemon can apply.
    pub needs_restart: Vec<String>,
    /// Whether that restart is on its way.
    pub restarts: bool,
}

/// What only the root of the daemon can do.
pub trait Control: Send + Sync + 'static {
    /// Reads the configuration again now and applies it as `gateway.reload.mode` says. When that needs a restart, it
    /// comes after `delay`, so that an answer can leave first; requests that come meanwhile join it.
    fn reload(&self, delay: Duration) -> BoxFuture<'static, Reloaded>;
}

/// Reads the end of the log file for `logs.tail`.
pub trait LogReader: Send + Sync + 'static {
    /// The lines after `cursor`, or the last ones. Blocks; the caller moves it off the workers.
    fn tail(
        &self,
        path: &std::path::Path,
        cursor: Option<u64>,
        limit: usize,
        max_bytes: u64,
    ) -> std::io::Result<gateway_wire::types::logs::LogsTailResult>;
}

/// Everything a method may ask.
pub struct Context {
    /// The time.
    pub clock: Clock,
    /// The environment the daemon started with.
    pub env: Env,
    /// Where things are.
    pub paths: Paths,
    /// The configuration in force.
    pub config: Live,
    /// Who may connect.
    pub access: ArcSwap<Access>,
    /// Wrong credentials.
    pub limiter: Limiter,
    /// People of the tailnet.
    pub identities: Identities,
    /// What the daemon says about itself.
    pub about: About,
    /// The domain's handles.
    pub domain: crate::domain::Domain,
    /// The root.
    pub control: Arc<dyn Control>,
    /// The log file's reader.
    pub logs: Arc<dyn LogReader>,
    /// `features` of `hello-ok`, serialised once.
    pub features: Bytes,
}
